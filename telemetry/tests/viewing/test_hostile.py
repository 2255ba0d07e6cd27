"""Whatever a transcript holds, its page is harmless, shows it, and comes soon."""

import json
from html.parser import HTMLParser
from time import process_time
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from telemetry.intake.storing import store_transcript
from telemetry.tests.builders import (
    assistant_line,
    line,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.tests.planting import store
from telemetry.tests.viewing.conftest import Read, address
from telemetry.viewing.entries import LINE_ENTRIES
from telemetry.viewing.lines import LONGEST_READ

pytestmark = pytest.mark.django_db
SECONDS = 5
MARKUP = (
    '<script>alert(1)</script><img src=x onerror="alert(1)"><style>*{display:none}</style></pre></details>'
)


def everywhere(text: str):
    """The same text wherever a page shows one."""
    call = tool_use(text, command=text, description=text)
    return [
        user_line(text),
        assistant_line(text),
        assistant_line({"type": "thinking", "thinking": text}),
        assistant_line(call),
        user_line(tool_result(call["id"], text, is_error=True)),
        user_line(tool_result(text, text)),
        user_line(f"<command-name>/{text}</command-name><command-args>{text}</command-args>"),
        line("system", subtype=text, content=text),
        line("attachment", attachment={"type": text, text: text}),
        line(text, **{text: text}),
        assistant_line({"type": text, text: text}),
        user_line([{"type": "image", "source": {"media_type": text, "data": "AAAA"}}]),
        f'{{"type": "{text}',
        user_line("The end"),
    ]


class Tags(HTMLParser):
    """Which tags, and which of their attributes, a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.update((tag, *(f"{tag} {name}" for name, _ in attrs)))


def tags_of(page: str) -> set[str]:
    tags = Tags()
    tags.feed(page)
    return tags.found


class TestText:
    def test_markup_is_text_everywhere(self, bob: User, charlie: User, read: Read):
        page = read(store(bob, *everywhere(MARKUP)))
        assert tags_of(page) == tags_of(read(store(charlie, *everywhere("words"))))
        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 12

    def test_what_is_hidden_becomes_visible_everywhere(self, bob: User, read: Read):
        page = read(store(bob, *everywhere("\x1b[31mred\x07 \u202eevil\u2066\u200b\U000e0041\ufeff\x9b")))
        for hidden in ("\x1b", "\x07", "\u202e", "\u2066", "\u200b", "\U000e0041", "\x9b"):
            assert hidden not in page, hex(ord(hidden))
        assert page.count("␛[31mred␇ {U+202E}evil{U+2066}{U+200B}{U+E0041}") >= 10

    def test_surrogates_and_bytes_that_are_no_text(self, bob: User, read: Read):
        broken = json.dumps(user_line("half \ud83d")).encode() + b"\n" + b"\xff\xfe\x00garbage"
        content = transcript_bytes([user_line(), broken, user_line("The end")])
        page = read(store_transcript(bob, [content]).transcript)
        assert "half {U+D83D}" in page
        assert "The end</pre>" in page

    def test_links_lead_to_the_web_only(self, bob: User, read: Read):
        answer = "[a](javascript:alert(1)) [b](data:text/html,x) [c](/admin/logout/) ![d](https://evil.example/x.png)"
        page = read(store(bob, user_line(), assistant_line(answer)))
        entry = page[page.index("entry-answer") :].split("</article>")[0]
        assert "javascript:" not in entry.replace("[a](javascript:", "")
        assert "/admin/logout/" not in entry.replace("[c](/admin/logout/)", "")
        assert "<img" not in entry

    @pytest.mark.parametrize(
        "content",
        [
            {"role": "user", "content": 7},
            {
                "role": "user",
                "content": [None, 7, "x", [], {"type": 7}, {"type": "tool_result", "content": 7}],
            },
            {"role": "user", "content": [{"type": "image", "source": 7}, {"type": "document"}]},
            "no message",
            None,
        ],
    )
    def test_odd_shapes_are_shown(self, bob: User, read: Read, content: object):
        page = read(
            store(
                bob,
                user_line(),
                line("user", message=content, toolUseResult=7),
                line("assistant", message=content),
                line("system", subtype=7, content=content, durationMs="x"),
                line("attachment", attachment=content),
                user_line("The end"),
            )
        )
        assert "The end</pre>" in page

    @pytest.mark.parametrize("agent_id", ["\0", "\ud800", "x" * 1_000_000, 7, None])
    def test_the_name_of_a_subagent_is_no_name(self, bob: User, read: Read, agent_id: object):
        call = tool_use("Agent", subagent_type="helper")
        answer = user_line(tool_result(call["id"], "of the agent"), toolUseResult={"agentId": agent_id})
        page = read(store(bob, user_line(), assistant_line(call), json.dumps(answer)))
        assert "of the agent</pre>" in page
        assert len(page) < 60_000

    @pytest.mark.parametrize("duration", ["1" + "0" * 400, "-1", "1e300", "true", '"x"'])
    def test_no_time_that_a_turn_took(self, bob: User, read: Read, duration: str):
        ended = json.dumps(line("system", subtype="turn_duration", durationMs=0))
        page = read(store(bob, user_line(), ended.replace(": 0", f": {duration}"), user_line("The end")))
        assert "Turn ended" in page
        assert "The end</pre>" in page

    def test_deep_nesting(self, bob: User, read: Read):
        def nested(depth: int) -> str:
            good = json.dumps(assistant_line(tool_use("Bash", deep="here")))
            return good.replace('"here"', "[" * depth + "]" * depth)

        page = read(store(bob, user_line(), nested(300), nested(900), nested(5000), user_line("The end")))
        assert "The end</pre>" in page


class TestSize:
    def test_a_long_text_is_cut_and_read_elsewhere(self, bob: User, read: Read, reader: Client):
        call = tool_use("Bash")
        text = "\x1b[1m" + "word " * 200_000 + "<b>last</b>"
        transcript = store(bob, user_line(), assistant_line(call), user_line(tool_result(call["id"], text)))
        page = read(transcript)
        assert len(page) < 60_000
        assert f'{address(transcript)}line/3/?entry=0">Show all' in page
        answer = reader.get(f"{address(transcript)}line/3/", {"entry": 0})
        shown = answer.getvalue().decode()
        assert shown == text.replace("\x1b", "␛")
        raw = reader.get(f"{address(transcript)}line/3/")
        assert json.loads(raw.getvalue())["message"]["content"][0]["content"] == text
        for it in (answer, raw):
            assert it["Content-Type"] == "text/plain; charset=utf-8"
            assert it["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in it["Content-Security-Policy"]

    def test_a_huge_line_is_not_held(self, bob: User, read: Read, reader: Client):
        huge = "x" * (LONGEST_READ + 1)
        transcript = store(bob, user_line("The start"), user_line(huge), user_line("The end"))
        assert "The start</pre>" in read(transcript, page=1)
        assert "A line that is too long to be shown" in read(transcript, page=2)
        assert "The end</pre>" in read(transcript, page=3)
        raw: Any = reader.get(f"{address(transcript)}line/2/")
        pieces = [len(piece) for piece in raw.streaming_content]
        assert sum(pieces) > LONGEST_READ
        assert max(pieces) < 1_000_000

    def test_an_endless_line_is_cut(self, bob: User, read: Read):
        """Each of its blocks would be an entry."""
        blocks = [{"type": "text", "text": f"Word {number}."} for number in range(50_000)]
        transcript = store(bob, user_line("The start"), assistant_line(blocks), user_line("The end"))
        page = read(transcript, page=2)
        assert page.count("<article") == LINE_ENTRIES + 1
        assert "Word 199." in page
        assert "Its raw text has all." in page
        assert "The end</pre>" in read(transcript, page=3)

    def test_many_small_blocks_fill_a_page(self, bob: User, read: Read):
        blocks = [{"type": "text", "text": "x"}] * 100
        transcript = store(bob, user_line(), *(assistant_line(blocks) for _ in range(25)))
        counts = [read(transcript, page=number).count("<article") for number in (1, 2, 3)]
        assert counts == [1001, 1000, 500]

    def test_what_stands_beside_a_title_is_cut(self, bob: User, read: Read):
        long = "x" * 100_000
        page = read(
            store(
                bob,
                user_line(f"[Request interrupted by user{long}]"),
                line("system", subtype=long, content="The subtype"),
                line("system", subtype="compact_boundary", compactMetadata={"trigger": long}),
                user_line("The end"),
                user_line([{"type": "image"}] * 10_000),
            )
        )
        assert "The end</pre>" in page
        assert "and 9980 more" in page
        assert len(page) < 60_000

    def test_lines_that_no_page_shows_are_not_read(self, bob: User, reader: Client):
        transcript = store(bob, user_line(), line("mode", uuid=None), user_line())
        for wrong in ("2", "4", "0", "99999999999999999999", "1/?entry=1", "1/?entry=-1"):
            where = wrong if "/" in wrong else f"{wrong}/"
            assert reader.get(f"{address(transcript)}line/{where}").status_code == 404, wrong

    @pytest.mark.parametrize("part", ["![", "> ", "|a|\n", "a\n\n"])
    def test_hostile_markdown_on_a_whole_page_comes_within_seconds(self, bob: User, read: Read, part: str):
        answer = part * (19_000 // len(part))
        transcript = store(bob, user_line(), *(assistant_line(answer) for _ in range(30)))
        began = process_time()
        read(transcript)
        assert process_time() - began < SECONDS

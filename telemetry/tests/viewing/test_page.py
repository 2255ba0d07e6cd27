"""A transcript's page as an admin opens it, of transcripts that were really uploaded."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import AuditLog, User
from telemetry.intake.storing import store_transcript
from telemetry.models import SessionTranscript, UsageSessionSummary
from telemetry.processors.runner import run
from telemetry.tests.builders import (
    Line,
    assistant_line,
    command_line,
    line,
    moment,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.tests.planting import plant_transcript, store
from telemetry.tests.viewing.conftest import Read, address
from telemetry.viewing import indexing

pytestmark = pytest.mark.django_db
AGENT = "a1b2c3"


def words(page: str) -> str:
    """The page without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def agent_line(text: str) -> Line:
    return assistant_line(text, agentId=AGENT, isSidechain=True)


class TestWhatPeopleRead:
    def test_a_conversation_with_its_calls(self, bob: User, read: Read):
        call = tool_use("Bash", command="make test", description="Run the tests")
        transcript = store(
            bob,
            user_line("Please **test** it", timestamp=moment(0)),
            assistant_line(call, timestamp=moment(1)),
            user_line(tool_result(call["id"], "Exit code 2\nboom", is_error=True), timestamp=moment(2)),
            assistant_line("It is **broken**.", timestamp=moment(3)),
        )
        page = read(transcript)
        assert "Please **test** it</pre>" in page
        assert "It is <strong>broken</strong>." in page
        folded = page[page.index("entry-call failed") :].split("</article>")[0]
        assert folded.index("<summary>") < folded.index("Run the tests") < folded.index("</summary>")
        assert '<span class="chip chip-bad">exit code</span>' in folded
        assert "command: make test" in folded
        assert "Exit code 2\nboom</pre>" in folded
        assert "Result without a call here" not in page
        assert "1 prompt, 1 tool call and 1 error" in page

    def test_results_stand_at_their_calls_in_any_order(self, bob: User, read: Read):
        first, second = tool_use("Read", path="/one"), tool_use("Read", path="/two")
        transcript = store(
            bob,
            user_line(),
            assistant_line(first),
            assistant_line(second),
            user_line(tool_result(second["id"], "of two")),
            user_line(tool_result(first["id"], "of one")),
            user_line(tool_result("toolu_gone", "of none")),
        )
        entries = read(transcript).split('<article class="entry ')
        assert "of one" in next(it for it in entries if "/one" in it)
        assert "of two" in next(it for it in entries if "/two" in it)
        assert "of none" in next(it for it in entries if "Result without a call here" in it)

    def test_everything_is_called_what_it_is(self, bob: User, read: Read):
        steering = {"type": "queued_command", "commandMode": "prompt", "prompt": "and this too"}
        transcript = store(
            bob,
            user_line("Hello<system-reminder>be nice</system-reminder>"),
            assistant_line({"type": "thinking", "thinking": "hmm"}),
            line("attachment", attachment=steering),
            user_line("[Request interrupted by user for tool use]"),
            line(
                "system", subtype="compact_boundary", compactMetadata={"trigger": "auto", "preTokens": 9000}
            ),
            user_line("What was said", isCompactSummary=True),
            command_line("review"),
            user_line("<local-command-stdout>ok then</local-command-stdout>"),
            user_line("Base directory for this skill: /x", isMeta=True),
            user_line("<task-notification>done</task-notification>"),
            line("system", subtype="api_error", retryAttempt=2, maxRetries=10),
            assistant_line("Rate limit", model="<synthetic>", isApiErrorMessage=True),
        )
        page = words(read(transcript))
        for title in (
            "Prompt", "The same with what Claude Code added", "Thinking", "Prompt, typed while Claude worked",
            "Interrupted by the person", "Compacted auto, 9 000 tokens before",
            "Summary of what was compacted", "Slash command /review", "Output of a command",
            "Put in by Claude Code", "Background task",
            "The API failed tried again, 2 of 10", "API error error",
        ):  # fmt: skip
            assert title in page, title
        assert "<local-command-stdout>" not in page
        assert "hmm</pre>" in read(transcript)

    def test_what_is_not_known_is_counted_and_shown(self, bob: User, read: Read):
        transcript = store(
            bob,
            user_line(),
            line("quantum", answer=42),
            line("quantum", answer=43),
            line("mode", mode="plan"),
            assistant_line({"type": "hologram", "beam": 7}),
            '{"type": "user", "broken',
            '{"type": "user", "unfin',
        )
        page = words(read(transcript))
        assert "unknown record type quantum : 2" in page
        assert "Unknown record type: quantum" in page
        assert "&quot;answer&quot;: 43" in page
        assert "Left out: 1 mode." in page
        assert "Unknown block type: hologram" in page
        assert "broken line" in page
        assert "A broken line" in page

    def test_a_line_that_is_still_written(self, bob: User, read: Read):
        content = transcript_bytes([user_line()]) + b'{"type": "user", "mess'
        page = read(store_transcript(bob, [content]).transcript)
        assert "An incomplete line: it was still being written" in page
        assert "The last line was still being written." in page
        assert "broken line" not in page

    def test_pictures_are_told_in_words(self, bob: User, read: Read):
        image = {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "A" * 160_000},
        }
        page = read(store(bob, user_line([{"type": "text", "text": "Look"}, image])))
        assert "image/png, 120 kB" in page
        assert "AAAA" not in page

    def test_parts_are_one_transcript(self, bob: User, read: Read):
        begin = user_line("The beginning", timestamp=moment(0))
        store(bob, begin, user_line("One way", timestamp=moment(1)))
        transcript = store(bob, begin, user_line("Another way", timestamp=moment(2)))
        page = read(transcript)
        assert page.count("The beginning</pre>") == 1
        assert "One way</pre>" in page
        assert "Another way</pre>" in page
        assert "1 repeated" in page


class TestTurns:
    def test_each_message_counts_once_with_its_last_line(self, bob: User, read: Read):
        usage = {"input_tokens": 10, "cache_read_input_tokens": 5000, "cache_creation_input_tokens": 70}
        transcript = store(
            bob,
            user_line("One"),
            assistant_line("a", message_id="m1", usage=usage | {"output_tokens": 1}),
            assistant_line("b", message_id="m1", usage=usage | {"output_tokens": 900}),
            assistant_line("c", message_id="m2", usage=usage | {"output_tokens": 100}),
            user_line("Two"),
            assistant_line("d", message_id="m3", usage=usage | {"output_tokens": 7}),
        )
        page = words(read(transcript))
        assert "Turn 1 · 2 messages · tokens: 20 in, 1.0 k out, 10.0 k cache read, 140 cache written" in page
        assert "Turn 2 · 1 message · tokens: 10 in, 7 out" in page

    def test_the_header_has_the_summary(self, bob: User, read: Read):
        transcript = store(bob, user_line(), assistant_line(tool_use("Bash")))
        assert "Not processed yet" in read(transcript)
        run("usage")
        page = words(read(transcript))
        assert "tool calls 1" in page
        assert "Not processed yet" not in page
        assert UsageSessionSummary.objects.get().output_tokens == 5
        assert "tokens out 5" in page


class TestSubagents:
    @pytest.fixture
    def main(self, bob: User) -> SessionTranscript:
        call = tool_use("Agent", subagent_type="Explore", prompt="Look around")
        answered = user_line(tool_result(call["id"], "Found it"), toolUseResult={"agentId": AGENT})
        return store(bob, user_line(), assistant_line(call), answered)

    def test_one_stands_under_its_call(self, main: SessionTranscript, bob: User, read: Read):
        agent = store(bob, user_line("Look", agentId=AGENT, isSidechain=True), agent_line("I look"))
        run("usage")
        page = read(main)
        nested = page[page.index('<div class="agent">') :]
        assert "I look" in nested
        assert address(agent) in nested
        targets = AuditLog.objects.filter(action="session.view").values_list("target", flat=True)
        assert sorted(targets) == sorted([main.audit_target, agent.audit_target])
        own = words(read(agent))
        assert "Prompt by an agent" in own
        assert f"of session {main.session_id[:39]}" in own.replace(" …", "")

    def test_one_that_is_called_again_stands_at_its_first_call(self, bob: User, read: Read):
        calls = [tool_use("Agent", prompt="First call"), tool_use("Agent", prompt="Second call")]
        lines = [user_line()]
        for call in calls:
            answered = user_line(tool_result(call["id"]), toolUseResult={"agentId": AGENT})
            lines += [assistant_line(call), answered]
        store(bob, agent_line("I look"))
        page = read(store(bob, *lines))
        assert page.count("I look") == 1
        assert page.index("First call") < page.index("I look") < page.index("Second call")

    def test_one_that_was_not_uploaded_is_told(self, main: SessionTranscript, read: Read):
        assert f"{AGENT} was not uploaded" in words(read(main)).replace("</code>", "")

    def test_other_peoples_are_not_shown(self, main: SessionTranscript, charlie: User, read: Read):
        store(charlie, user_line("Look", agentId=AGENT, isSidechain=True), agent_line("My secret"))
        assert "My secret" not in read(main)

    def test_a_long_one_goes_on_elsewhere(self, main: SessionTranscript, bob: User, read: Read):
        store(bob, *(agent_line(f"Step {number}.") for number in range(60)))
        page = read(main)
        assert "Step 39." in page
        assert "Step 40." not in page
        assert "It goes on, on its own page." in page


class TestPages:
    @pytest.fixture
    def long(self, bob: User, monkeypatch: pytest.MonkeyPatch) -> SessionTranscript:
        """A call on its first page, whose result comes on the third."""
        monkeypatch.setattr(indexing, "PAGE_LINES", 10)
        call = tool_use("Bash", id="toolu_slow", command="sleep 1000")
        lines = [user_line("Start", timestamp=moment(0)), assistant_line(call, timestamp=moment(1))]
        lines += [
            assistant_line(f"Word {number}.", message_id=f"w{number}", timestamp=moment(number + 2))
            for number in range(24)
        ]
        lines.append(user_line(tool_result("toolu_slow", "slept"), timestamp=moment(40)))
        return store(bob, *lines, user_line("End", timestamp=moment(41)))

    def test_each_has_its_lines_and_no_other(self, long: SessionTranscript, read: Read):
        pages = [read(long, page=number) for number in (1, 2, 3)]
        numbers = [[int(it) for it in re.findall(r"Word (\d+)\.", page)] for page in pages]
        assert numbers == [list(range(8)), list(range(8, 18)), list(range(18, 24))]
        assert "Page 2 of 3" in words(pages[1])

    def test_a_late_result_stands_at_its_call(self, long: SessionTranscript, read: Read):
        assert "slept</pre>" in read(long, page=1)
        assert "slept" not in read(long, page=3)

    def test_results_of_one_line_stand_at_their_calls_on_two_pages(
        self, bob: User, read: Read, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(indexing, "PAGE_LINES", 2)
        first, second = tool_use("Read"), tool_use("Read")
        results = [tool_result(first["id"], "of one"), tool_result(second["id"], "of two")]
        lines = [user_line(), assistant_line(first), assistant_line(second), user_line(results)]
        transcript = store(bob, *lines)
        pages = [read(transcript, page=number).split('<article class="entry ') for number in (1, 2)]
        calls = [next(it for it in page if it.startswith("entry-call")) for page in pages]
        assert ["of one" in calls[0], "of two" in calls[1]] == [True, True]
        assert "of two" not in "".join(pages[0])
        assert "of one" in next(it for it in pages[1] if "Result without a call here" in it)

    def test_a_turn_that_goes_on_says_where_it_began(self, long: SessionTranscript, read: Read):
        assert '<a href="?page=1#line-1">page 1</a>' in read(long, page=2)
        assert 'id="line-1"' in read(long, page=1)
        assert "Turn 1 · 25 messages" in words(read(long, page=1))

    def test_the_time_line_leads_to_pages(self, long: SessionTranscript, read: Read):
        page = read(long)
        assert '<a href="?page=3#line-28">page 3</a>' in page
        assert page.count('<rect class="prompts"') == 2

    @pytest.mark.parametrize("page", ["0", "4", "-1", "x", "²", "9" * 30, ""])
    def test_others_are_not_there(self, long: SessionTranscript, reader: Client, page: str):
        assert reader.get(address(long), {"page": page}).status_code == 404


class TestWhoMayRead:
    def test_every_opening_leaves_an_audit_row_without_content(
        self, bob: User, alice: User, read: Read, reader: Client
    ):
        transcript = store(bob, user_line("My secret"))
        read(transcript)
        reader.get(f"{address(transcript)}line/1/")
        rows = AuditLog.objects.filter(action="session.view").order_by("pk")
        assert [(it.actor, it.target, it.params) for it in rows] == [
            (alice.pk, transcript.audit_target, {"page": 1}),
            (alice.pk, transcript.audit_target, {"line": 1}),
        ]

    def test_to_look_at_the_list_is_not_enough(self, bob: User, dana: User, client: Client):
        transcript = store(bob, user_line())
        dana.user_permissions.add(Permission.objects.get(codename="view_sessiontranscript"))
        client.force_login(dana)
        assert client.get(address(transcript)).status_code == 404
        assert client.get(f"{address(transcript)}line/1/").status_code == 404
        detail = f"/admin/telemetry/sessiontranscript/{transcript.pk}/change/"
        assert address(transcript) not in client.get(detail).content.decode()
        dana.user_permissions.add(Permission.objects.get(codename="read_transcripts"))
        assert client.get(address(transcript)).status_code == 200
        assert address(transcript) in client.get(detail).content.decode()
        assert AuditLog.objects.filter(action="session.view").count() == 1

    @pytest.mark.parametrize("name", ["nothing.jsonl", "..", "%2e%2e%2fetc", "u1_%00.jsonl", "a%5Cb"])
    def test_names_are_looked_up(self, reader: Client, name: str):
        answer = reader.get(f"/admin/telemetry/sessiontranscript/{name}/read/")
        assert answer.status_code in (302, 400, 404)
        assert not AuditLog.objects.filter(action="session.view").exists()

    def test_it_is_only_read(self, bob: User, reader: Client):
        assert reader.post(address(store(bob, user_line()))).status_code == 405

    def test_a_lost_file_is_told_with_its_cure(self, bob: User, read: Read):
        page = words(read(plant_transcript(bob)))
        assert "is missing: upload the transcript again, or restore it from a backup." in page

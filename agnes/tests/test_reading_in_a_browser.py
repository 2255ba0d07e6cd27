"""A transcript's page as an admin reads it: in a real browser, under the strict policy."""

from typing import Any

import pytest

from accounts.models import User
from agnes.tests.test_csp import browser_page  # noqa: F401
from agnes.tests.test_look_in_a_browser import ENOUGH, FAINT, SIDEWAYS, SMALL, SMALLEST_TARGET
from agnes.tests.test_transcripts_in_a_browser import page  # noqa: F401
from telemetry.models import SessionTranscript
from telemetry.tests.builders import assistant_line, moment, tool_result, tool_use, user_line
from telemetry.tests.planting import plant_summary, store
from telemetry.tests.viewing.conftest import address
from telemetry.tests.viewing.test_hostile import MARKUP, everywhere

AGENT = "a1b2c3"


@pytest.fixture
def hostile(bob: User) -> SessionTranscript:
    wide = "x" * 3000
    lines = [*everywhere(MARKUP), *everywhere("\x1b[31m\u202e"), *everywhere(wide)]
    table = "|" + "wide column|" * 40 + "\n|" + "-|" * 40
    lines.append(assistant_line(f"# Heading\n\n{table}\n\n```\n{wide}\n```\n\n- one\n- two"))
    return store(bob, *(it | {"sessionId": "hostile"} if isinstance(it, dict) else it for it in lines))


@pytest.fixture
def conversation(bob: User) -> SessionTranscript:
    call = tool_use("Bash", command="make test", description="Run the tests")
    agent = tool_use("Agent", subagent_type="Explore", prompt="Look around")
    looked = user_line(
        tool_result(agent["id"], "Found"), timestamp=moment(400), toolUseResult={"agentId": AGENT}
    )
    store(
        bob,
        user_line("Look", agentId=AGENT, isSidechain=True),
        assistant_line("I see a tree.", agentId=AGENT, isSidechain=True),
    )
    transcript = store(
        bob,
        user_line("Why does the build fail?", timestamp=moment(0)),
        assistant_line({"type": "thinking", "thinking": "hmm"}, timestamp=moment(5)),
        assistant_line(call, timestamp=moment(9), message_id="m1"),
        user_line(tool_result(call["id"], "Exit code 2", is_error=True), timestamp=moment(60)),
        assistant_line(agent, timestamp=moment(90)),
        looked,
        assistant_line("Because of **one** test:\n\n```py\nassert False\n```", timestamp=moment(500)),
    )
    plant_summary(transcript, tool_calls=2, input_tokens=12_345, cwd="/srv/shop", primary_model="claude-test")
    return transcript


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestReadingInABrowser:
    def test_calls_and_subagents_unfold(self, page: Any, conversation: SessionTranscript):  # noqa: F811
        page.goto(f"/admin/telemetry/sessiontranscript/{conversation.pk}/change/")
        page.click(".object-tools >> text=Read")
        assert page.is_visible("text=Why does the build fail?")
        assert not page.is_visible("text=Exit code 2")
        page.focus(".entry-call summary >> nth=0")
        page.keyboard.press("Enter")
        assert page.is_visible("text=Exit code 2")
        assert not page.is_visible("text=I see a tree.")
        page.click(".agent summary")
        assert page.is_visible("text=I see a tree.")
        page.click(".own-page a")
        page.wait_for_url(f"**_{AGENT}.jsonl/read/")
        assert page.is_visible("text=I see a tree.")

    def test_the_time_line_leads_to_the_error(self, page: Any, conversation: SessionTranscript):  # noqa: F811
        page.goto(address(conversation))
        label = page.get_attribute(".timeline", "aria-label")
        assert label == "1 prompt, 2 tool calls and 1 error along the time of the session."
        page.click("text=The time line as a table")
        page.click(".scroll tr:has(td:nth-child(4):has-text('1')) a")
        assert page.url.endswith("#line-3")

    def test_hostile_content_is_inert(self, page: Any, hostile: SessionTranscript):  # noqa: F811
        page.on("dialog", lambda it: pytest.fail(it.message))
        requests: list[str] = []
        page.on("request", lambda it: requests.append(it.url))
        page.goto(address(hostile))
        page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true })")
        assert page.locator(".transcript script, .transcript style, .transcript img").count() == 0
        assert page.is_visible("text=The end")
        assert page.get_by_text("{U+202E}").count() > 5
        assert [it for it in requests if "/static/" not in it and not it.endswith("/read/")] == []
        raw = page.goto(f"{address(hostile)}line/2/")
        assert raw.headers["content-type"] == "text/plain; charset=utf-8"
        assert page.locator("script, img").count() == 0

    @pytest.mark.parametrize("width", [390, 1440])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_it_fits_the_screen(
        self,
        page: Any,  # noqa: F811
        conversation: SessionTranscript,
        hostile: SessionTranscript,
        width: int,
        scheme: str,
    ):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        for transcript in (conversation, hostile):
            page.goto(address(transcript))
            page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true })")
            assert not page.evaluate(SIDEWAYS)
            assert page.evaluate(FAINT, ENOUGH) == []
            assert page.evaluate(SMALL, SMALLEST_TARGET) == []

"""The Ask page in a real browser."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agnes.tests.test_csp import browser_page as browser_page
from agnes.tests.test_look_in_a_browser import ENOUGH, FAINT, SCHEMES, SIDEWAYS, SMALL, SMALLEST_TARGET
from telemetry.tests.ask.conftest import lake as lake
from telemetry.tests.ask.conftest import lake_files as lake_files
from telemetry.tests.ask.conftest import server as server
from telemetry.tests.ask.messages_api import Say, Server

URL = "/admin/telemetry/usageevent/ask/"
AT = datetime(2026, 5, 1, tzinfo=UTC)
EVENTS = [
    {"id": f"{number}", "occurred_at": AT + timedelta(hours=7 * number), "tool_name": tool}
    for number, tool in enumerate(["Bash"] * 9 + ["Read"] * 5 + ["mcp__a_server_with_a_long_name__a_tool"])
]
BY_TOOL = "SELECT tool_name, count(*) AS n FROM usage_events GROUP BY 1 ORDER BY n DESC"
BY_DAY = "SELECT occurred_at::DATE AS day, count(*) AS n FROM usage_events GROUP BY 1 ORDER BY 1"
WIDE = "SELECT * FROM usage_events"
WIDTHS = (1440, 768, 390)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestTheAskPage:
    def test_it_can_be_read_and_used_on_every_screen(
        self,
        browser_page: Any,
        lake: Path,
        server: Server,
    ) -> None:
        page, broken = browser_page, {}
        complaints: list[str] = []
        page.on("console", lambda it: complaints.append(it.text) if it.type == "error" else None)
        for name, sql in {"tools": BY_TOOL, "days": BY_DAY, "wide": WIDE}.items():
            server.says = [Say(sql)]
            page.goto(URL)
            page.fill("textarea", "Které nástroje se používají nejvíc?")
            page.click("input[value=Ask]")
            for details in page.locator("details").all():
                details.evaluate("it => it.open = true")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                found = {
                    "scrolls sideways": page.evaluate(SIDEWAYS),
                    "has small targets": page.evaluate(SMALL, SMALLEST_TARGET),
                }
                broken.update({f"{width} {name} {what}": it for what, it in found.items() if it})
                _keep(page, f"ask-{name}-{width}")
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                # Colours change over a moment.
                page.wait_for_timeout(600)
                if faint := page.evaluate(FAINT, ENOUGH):
                    broken[f"{scheme} {name} is faint"] = faint
                _keep(page, f"ask-{name}-{scheme}")
            page.emulate_media(color_scheme="light")
        assert not broken
        assert not complaints

    def test_it_works_without_scripts(
        self,
        browser_page: Any,
        lake: Path,
        server: Server,
    ) -> None:
        context = browser_page.context.browser.new_context(java_script_enabled=False)
        context.add_cookies(browser_page.context.cookies())
        page = context.new_page()
        server.says = [Say(BY_TOOL)]
        browser_page.goto(URL)
        page.goto(browser_page.url)
        page.fill("textarea", "Which tools?")
        page.click("input[value=Ask]")
        assert page.locator(".bars svg").count() == 3
        with page.expect_download() as download:
            page.click(".answer >> text=Download CSV")
        assert download.value.path().read_text().splitlines()[1] == "Bash,9"
        page.click(".earlier summary >> text=Which tools?")
        page.click(".earlier button >> text=Delete >> nth=0")
        assert "None yet" in page.text_content(".earlier")


def _keep(page: Any, name: str) -> None:
    """For who wants to look: SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)

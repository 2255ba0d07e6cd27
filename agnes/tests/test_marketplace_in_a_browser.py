"""The marketplace's pages in a real browser: seen, reached by keyboard, and used without scripts."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from agnes.tests.test_csp import browser_page  # noqa: F401
from agnes.tests.test_look_in_a_browser import (
    ENOUGH,
    FAINT,
    SCHEMES,
    SIDEWAYS,
    SMALL,
    SMALLEST_TARGET,
    WIDTHS,
)
from marketplace.catalogue.registering import add_marketplace, read_location
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.tests.planting import use, use_component, use_on
from marketplace.tests.repositories import Repository, entry, marketplace, plugin
from telemetry.days import today
from telemetry.models import PublishingState

LIST = "/marketplace/"
KIT = "/marketplace/curated/kits/kit/"
ADDRESSES = [
    LIST,
    f"{LIST}?q=nothing",
    f"{LIST}?q=longer",
    f"{LIST}?source=flea",
    f"{LIST}?sort=nonsense",
    KIT,
    "/marketplace/curated/kits/far/",
    "/marketplace/curated/kits/broken/",
]
LONG = "a-name-that-is-longer-than-anybody-would-choose-" * 3
README = f"# Kit\n\n[docs](https://example.com) ![a picture](x.png)\n\n```\n{LONG * 3}\n```\n\n> Quoted\n"
SMALL_LINKS = """
(smallest) => [...document.querySelectorAll("nav a, .back, .clear, .paging a")]
  .map((it) => [it.textContent.trim(), it.getBoundingClientRect().height])
  .filter(([, height]) => height < smallest)
"""
OUTLINE = """
() => {
  const element = document.activeElement;
  return [getComputedStyle(element), getComputedStyle(element, "::after")]
    .some((it) => it.outlineStyle === "solid");
}
"""


def plant_world(folder: Path) -> None:
    """Every kind of plugin, and a use of some of them."""
    repository = Repository(folder)
    manifest = {
        "version": "1.2.0",
        "mcpServers": {"db": {"command": "db", "args": ["--all", LONG]}},
        "hooks": {"Stop": [{"hooks": [{"type": "command", "command": f"./stop.sh {LONG}"}]}]},
    }
    inside: dict[str, Any] = {"skills": {"rows": "rows", LONG[:60]: ""}, "commands": ["run"], "agents": ["a"]}
    files = plugin("kit", manifest=manifest, more={"README.md": README}, **inside)
    files |= plugin("broken", manifest={"commands": "../x"}) | plugin(LONG, skills={"x": "x"})
    far = entry("far", {"source": "github", "repo": "acme/far"})
    entries = [entry("kit", description="Counts rows. " * 20), far, entry("broken"), entry(LONG)]
    repository.commit(files | marketplace(*entries))
    sync_marketplace(add_marketplace(read_location(repository.url), slug="kits"))
    PublishingState.objects.update_or_create(pk=1, defaults={"as_of": timezone.now(), "windows_day": today()})
    use("kits/kit", 12_345, people=4, previous=10_000)
    use(f"kits/{LONG}", 3)
    use_on(20, "kits/kit", 9_000, errors=40)
    use_component(0, "kits/kit", "skill", "kit:rows", 12_345, errors=3)
    use_component(0, "kits/kit", "", "", 4)


@pytest.fixture
def page(tmp_path: Path, browser_page: Any) -> Any:  # noqa: F811
    plant_world(tmp_path / "kits")
    return browser_page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestTheMarketplace:
    def test_every_page_can_be_read_and_used_on_every_screen(self, page: Any):
        broken: dict[str, object] = {}
        complaints: list[str] = []
        page.on("console", lambda it: complaints.append(it.text) if it.type == "error" else None)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for address in ADDRESSES:
                assert page.goto(address).status == 200
                found = {
                    "scrolls sideways": page.evaluate(SIDEWAYS),
                    "has small targets": page.evaluate(SMALL, SMALLEST_TARGET)
                    + page.evaluate(SMALL_LINKS, SMALLEST_TARGET),
                }
                broken.update({f"{width} {address} {what}": it for what, it in found.items() if it})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for address in ADDRESSES:
                page.goto(address)
                if found := page.evaluate(FAINT, ENOUGH):
                    broken[f"{scheme} {address} is faint"] = found
        assert not broken
        assert not complaints

    def test_the_keyboard_reaches_everything_and_shows_where_it_is(self, page: Any):
        for address in (LIST, KIT):
            page.goto(address)
            wanted = page.locator("a[href], button:visible, input:visible, select, summary").count()
            reached = set()
            for _ in range(wanted + 20):
                page.keyboard.press("Tab")
                if page.evaluate("document.activeElement === document.body"):
                    break
                reached.add(page.evaluate("document.activeElement.outerHTML"))
                assert page.evaluate(OUTLINE), page.evaluate("document.activeElement.outerHTML")
            assert len(reached) > 10

    def test_a_search_by_keyboard_leads_to_a_plugin(self, page: Any):
        page.goto(LIST)
        page.focus("[name=q]")
        page.keyboard.type("rows")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=rows*")
        assert page.locator(".card").count() == 1
        page.focus(".card a")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{KIT}")
        assert page.text_content("h1") == "kit"

    def test_a_card_is_a_link_and_its_button_is_not(self, page: Any):
        page.goto(f"{LIST}?q=rows")
        page.click(".card button:has-text('Add')")
        page.wait_for_url("**/marketplace/?q=rows#item-*")
        page.click(".card button:has-text('Remove')")
        page.wait_for_selector(".card button:has-text('Add')")
        page.click(".card", position={"x": 20, "y": 60})
        page.wait_for_url(f"**{KIT}")

    def test_an_identifier_is_copied(self, page: Any):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(KIT)
        page.click("tr:has-text('kit:rows') button")
        assert page.evaluate("navigator.clipboard.readText()") == "kit:rows"
        assert page.text_content("tr:has-text('kit:rows') button") == "Copied"

    def test_it_works_without_scripts(self, page: Any):
        page.goto(LIST)
        context = page.context.browser.new_context(java_script_enabled=False)
        context.add_cookies(page.context.cookies())
        plain = context.new_page()
        plain.goto(page.url)
        plain.select_option("[name=kind]", "agent")
        plain.click("form.filters button")
        assert "kind=agent" in plain.url
        assert plain.locator(".card").count() == 1
        plain.click(".card a")
        assert not plain.is_visible("button[data-copy]")
        assert not plain.is_visible("text=Day (UTC)")
        plain.click("summary")
        assert plain.is_visible("text=Day (UTC)")
        plain.click("text=Sign out")
        assert "/admin/login/" in plain.url
        context.close()

"""axe-core finds no serious fault on any page, on a phone and a large screen, in light and dark."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command

from agnes.tests.looked_at import pages
from agnes.tests.test_csp import browser_page  # noqa: F401
from agnes.tests.test_look_in_a_browser import SCHEMES, SIDEWAYS, WIDTHS

# Which rules: those of WCAG 2.2 A and AA.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
    "preload": False,
}
SERIOUS = ("serious", "critical")
# Made by a script of Django's admin, where many are chosen of a list.
NOT_OURS = {"exclude": [[".search-label-icon"]]}
# Colours on their way from one scheme to the other are nobody's.
SETTLED = "Promise.all(document.getAnimations().map((it) => it.finished)).then(() => null)"


def faults(page: Any) -> list[str]:
    page.evaluate(SETTLED)
    found = Axe().run(page, context=NOT_OURS, options=RULES).response["violations"]
    return [
        f"{it['id']} ({it['impact']}): {it['help']}: {node['html'][:150]}"
        for it in found
        if it["impact"] in SERIOUS
        for node in it["nodes"][:3]
    ]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestEveryPage:
    @pytest.fixture
    def demo(self, transactional_db: None) -> None:
        call_command("demo", force=True, verbosity=0)

    def test_it_has_no_serious_fault(self, demo: None, browser_page: Any):  # noqa: F811
        page, broken = browser_page, {}
        complaints: list[str] = []
        page.on("console", lambda it: complaints.append(it.text) if it.type == "error" else None)
        page.on("pageerror", lambda it: complaints.append(str(it)))
        for address in pages():
            page.goto(address)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                for scheme in SCHEMES:
                    page.emulate_media(color_scheme=scheme)
                    found = [*faults(page), *complaints, *["scrolls sideways"] * page.evaluate(SIDEWAYS)]
                    if found:
                        broken[f"{address} {width} {scheme}"] = found
                    complaints.clear()
        assert not broken

    def test_a_fault_is_found(self, browser_page: Any):  # noqa: F811
        browser_page.set_content('<html lang="en"><title>x</title><img src="data:,"><main><h1>x</h1></main>')
        assert "image-alt" in faults(browser_page)[0]

"""What the look promises, measured in a real browser over the demo world."""

from typing import Any

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.urls import reverse

from accounts import tokens
from accounts.models import Scope, User
from agnes.tests.test_csp import browser_page  # noqa: F401
from telemetry.models import SessionTranscript, UsageSessionSummary
from telemetry.tests.planting import plant_event, plant_transcript

EVENTS = "/admin/telemetry/usageevent/"
WIDTHS = (1440, 390)
SCHEMES = ("light", "dark")
ENOUGH = 4.5
SMALLEST_TARGET = 32

# Every text's contrast with what is painted behind it, as WCAG 2 computes it; the worst of each kind.
FAINT = """
(enough) => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const paint = (colour, below) => {
    canvas.fillStyle = `rgb(${below.join()})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const background = (element) => {
    const below = element.parentElement ? background(element.parentElement) : [255, 255, 255];
    return paint(getComputedStyle(element).backgroundColor, below);
  };
  const luminance = (colour) => colour.map((it) => it / 255)
    .map((it) => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4)
    .reduce((sum, it, i) => sum + it * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (element) => {
    const behind = background(element);
    const [a, b] = [paint(getComputedStyle(element).color, behind), behind].map(luminance);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const text = (it) => (it.value || it.textContent).trim();
  const texts = "a, button, input[type=submit], summary, label, .chip, th, td, p, h1, h2";
  return [...document.querySelectorAll(texts)]
    .filter((it) => !it.disabled && it.checkVisibility({visibilityProperty: true}))
    .filter((it) => text(it) && it.getBoundingClientRect().width > 1)
    .map((it) => [text(it).slice(0, 40), Math.round(contrast(it) * 100) / 100])
    .filter(([, ratio]) => ratio < enough);
}
"""
SMALL = """
(smallest) => [
    "button", "summary", "select", "input:not([type=hidden], [type=checkbox])", ".object-tools a",
    ".submit-row a", ".paginator a", "#changelist-filter a", "#nav-sidebar a", "#result_list a",
  ].flatMap((it) => [...document.querySelectorAll(it)])
  .filter((it) => it.checkVisibility({visibilityProperty: true}))
  .map((it) => [it.textContent.trim() || it.id || it.name, Math.round(it.getBoundingClientRect().height)])
  .filter(([, height]) => height && height < smallest)
"""
SIDEWAYS = "document.documentElement.scrollWidth > window.innerWidth"
HIDDEN_COLUMNS = """
() => [...document.querySelectorAll(".results")]
  .filter((it) => it.scrollWidth > it.clientWidth).length
"""


def some_of_every_kind() -> list[str]:
    """Read-only and not, empty and filtered to nothing, with a form and with nothing but an error."""
    token, _plain = tokens.issue(User.objects.earliest("pk"), name="laptop", scopes=[Scope.UPLOAD])
    summary, transcript = UsageSessionSummary.objects.latest("pk"), SessionTranscript.objects.latest("pk")
    return [
        "/admin/",
        "/admin/login/",
        "/nothing",
        "/api/docs",
        EVENTS,
        f"{EVENTS}?q=nothing",
        "/admin/telemetry/sessiontranscript/?usage=done",
        "/admin/django_q/failure/",
        f"/admin/telemetry/usagesessionsummary/{summary.pk}/change/",
        f"/admin/telemetry/sessiontranscript/{transcript.pk}/change/",
        f"/admin/telemetry/sessiontranscript/{transcript.session_file}/read/",
        "/admin/telemetry/session/?errors=on&model=nothing",
        f"/admin/accounts/accesstoken/{token.pk}/change/",
        "/admin/accounts/accesstoken/add/",
        "/admin/accounts/user/",
        f"/admin/accounts/user/{token.user_id}/change/",
    ]


def changelists() -> list[str]:
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    ]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestTheDemo:
    """One walk, because the demo takes seconds to make."""

    def test_every_page_can_be_read_and_used_on_every_screen(self, demo: None, browser_page: Any):  # noqa: F811
        page, broken = browser_page, {}
        some = some_of_every_kind()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for address in [*changelists(), *some]:
                page.goto(address)
                found = {
                    "scrolls sideways": page.evaluate(SIDEWAYS),
                    "hides columns": width == WIDTHS[0] and page.evaluate(HIDDEN_COLUMNS),
                    "has small targets": page.evaluate(SMALL, SMALLEST_TARGET),
                }
                broken.update({f"{width} {address} {what}": it for what, it in found.items() if it})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for address in some:
                page.goto(address)
                if found := page.evaluate(FAINT, ENOUGH):
                    broken[f"{scheme} {address} is faint"] = found
        assert not broken

    @pytest.fixture
    def demo(self, transactional_db: None) -> None:
        call_command("demo", force=True, verbosity=0)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestAList:
    @pytest.fixture
    def page(self, bob: User, browser_page: Any) -> Any:  # noqa: F811
        transcript = plant_transcript(bob)
        plant_event(transcript, "tool")
        plant_event(transcript, "command", event_type="slash_command", command_name="go")
        browser_page.goto(EVENTS)
        return browser_page

    def test_the_focus_is_seen(self, page: Any):
        for selector in ("#searchbar", "#changelist-filter summary", "#result_list tbody a"):
            page.locator(selector).first.focus()
            page.keyboard.press("Shift+Tab")
            page.keyboard.press("Tab")
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style == "solid", selector

    @pytest.mark.parametrize("width", WIDTHS)
    def test_an_open_filter_is_as_wide_as_the_list(self, page: Any, width: int):
        page.set_viewport_size({"width": width, "height": 900})
        for summary in page.locator("#changelist-filter summary").all():
            summary.click()
            filter_box = page.locator("#changelist-filter details[open]").bounding_box()
            list_box = page.locator("#changelist .results").bounding_box()
            assert (filter_box["x"], filter_box["width"]) == (list_box["x"], list_box["width"])
            assert not page.evaluate(SIDEWAYS)

    def test_filters_open_one_at_a_time_and_fold_again(self, page: Any):
        opened = page.locator("#changelist-filter details[open]")
        for summary in page.locator("#changelist-filter summary").all():
            summary.click()
            assert opened.count() == 1
        page.click("text=Last 30 days")
        page.wait_for_url("**since=*")
        assert opened.count() == 0
        assert "Last 30 days" in page.text_content("#changelist-filter .chosen")

    def test_it_works_without_scripts(self, page: Any):
        context = page.context.browser.new_context(java_script_enabled=False)
        context.add_cookies(page.context.cookies())
        plain = context.new_page()
        plain.goto(page.url)
        plain.click("#changelist-filter summary >> nth=0")
        plain.click("#changelist-filter >> text=slash command")
        assert "event_type=slash_command" in plain.url
        assert plain.locator("#result_list tbody tr").count() == 1

"""The admin's transcripts as an operator uses them: in a real browser, under the strict policy."""

from typing import Any

import pytest

from accounts.models import User
from agnes.tests.test_csp import browser_page  # noqa: F401
from telemetry.models import SessionTranscript
from telemetry.tests.planting import plant_state, plant_transcript

LIST = "/admin/telemetry/sessiontranscript/"


@pytest.fixture
def page(browser_page: Any) -> Any:  # noqa: F811
    """Fails the test that made the browser complain."""
    complaints: list[str] = []
    browser_page.on("console", lambda it: complaints.append(it.text) if it.type == "error" else None)
    browser_page.on("pageerror", lambda it: complaints.append(str(it)))
    yield browser_page
    assert complaints == []


@pytest.fixture
def given_up(bob: User) -> SessionTranscript:
    transcript = plant_transcript(bob, "hopeless")
    long_error = "MemoryError: " + "x" * 2000
    for name in ("usage", "verification"):
        plant_state(transcript, name, processed_at=None, attempts=3, last_error=long_error)
    plant_state(plant_transcript(bob, "well"))
    return transcript


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestTranscriptsInABrowser:
    def test_what_was_given_up_is_found_and_processed_again(self, page: Any, given_up: SessionTranscript):
        page.goto(LIST)
        page.click("#changelist-filter summary >> nth=0")
        page.click("#changelist-filter details[open] >> text=given up")
        page.wait_for_url("**usage=given_up")
        assert page.locator("#result_list tbody tr").count() == 1
        page.check("#result_list tbody input[type=checkbox]")
        page.select_option("select[name=action]", label="Process again")
        page.click("button[name=index]")
        page.wait_for_selector(".messagelist")
        assert "1 transcript waits to be processed again." in page.text_content(".messagelist")
        assert SessionTranscript.objects.pending("usage").filter(pk=given_up.pk).exists()

    def test_the_button_of_the_detail_page_works(self, page: Any, given_up: SessionTranscript):
        page.goto(f"{LIST}{given_up.pk}/change/")
        assert page.locator("text=given up").count() == 2
        page.click("text=Process again")
        page.wait_for_selector(".messagelist")
        assert page.url.endswith(f"{LIST}{given_up.pk}/change/")
        assert page.locator(".chip:has-text('waiting')").count() == 2

    @pytest.mark.parametrize("width", [390, 1440])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_it_fits_the_screen(self, page: Any, given_up: SessionTranscript, width: int, scheme: str):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        for address in (LIST, f"{LIST}{given_up.pk}/change/", "/admin/telemetry/verificationfinding/"):
            page.goto(address)
            assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), address

    def test_the_days_are_chosen_in_their_form(self, page: Any, given_up: SessionTranscript):
        page.goto(f"{LIST}?person={given_up.owner_id}")
        page.click("#changelist-filter summary:has-text('Days')")
        page.fill("input[name=until]", "2020-01-01")
        page.click(".days input[type=submit]")
        page.wait_for_url("**until=2020-01-01*")
        assert f"person={given_up.owner_id}" in page.url
        assert page.locator("#result_list").count() == 0

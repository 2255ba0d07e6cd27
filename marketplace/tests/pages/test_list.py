"""The list of the marketplace, as a browser asks for it."""

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from conftest import PASSWORD
from marketplace.models import StackItem
from marketplace.pages.addresses import CARDS
from marketplace.tests.planting import use, use_on

pytestmark = pytest.mark.django_db
POPULAR = "Most popular — last 30 days"
MOST_QUERIES = 9


@pytest.fixture
def browser(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def shown(client: Client, address: str = "/marketplace/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<(title|style).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def titles(page: str) -> list[str]:
    return re.findall(r'<h3><a href="[^"]+">(.*?)</a>', page)


def listed(page: str) -> list[str]:
    """Without the most popular ones above."""
    return titles(page[page.index('id="found"') :])


class TestTheDoor:
    def test_who_is_not_signed_in_comes_back_after_signing_in(self, client: Client, bob: User):
        there = "/marketplace/?sort=name"
        answer = client.get(there)
        form = {"username": bob.email, "password": PASSWORD, "next": there}
        assert answer["Location"].startswith("/admin/login/?next=")
        assert client.post(answer["Location"], form)["Location"] == there
        assert client.get(there).status_code == 200

    def test_the_first_page_leads_there(self, browser: Client):
        assert browser.get("/")["Location"] == "/marketplace/"

    def test_staff_find_the_admin(self, browser: Client, dana: User):
        assert 'href="/admin/"' not in shown(browser)
        browser.force_login(dana)
        assert 'href="/admin/"' in shown(browser)

    def test_people_who_are_not_staff_sign_out_too(self, browser: Client):
        assert browser.post("/sign-out/", follow=True).redirect_chain[-1][0].startswith("/admin/login/")
        assert browser.get("/marketplace/").status_code == 302


class TestCards:
    def test_a_card_says_what_it_is_and_how_it_is_used(self, browser: Client, plant: Any):
        plant("kits/tidy", skill=["sweep", "dust"], hook=["Stop"], description="Cleans up.")
        use("kits/tidy", 12_345, people=4, previous=10_000)
        text = text_of(shown(browser))
        for words in (
            "tidy",
            "Curated",
            "Cleans up.",
            "2 skills · 1 hook",
            "12.3 k",
            "4 people",
            "+23.5 %",
        ):
            assert words in text
        assert 'title="12\u2009345"' in shown(browser)

    def test_a_sparkline_has_thirty_bars_and_says_them_in_words(self, browser: Client, plant: Any):
        plant("kits/tidy")
        use("kits/tidy", 5)
        use_on(29, "kits/tidy", 7)
        page = listed_part(shown(browser))
        assert '<path class="day" d="M0 ' in page
        assert '<path class="today" d="M116 ' in page
        assert "12 invocations in 30 days, on 2 days; at most 7 a day, today so far 5." in page

    def test_a_search_names_the_part_that_was_found(self, browser: Client, plant: Any):
        plant("kits/pdf", skill=["extract", "merge"])
        assert "Matches skill pdf:extract 2" not in text_of(shown(browser))
        assert "Matches skill pdf:extract Not used yet." in text_of(shown(browser, "/marketplace/?q=extract"))

    def test_without_enough_to_compare_it_is_new(self, browser: Client, plant: Any):
        plant("kits/tidy")
        use("kits/tidy", 5, previous=4)
        page = text_of(listed_part(shown(browser)))
        assert "new" in page
        assert "%" not in page

    def test_what_is_not_used_is_told_in_words(self, browser: Client, plant: Any):
        plant("kits/never")
        plant("kits/before")
        use("kits/before", 0, previous=9)
        text = text_of(shown(browser))
        assert "Not used yet." in text
        assert "Not used in the last 30 days." in text

    def test_what_no_session_names_is_not_called_unused(self, browser: Client, plant: Any):
        plant("kits/guard", hook=["Stop"])
        for address in ("/marketplace/", "/marketplace/curated/kits/guard/"):
            text = text_of(shown(browser, address))
            assert "Its use is not counted: sessions do not name what it brings." in text
            assert "Not used yet." not in text

    def test_what_is_hosted_elsewhere_has_unknown_contents(self, browser: Client, plant: Any):
        plant("kits/far", components_known=False)
        assert "what it brings is not known" in text_of(shown(browser))

    def test_strangers_text_is_only_text(self, browser: Client, plant: Any):
        plant("kits/x", display_name="<script>alert(1)</script>", description='"><img src=x onerror=y>')
        page = shown(browser)
        assert "<script>alert" not in page
        assert "<img src=x" not in page


class TestOnesStack:
    def press(self, browser: Client, page: str, button: str) -> str:
        """Press the button of the card below the list's heading; the address of the page that follows."""
        form = re.search(
            rf'<form class="choose" [^>]*action="([^"]+)">(.*?)<button[^>]*>{button}', page, re.DOTALL
        )
        assert form
        said = dict(re.findall(r'name="(\w+)" value="([^"]*)"', html.unescape(form[2])))
        answer = browser.post(form[1], said)
        assert answer.status_code == 302
        return str(answer["Location"])

    def test_a_card_adds_and_removes(self, browser: Client, plant: Any, bob: User):
        tidy = plant("kits/tidy", skill=["sweep"])
        address = "/marketplace/?q=tidy&sort=name"
        there = self.press(browser, shown(browser, address), "Add")
        assert there == f"{address}#item-{tidy.pk}"
        assert StackItem.objects.filter(user=bob, plugin=tidy).exists()
        page = shown(browser, address)
        assert "In my stack" in page
        assert "It is in your stack." in page
        assert self.press(browser, page, "Remove") == there
        assert not StackItem.objects.exists()
        assert "In my stack" not in shown(browser, address)

    def test_what_is_in_anothers_is_not_in_ones_own(self, browser: Client, plant: Any, charlie: User):
        StackItem.objects.create(user=charlie, plugin=plant("kits/tidy"))
        assert "In my stack" not in shown(browser)

    def test_why_not_stands_at_the_top(self, browser: Client, plant: Any):
        plant("kits/runs", source_kind="command")
        there = self.press(browser, shown(browser), "Add")
        assert there == "/marketplace/"
        assert "which Agnes does not pass on" in text_of(shown(browser, there))

    def test_what_does_not_load_is_not_offered(self, browser: Client, plant: Any):
        plant("kits/broken", does_not_load="its manifest is broken")
        assert 'class="choose"' not in shown(browser)


def listed_part(page: str) -> str:
    return page[page.index('id="found"') :]


class TestMostPopular:
    def test_the_eight_most_used_stand_above(self, browser: Client, plant: Any):
        for number in range(1, 10):
            plant(f"kits/n{number}")
            use(f"kits/n{number}", number)
        page = shown(browser, "/marketplace/?sort=name")
        above = page[: page.index('id="found"')]
        assert titles(above) == [f"n{number}" for number in range(9, 1, -1)]
        assert POPULAR in page

    def test_it_is_hidden_when_nothing_was_used(self, browser: Client, plant: Any):
        plant("kits/tidy")
        use("kits/tidy", 0, previous=9)
        assert POPULAR not in shown(browser)

    def test_it_holds_for_the_tab(self, browser: Client, plant: Any):
        plant("kits/tidy")
        use("kits/tidy", 5)
        assert POPULAR in shown(browser, "/marketplace/?source=curated")
        assert POPULAR not in shown(browser, "/marketplace/?source=flea")


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("", ["alpha", "beta", "gamma"]),
            ("q=Sweeps", ["alpha"]),
            ("q=dust", ["beta"]),
            ("marketplace=more", ["gamma"]),
            ("kind=agent", ["gamma"]),
            ("category=data", ["beta", "gamma"]),
            ("category=data&marketplace=kits", ["beta"]),
            ("source=flea", []),
            ("sort=nonsense&q=dust", ["beta"]),
        ],
    )
    def test_each_narrows_the_list(self, browser: Client, plant: Any, query: str, names: list[str]):
        plant("kits/alpha", description="Sweeps.", category="home")
        plant("kits/beta", skill=["dust"], category="data")
        plant("more/gamma", agent=["helper"], category="data")
        use("kits/alpha", 9)
        page = shown(browser, f"/marketplace/?{query}")
        assert listed(page) == names

    def test_the_address_holds_them_all(self, browser: Client, plant: Any):
        for number in range(CARDS + 1):
            plant(f"kits/n{number:02}", skill=["s"], category="data")
        query = "q=n&marketplace=kits&kind=skill&category=data&sort=name"
        page = shown(browser, f"/marketplace/?{query}")
        assert len(listed(page)) == CARDS
        following = re.search(r'rel="next" href="([^"]+)"', page)
        assert following
        address = following[1].replace("&amp;", "&")
        assert address == f"/marketplace/?{query}&page=2"
        last = shown(browser, address)
        assert listed(last) == [f"n{CARDS:02}"]
        assert 'rel="next"' not in last
        assert 'value="data" selected' in last

    @pytest.mark.parametrize(
        "query",
        ["page=99999999999", "page=-1", "page=x", "q=%00", "kind=%00", "sort=", "q=" + "x" * 999],
    )
    def test_nonsense_is_left_out(self, browser: Client, plant: Any, query: str):
        plant("kits/tidy")
        shown(browser, f"/marketplace/?{query}")

    def test_it_says_what_it_left_out(self, browser: Client, plant: Any):
        plant("kits/tidy")
        assert "The filter sort was left out" in text_of(shown(browser, "/marketplace/?sort=nonsense"))


class TestNothing:
    def test_without_any_the_reader_is_told_who_can_help(self, browser: Client, alice: User):
        assert "An admin of this server can add a marketplace" in shown(browser)
        browser.force_login(alice)
        page = shown(browser)
        assert "manage.py marketplace_add URL" in page
        assert 'href="/admin/marketplace/marketplace/add/"' in page

    def test_filtered_to_nothing_leads_back(self, browser: Client, plant: Any):
        plant("kits/tidy")
        page = shown(browser, "/marketplace/?source=curated&q=nothing&sort=name")
        assert "No plugin fits these filters." in page
        assert 'href="/marketplace/?source=curated&amp;sort=name"' in page

    def test_a_page_too_far_leads_to_the_first(self, browser: Client, plant: Any):
        plant("kits/tidy")
        page = shown(browser, "/marketplace/?page=9")
        assert "The list is not that long." in page


def test_it_asks_the_database_a_few_times_whatever_there_is(browser: Client, plant: Any):
    for number in range(40):
        plant(f"kits/n{number}", skill=["a", "b"])
        use(f"kits/n{number}", number)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        shown(browser, "/marketplace/?q=n&kind=skill")
    assert len(queries) <= MOST_QUERIES

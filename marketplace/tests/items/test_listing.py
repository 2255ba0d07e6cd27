"""The list of items, through the one function that pages and the API use."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from marketplace.items.listing import Listing, list_items
from marketplace.items.query import ItemQuery, Sort, read_query
from marketplace.models import Marketplace, Plugin
from marketplace.tests.planting import use, use_on
from telemetry.days import today

pytestmark = pytest.mark.django_db


def names(listing: Listing) -> list[str]:
    return [item.name for item in listing.items]


def found(user: User, **filters: str) -> list[str]:
    return names(list_items(user, read_query({"sort": "name", **filters})))


class TestFigures:
    def test_an_item_carries_its_figures(self, plant: Any, bob: User):
        plant("kits/tidy", skill=["sweep", "dust"], command=["clean"], display_name="Tidy up")
        use("kits/tidy", 30, people=4, previous=20)
        use_on(29, "kits/tidy", 7)
        use_on(30, "kits/tidy", 1000)
        [item] = list_items(bob, ItemQuery()).items
        assert (item.source, item.ref_id, item.title) == ("curated", "kits/tidy", "Tidy up")
        assert (item.invocations_30d, item.unique_users_30d, item.previous_invocations_30d) == (30, 4, 20)
        assert item.trend_pct == 50.0
        assert item.daily == [7, *[0] * 28, 30]
        assert item.kinds == {"skill": 2, "command": 1}

    @pytest.mark.parametrize(
        ("now", "previous", "trend"),
        [(5, 4, None), (0, 0, None), (5, 5, 0.0), (0, 5, -100.0), (17, 16, 6.3), (1, 7, -85.7), (7, 6, 16.7)],
    )
    def test_the_trend_has_one_decimal_and_needs_something_to_compare(
        self, plant: Any, bob: User, now: int, previous: int, trend: float | None
    ):
        plant("kits/tidy")
        use("kits/tidy", now, previous=previous)
        assert list_items(bob, ItemQuery()).items[0].trend_pct == trend

    def test_one_that_nobody_used_has_zeros(self, plant: Any, bob: User):
        plant("kits/tidy")
        [item] = list_items(bob, ItemQuery()).items
        assert (item.invocations_30d, item.unique_users_30d, item.trend_pct) == (0, 0, None)
        assert item.daily == [0] * 30
        assert item.kinds == {}

    def test_days_are_those_of_the_last_publish(self, plant: Any, bob: User, published: Any):
        plant("kits/tidy")
        use_on(1, "kits/tidy", 4)
        published.windows_day = today() - timedelta(days=1)
        published.save()
        listing = list_items(bob, ItemQuery())
        assert listing.window.as_of == published.as_of
        assert listing.window.last_day == published.windows_day
        assert listing.items[0].daily[-1] == 4

    def test_before_anything_was_published(self, plant: Any, bob: User, published: Any):
        published.delete()
        plant("kits/tidy")
        listing = list_items(bob, ItemQuery())
        assert listing.window.as_of is None
        assert names(listing) == ["tidy"]


class TestSorts:
    @pytest.fixture(autouse=True)
    def items(self, plant: Any):
        day = datetime(2026, 5, 1, tzinfo=UTC)
        plant("kits/alpha", updated_at=day)
        plant("kits/Bravo", updated_at=day + timedelta(days=3))
        plant("kits/charlie", updated_at=day + timedelta(days=3))
        plant("kits/delta", updated_at=day + timedelta(days=9))
        plant("kits/echo", updated_at=day)
        use("kits/echo", 90, people=2, previous=100)
        use("kits/delta", 20, people=5, previous=5)
        use("kits/Bravo", 20, people=3, previous=4)
        use("kits/alpha", 20, people=3, previous=10)

    @pytest.mark.parametrize(
        ("sort", "order"),
        [
            (Sort.MOST_USED, ["echo", "delta", "alpha", "Bravo", "charlie"]),
            (Sort.TRENDING, ["delta", "alpha", "echo", "Bravo", "charlie"]),
            (Sort.RECENT, ["delta", "Bravo", "charlie", "alpha", "echo"]),
            (Sort.NAME, ["alpha", "Bravo", "charlie", "delta", "echo"]),
        ],
    )
    def test_ties_go_by_name(self, bob: User, sort: Sort, order: list[str]):
        assert names(list_items(bob, ItemQuery(sort=sort))) == order

    def test_pages_follow_each_other(self, bob: User):
        pages = [
            list_items(bob, ItemQuery(sort=Sort.NAME, limit=2, offset=offset)) for offset in (0, 2, 4, 6)
        ]
        assert [names(page) for page in pages] == [["alpha", "Bravo"], ["charlie", "delta"], ["echo"], []]
        assert {page.total for page in pages} == {5}

    def test_the_popular_ones_are_the_most_used_whatever_else_is_asked(self, bob: User):
        listing = list_items(bob, ItemQuery(q="charlie", sort=Sort.NAME), popular=3)
        assert [item.name for item in listing.popular] == ["echo", "delta", "alpha"]
        assert listing.popular[0].daily[-1] == 90
        assert names(listing) == ["charlie"]

    def test_what_nobody_used_is_not_popular(self, bob: User):
        assert len(list_items(bob, ItemQuery(), popular=8).popular) == 4
        assert list_items(bob, read_query({"source": "flea"}), popular=8).popular == []


class TestFilters:
    @pytest.fixture(autouse=True)
    def items(self, plant: Any):
        plant("kits/tidy", description="Cleans 100% of a room", category="home", skill=["sweep"])
        plant("kits/ledger", display_name="Große BÜCHER", category="money", agent=["auditor"])
        plant("other/tidy-two", category="home", mcp_server=["vacuum"], skill=["dust"])

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({}, ["ledger", "tidy", "tidy-two"]),
            ({"q": "TIDY"}, ["tidy", "tidy-two"]),
            ({"q": "cleans"}, ["tidy"]),
            ({"q": "vacuum"}, ["tidy-two"]),
            ({"q": "room sweep"}, ["tidy"]),
            ({"q": "room vacuum"}, []),
            ({"q": "bücher"}, ["ledger"]),
            ({"q": "0%"}, ["tidy"]),
            ({"q": "_"}, []),
            ({"q": "' OR 1=1 --"}, []),
            ({"source": "curated"}, ["ledger", "tidy", "tidy-two"]),
            ({"source": "flea"}, []),
            ({"marketplace": "kits"}, ["ledger", "tidy"]),
            ({"marketplace": "nowhere"}, []),
            ({"kind": "skill"}, ["tidy", "tidy-two"]),
            ({"kind": "agent"}, ["ledger"]),
            ({"kind": "theme"}, []),
            ({"category": "home"}, ["tidy", "tidy-two"]),
            ({"category": "home", "marketplace": "kits"}, ["tidy"]),
            ({"q": "tidy", "kind": "mcp_server"}, ["tidy-two"]),
            ({"q": "tidy", "kind": "skill", "category": "home", "marketplace": "other"}, ["tidy-two"]),
            ({"q": "ledger", "kind": "skill"}, []),
        ],
    )
    def test_each_alone_and_combined(self, bob: User, filters: dict[str, str], expected: list[str]):
        assert found(bob, **filters) == expected

    def test_components_that_are_gone_are_not_found(self, bob: User):
        plugin = Plugin.objects.get(ref_id="other/tidy-two")
        plugin.components.update(valid_to=plugin.updated_at)
        assert found(bob, q="vacuum") == found(bob, kind="mcp_server") == []
        assert list_items(bob, read_query({"q": "tidy-two"})).items[0].kinds == {}

    def test_it_says_what_the_filters_can_be_set_to(self, bob: User):
        Marketplace.objects.filter(slug="kits").update(name="Acme kits")
        choices = list_items(bob, ItemQuery(q="nothing of this")).choices
        assert choices.marketplaces == [("kits", "Acme kits"), ("other", "other")]
        assert choices.categories == ["home", "money"]

    def test_marketplaces_of_one_name_are_told_apart(self, bob: User):
        Marketplace.objects.update(name="Acme")
        choices = list_items(bob, ItemQuery()).choices
        assert choices.marketplaces == [("kits", "Acme (kits)"), ("other", "Acme (other)")]


class TestMatches:
    """Why the words of a query found an item."""

    @pytest.fixture(autouse=True)
    def items(self, plant: Any):
        plugin = plant(
            "kits/papers", description="Handles documents.", skill=["extract", "merge"], hook=["x"]
        )
        plugin.components.filter(name="merge").update(description="Joins invoices into one.")

    def matches(self, user: User, q: str) -> list[tuple[str, str | None]]:
        [item] = list_items(user, ItemQuery(q=q)).items
        return [(part.kind, part.identifier) for part in item.matches]

    @pytest.mark.parametrize("q", ["EXTRACT", "documents extract", "papers xtra"])
    def test_the_part_that_has_the_words_is_named(self, bob: User, q: str):
        assert self.matches(bob, q) == [("skill", "papers:extract")]

    def test_a_description_counts_too(self, bob: User):
        assert self.matches(bob, "invoices") == [("skill", "papers:merge")]

    def test_where_the_words_are_the_items_own_no_part_is(self, bob: User):
        """The namespace, which all parts have in their identifiers, is no reason."""
        assert self.matches(bob, "papers") == self.matches(bob, "documents") == []
        assert list_items(bob, ItemQuery()).items[0].matches == []

    def test_unless_its_name_is_called_so(self, bob: User):
        Plugin.objects.update(description="It can extract text.")
        assert self.matches(bob, "extract") == [("skill", "papers:extract")]

    def test_the_part_with_more_of_the_words_comes_first(self, bob: User):
        assert self.matches(bob, "r merge")[0] == ("skill", "papers:merge")
        assert self.matches(bob, "extract merge") == [
            ("skill", "papers:extract"),
            ("skill", "papers:merge"),
        ]

    def test_there_are_three_at_most_and_none_that_is_gone(self, bob: User, plant: Any):
        plugin = plant("kits/many", skill=[f"sort-{number}" for number in range(9)])
        plugin.components.filter(name="sort-0").update(valid_to=plugin.updated_at)
        named = [f"many:sort-{number}" for number in (1, 2, 3)]
        assert [identifier for _, identifier in self.matches(bob, "sort")] == named


class TestVisibility:
    @pytest.fixture(autouse=True)
    def item(self, plant: Callable[..., Plugin]) -> Plugin:
        use("kits/tidy", 5)
        return plant("kits/tidy", skill=["sweep"])

    def test_nobody_signed_in_sees_anything(self):
        listing = list_items(AnonymousUser(), ItemQuery(q="tidy"), popular=8)
        assert (listing.items, listing.total, listing.popular, listing.choices.marketplaces) == (
            [],
            0,
            [],
            [],
        )

    def test_who_was_deactivated_sees_nothing(self, bob: User):
        assert found(bob) == ["tidy"]
        bob.is_active = False
        assert found(bob) == []

    def test_what_left_the_catalogue_is_not_listed(self, bob: User, item: Plugin):
        Plugin.objects.update(valid_to=item.updated_at)
        assert list_items(bob, ItemQuery(), popular=8).popular == []
        assert found(bob) == found(bob, kind="skill") == []


def test_the_number_of_queries_does_not_depend_on_the_number_of_items(plant: Any, bob: User):
    query = ItemQuery(q="a", limit=200)
    counts = []
    for start, end in ((0, 10), (10, 300)):
        for number in range(start, end):
            plant(f"kits/a{number}", skill=["sweep"])
            use(f"kits/a{number}", number + 1)
        with CaptureQueriesContext(connection) as queries:
            listing = list_items(bob, query, popular=8)
        assert (listing.total, len(listing.popular)) == (end, 8)
        counts.append(len(queries))
    assert counts == [6, 6]

"""docs/METRICS.md: its SQL, run on the lake, gives the numbers of the pages and of the API."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from marketplace.demo import flea, market
from marketplace.models import StoreEntity
from telemetry.days import today
from telemetry.demo import world
from telemetry.demo.people import PEOPLE
from telemetry.lake.reading import open_lake
from telemetry.models import UsageEvent, UsageSessionSummary

pytestmark = pytest.mark.django_db

PAGE = (settings.BASE_DIR / "docs" / "METRICS.md").read_text()
STATEMENTS = {
    section.partition("\n")[0]: section.partition("```sql\n")[2].partition("```")[0]
    for section in re.split(r"^#+ ", PAGE, flags=re.MULTILINE)
    if "```sql" in section
}
DAYS = 30
# One of each way of working: plugins, the flea market, subagents, servers, refusals.
FEW = (PEOPLE[4], PEOPLE[7], PEOPLE[9])
Rows = list[tuple[Any, ...]]


class World:
    """The demo's marketplace with a few of its people, seen by an admin."""

    def __init__(self, admin: User) -> None:
        self.lake: Any = None
        market.create()
        now = datetime.combine(today(), time(), UTC) + timedelta(hours=1)
        world.create(now=now, people=FEW, before_sessions=flea.create)
        self.client = Client()
        self.client.force_login(admin)

    def sql(self, title: str, **values: object) -> Rows:
        statement = STATEMENTS[title]
        given = {"today": today(), "days": DAYS, **values}
        named = {name: value for name, value in given.items() if f"${name}" in statement}
        found: Rows = self.lake.execute(statement, named).fetchall()
        return found

    def page(self, address: str) -> str:
        answer = self.client.get(address)
        assert answer.status_code == 200, address
        return unescape(answer.content.decode()).replace("\u2009", "")

    def api(self, address: str) -> dict[str, Any]:
        answer = self.client.get(address)
        assert answer.status_code == 200, address
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def demo(alice: User, settings: Any) -> World:
    return World(alice)


def test_every_statement_is_compared():
    assert set(STATEMENTS) == set(FRONT_PAGE) | set(OF_A_PERSON) | set(OF_A_SESSION) | set(OF_AN_ITEM) | {
        "How many sessions",
        "Rows of an export",
    }
    assert PAGE.count("```sql") == len(STATEMENTS)


def test_the_numbers_are_those_of_the_pages_and_of_the_api(demo: World):
    """In one test, since they share a world that takes seconds to make."""
    with open_lake(memory_limit="256MB") as demo.lake:
        differing = [*front_page(demo), *people(demo), *items(demo), *export(demo)]
    assert differing == []


def compare(title: str, whose: object, found: object, shown: object) -> list[str]:
    if found == shown and found:
        return []
    return [f"{title} of {whose}: the lake says {found}, and shown is {shown}"]


# --- The front page --------------------------------------------------------------------------------
def front_page(demo: World) -> list[str]:
    differing = []
    for days in (7, DAYS, 90):
        page = demo.page(f"/admin/?days={days}")
        for title, shown in FRONT_PAGE.items():
            found = demo.sql(title, days=days)
            differing += compare(title, f"{days} days", *shown(found, page, days))
    return differing


def by_day(chart: str, *columns: int) -> Callable[[Rows, str, int], tuple[object, object]]:
    """Rows of (day, figures…), and the same columns of the table below that chart."""

    def both(found: Rows, page: str, days: int) -> tuple[object, object]:
        table = [(row[0], *(float(row[column]) for column in columns)) for row in table_of(page, chart)]
        assert len(table) == days
        return in_order(found), in_order(table)

    return both


def in_order(rows: Sequence[Sequence[Any]]) -> Rows:
    """The days with anything, as texts and numbers."""
    figures = ((str(day), *map(float, numbers)) for day, *numbers in rows)
    return sorted(row for row in figures if any(row[1:]))


def table_of(page: str, key: str) -> list[list[str]]:
    section = page[page.index(f'id="{key}"') :]
    section = section[: section.index("</section>")]
    return [
        re.findall(r"<t[hd][^>]*>([^<]*)<", row)
        for row in re.findall(r'<tr><th scope="row">\d.*?</tr>', section, re.DOTALL)
    ]


def large_figure(found: Rows, page: str, days: int) -> tuple[object, object]:
    section = page[page.index('id="chart-people"') :]
    return found[0][0], first_number(section, r'class="figure-now">([\d.]+)')


def error_rate(found: Rows, page: str, days: int) -> tuple[object, object]:
    section = page[page.index('id="chart-errors"') :]
    return float(found[0][0]), first_number(section, r'class="figure-now">([\d.]+)')


def first_number(text: str, pattern: str) -> float:
    found = re.search(pattern, text)
    assert found, pattern
    return float(found[1])


def called(key: object) -> str:
    """An item of the flea market has a number for a key, and a name on the page."""
    slugs = {str(number): slug for number, slug in StoreEntity.objects.values_list("pk", "slug")}
    return slugs.get(str(key), str(key))


def most_used(key: str, names: int) -> Callable[[Rows, str, int], tuple[object, object]]:
    """Rows of (name, …, invocations, errors), as the page lists them with the share of errors."""

    def both(found: Rows, page: str, days: int) -> tuple[object, object]:
        section = page[page.index(f'id="top-{key}"') :]
        section = section[: section.index("</section>")]
        rows = re.findall(r'<th scope="row">(.*?)</th>.*?title="(\d+)".*?title="(\d+) errors"', section)
        listed = [
            (*re.sub(r"<[^>]+>", "", name).split(), int(calls), int(errors)) for name, calls, errors in rows
        ]
        return [tuple(map(called, row[:names])) + row[names:] for row in found], listed

    return both


FRONT_PAGE: dict[str, Callable[[Rows, str, int], tuple[object, object]]] = {
    "Active people": large_figure,
    "People of a day": by_day("chart-people", 1),
    "Sessions": by_day("chart-sessions", 1),
    "Prompts": by_day("chart-sessions", 2),
    "Invocations by source": by_day("chart-invocations", 1, 2, 3),
    "Error rate": error_rate,
    "Tokens": by_day("chart-tokens", 1, 2, 3, 4),
    "Most used plugins": most_used("plugins", 2),
    "Most used skills": most_used("skills", 2),
    "Most used tools": most_used("tools", 1),
}


# --- People and their sessions ---------------------------------------------------------------------
def people(demo: World) -> list[str]:
    differing = []
    for person in User.objects.filter(groups__name=world.GROUP):
        page = demo.page(f"/admin/accounts/user/{person.pk}/change/")
        for title, shown in OF_A_PERSON.items():
            found = demo.sql(title, user_id=person.pk)
            differing += compare(title, person, *shown(found, page))
        differing += sessions(demo, person, page)
    return differing


def activity(found: Rows, page: str) -> tuple[object, object]:
    return by_day("activity", 1, 2)(found, page, DAYS)


def list_of(heading: str) -> Callable[[Rows, str], tuple[object, object]]:
    def both(found: Rows, page: str) -> tuple[object, object]:
        block = page[page.index(f"<h3>{heading}</h3>") :]
        block = block[: block.index("</div>")]
        names = re.findall(r"<li><(?:span|a[^>]*)>(?:<span title=\"([^\"]+)\">)?([^<]*)<", block)
        counts = re.findall(r'class="number">(\d+)<', block)
        listed = [(whole or name, int(count)) for (whole, name), count in zip(names, counts, strict=True)]
        return found, listed

    return both


OF_A_PERSON: dict[str, Callable[[Rows, str], tuple[object, object]]] = {
    "Activity of a person": activity,
    "What a person uses most": list_of("Tools"),
    "Skills of a person": list_of("Skills"),
}


def sessions(demo: World, person: User, page: str) -> list[str]:
    listed = demo.api(f"/api/admin/users/{person.pk}/sessions?limit=200")
    [[total]] = demo.sql("How many sessions", user_id=person.pk)
    differing = compare("How many sessions", person, total, listed["total"])
    differing += compare("How many sessions", person, total, first_number(page, r"(\d+) sessions?, newest"))
    # The newest ones stand on the page, too.
    for place, item in enumerate(listed["items"][:8]):
        of_session = {"session_file": item["session_file"]}
        shown = columns_of(page, place)
        for title, figures in OF_A_SESSION.items():
            [row] = demo.sql(title, **of_session)
            in_api, on_page = figures(item, shown)
            differing += compare(title, item["session_file"], [*plain(row)], in_api)
            if on_page is not None:
                differing += compare(title, item["session_file"], on_page[0](row), on_page[1])
    return differing


def plain(row: Sequence[Any]) -> list[Any]:
    return [it if it is None or isinstance(it, str) else float(it) for it in row]


def columns_of(page: str, place: int) -> list[float]:
    """Seconds, seconds active, prompts, calls, errors, skills, agents, tokens of a row of the list."""
    body = page[page.index('<table class="sessions">') :].split("<tbody>")[place + 1]
    cells = re.findall(r'class="number"(?: title="([\d.]+)[^"]*")?>([\d.]*)', body)
    return [float(title or text) for title, text in cells[:8]]


def calls(item: dict[str, Any], shown: list[float]) -> Any:
    names = ("tool_calls", "errors", "skills", "subagents_started")
    return [float(item[name]) for name in names], (lambda row: plain(row), shown[3:7])


def tokens(item: dict[str, Any], shown: list[float]) -> Any:
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
    return [float(item[name]) for name in names], (lambda row: float(sum(row)), shown[7])


def times(item: dict[str, Any], shown: list[float]) -> Any:
    names = ("prompts", "wall_seconds", "active_seconds")
    on_page = (lambda row: plain(row[:3]), [shown[2], shown[0], shown[1]])
    return [*(float(item[name]) for name in names), item["model"]], on_page


OF_A_SESSION: dict[str, Callable[[dict[str, Any], list[float]], Any]] = {
    "Calls, errors, skills and agents of a session": calls,
    "Tokens of a session": tokens,
    "Prompts and times of a session": times,
}


# --- The marketplace -------------------------------------------------------------------------------
def items(demo: World) -> list[str]:
    listed = demo.api("/api/marketplace/items?limit=200")["items"]
    used = [item for item in listed if item["invocations_30d"]]
    assert {item["source"] for item in used} == {"curated", "flea"}
    differing = []
    cards = demo.page("/marketplace/?limit=200")
    for item in used:
        whose = {"source": item["source"], "ref_id": item["ref_id"]}
        address = f"{item['source']}/{item['ref_id']}"
        details = demo.api(f"/api/marketplace/items/{address}")
        page = demo.page(f"/marketplace/{address}/")
        for title, figures in OF_AN_ITEM.items():
            found = demo.sql(title, **whose)
            for shown in figures(item, details, page, cards):
                differing += compare(title, address, in_figures(found), in_figures(shown))
    return differing


def in_figures(rows: Sequence[Sequence[Any]]) -> list[list[str]]:
    return sorted(
        [format(it, "g") if isinstance(it, int | float) else str(it) for it in each(row)] for row in rows
    )


def each(row: Sequence[Any]) -> list[Any]:
    return [float(it) if it.__class__.__name__ == "Decimal" else it for it in row]


def use_of_item(item: dict[str, Any], details: dict[str, Any], page: str, cards: str) -> Any:
    names = ("invocations_30d", "unique_users_30d", "previous_invocations_30d")
    for answer in (item, details):
        yield [[answer[name] for name in names]]
    card = cards[cards.index(f'/{item["source"]}/{item["ref_id"]}/">') :]
    for text in (card[card.index('class="use"') :], page[page.index("<dt>Invocations</dt>") :]):
        invocations, people = re.findall(r'title="(\d+)"', text)[:2]
        yield [[int(invocations), int(people), item["previous_invocations_30d"]]]


def trend_of_item(item: dict[str, Any], details: dict[str, Any], page: str, cards: str) -> Any:
    yield [[item["trend_pct"]]]
    yield [[details["trend_pct"]]]
    shown = page[page.index("<dt>Trend</dt>") :]
    shown = re.sub(r"<[^>]+>|\s", "", shown[: shown.index("</dd>")].partition("<dd>")[2]).replace(
        "\u2212", "-"
    )
    number = re.search(r"-?[\d.]+", shown)
    yield [[float(number[0]) if number else None]]


def days_of_item(item: dict[str, Any], details: dict[str, Any], page: str, cards: str) -> Any:
    first = today() - timedelta(days=DAYS - 1)
    days = details["daily"]
    assert [day["day"] for day in days] == [str(first + timedelta(days=place)) for place in range(DAYS)]
    assert item["daily"] == [day["invocations"] for day in days]
    assert details["errors_30d"] == sum(day["errors"] for day in days)
    yield [
        [date.fromisoformat(it["day"]), it["invocations"], it["errors"], it["people"]]
        for it in days
        if it["invocations"]
    ]
    yield [[row[0], *map(int, row[1:])] for row in table_of(page, "usage") if any(map(int, row[1:]))]


def parts_of_item(item: dict[str, Any], details: dict[str, Any], page: str, cards: str) -> Any:
    parts = [*details["components"], *details["other_usage"]]
    yield [
        [it["kind"], it["identifier"], it["invocations_30d"], it["errors_30d"]]
        for it in parts
        if it["invocations_30d"]
    ]


OF_AN_ITEM: dict[str, Callable[[dict[str, Any], dict[str, Any], str, str], Any]] = {
    "Invocations and people of an item": use_of_item,
    "Trend of an item": trend_of_item,
    "An item by day": days_of_item,
    "The parts of an item": parts_of_item,
}


def export(demo: World) -> list[str]:
    [[rows]] = demo.sql("Rows of an export")
    assert rows == UsageEvent.objects.count() > 0
    assert UsageSessionSummary.objects.exists()
    answer = demo.client.get("/api/admin/usage/export?format=ndjson")
    body = b"".join(answer)
    return compare("Rows of an export", "all", rows, int(answer["X-Agnes-Rows"])) + compare(
        "Rows of an export", "all", rows, body.count(b"\n")
    )

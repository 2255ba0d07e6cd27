"""The audit log as a timeline: by page, by API and as CSV."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.admin.activity import PAGE
from accounts.models import AuditLog, Scope, User

PAGE_URL, CSV_URL, API_URL = "/admin/activity/", "/admin/activity/activity.csv", "/api/admin/activity"
AT = datetime(2026, 5, 1, 23, 30, tzinfo=UTC)


def plant_rows(
    rows: list[dict[str, Any]], *, since: datetime = AT, apart: timedelta = timedelta(hours=1)
) -> list[AuditLog]:
    """Rows of the past, the oldest first: the log writes its own time, so its clock is set."""
    made = []
    for number, fields in enumerate(rows):
        with patch("django.utils.timezone.now", autospec=True, return_value=since + number * apart):
            made.append(AuditLog.objects.create(**{"client_kind": "web", **fields}))
    return made


@pytest.fixture
def log(alice: User, bob: User) -> list[AuditLog]:
    """Four rows, an hour apart, the newest last."""
    return plant_rows(
        [
            {"actor": alice.pk, "action": "token.issue", "target": f"user:{bob.pk}", "client_kind": "web"},
            {"actor": bob.pk, "action": "session.upload", "target": "transcript:17", "client_kind": "api"},
            {"actor": None, "action": "usage.prune", "params": {"rows": 9}, "client_kind": "task"},
            {"actor": alice.pk, "action": "usage.export", "result": "not read", "client_kind": "web"},
        ],
        since=AT,
    )


@pytest.fixture
def page(alice: User) -> Callable[..., str]:
    client = Client()
    client.force_login(alice)
    return lambda **query: client.get(PAGE_URL, query).content.decode()


def words(page: str) -> str:
    return unescape(
        re.sub(
            r"\s+",
            " ",
            re.sub(r"<[^>]+>", " ", page[page.index("</form>", page.index("activity-filters")) :]),
        )
    )


def entries(page: str) -> list[str]:
    """The actions, as they stand on the page, without the sign-in of who looks at it."""
    return [it for it in re.findall(r"</strong> <code>(\w+\.\w+)</code>", page) if not it.startswith("auth.")]


def download(client: Client, query: dict[str, str]) -> Any:
    return client.get(CSV_URL, query)


def hang_up(answer: Any) -> None:
    """As the server does at the end of an answer, but with the connection to the database left open."""
    for close in answer._resource_closers:
        close()


@pytest.mark.django_db
class TestThePage:
    def test_it_is_a_timeline_newest_first_with_names(self, log: Any, page: Any, bob: User):
        shown = page()
        assert entries(shown) == ["usage.export", "usage.prune", "session.upload", "token.issue"]
        text = words(shown)
        for line in (
            "alice@example.com token.issue bob@example.com",
            "bob@example.com session.upload transcript:17",
            "the server usage.prune",
            f"Target bob@example.com · user:{bob.pk}",
            "rows 9",
            "not read",
        ):
            assert line in text

    def test_days_are_those_of_the_readers_zone(self, log: Any, page: Any, alice: User):
        assert "Friday, 1 May 2026" in page()
        assert "Saturday, 2 May 2026" in page()
        User.objects.filter(pk=alice.pk).update(time_zone="Asia/Tokyo")
        assert "Friday, 1 May 2026" not in page()
        assert "08:30:00" in page()

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"who": "alice@example.com"}, ["usage.export", "token.issue"]),
            ({"who": "server"}, ["usage.prune"]),
            ({"action": "session.upload"}, ["session.upload"]),
            ({"target": "transcript:17"}, ["session.upload"]),
            ({"target": "BOB@example.com"}, ["token.issue"]),
            ({"client": "task"}, ["usage.prune"]),
            ({"since": "2026-05-02T01:30"}, ["usage.export", "usage.prune"]),
            ({"until": "2026-05-02"}, ["token.issue"]),
            ({"who": "alice@example.com", "client": "web", "since": "2026-05-02"}, ["usage.export"]),
        ],
        ids=str,
    )
    def test_filters(self, log: Any, page: Any, query: dict[str, str], found: list[str]):
        assert entries(page(**query)) == found

    def test_times_are_asked_for_in_the_readers_zone(self, log: Any, page: Any, alice: User):
        User.objects.filter(pk=alice.pk).update(time_zone="Asia/Tokyo")
        assert entries(page(until="2026-05-02T09:00")) == ["token.issue"]

    @pytest.mark.parametrize(
        "query",
        [
            {"who": "nobody@example.com"},
            {"client": "fax"},
            {"since": "soon"},
            {"before": "x"},
            {"before": "99999"},
        ],
        ids=str,
    )
    def test_a_wrong_filter_is_told(self, log: Any, alice_client: Client, query: dict[str, str]):
        answer = alice_client.get(PAGE_URL, query)
        assert answer.status_code == 422
        assert "A filter is wrong." in answer.content.decode()

    def test_pages_lead_to_older_rows_and_back(self, alice_client: Client):
        # Several at the same moment, where only the id tells them apart.
        plant_rows(
            [{"action": f"test.n{number}"} for number in range(2 * PAGE + 5)], since=AT, apart=timedelta(0)
        )
        seen, address = [], f"?until={AT:%Y-%m-%d}T23:59"
        while address:
            shown = alice_client.get(f"{PAGE_URL}{address}").content.decode()
            seen += entries(shown)
            older = re.search(r'href="(\?[^"]*)" rel="next"', shown)
            newer = re.search(r'href="(\?[^"]*)" rel="prev"', shown)
            address = unescape(older[1]) if older else ""
        assert seen == [f"test.n{number}" for number in reversed(range(2 * PAGE + 5))]
        assert newer
        back = alice_client.get(f"{PAGE_URL}{unescape(newer[1])}").content.decode()
        assert entries(back) == seen[PAGE : 2 * PAGE]

    def test_what_rows_hold_is_only_text(self, page: Any):
        plant_rows(
            [{"action": "test.x", "target": "<script>t", "params": {"<b>": ["<i>", {"k": None}]}}], since=AT
        )
        shown = page()
        assert "<script>t" not in shown
        assert "&lt;b&gt;" in shown
        assert "&lt;i&gt;, k: none" in shown

    def test_empty_lists_say_why(self, page: Any, db: None):
        assert "Nothing fits these filters." in page(action="test.none")

    def test_it_asks_few_queries(self, log: Any, alice_client: Client, django_assert_max_num_queries: Any):
        with django_assert_max_num_queries(12):
            alice_client.get(PAGE_URL)


@pytest.mark.django_db
class TestTheCsv:
    def test_it_has_what_is_filtered(self, log: Any, alice_client: Client, bob: User):
        answer = download(alice_client, {"who": "bob@example.com"})
        assert answer["Content-Disposition"].startswith("attachment")
        [row] = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
        assert (row["actor"], row["actor_email"], row["action"]) == (
            str(bob.pk),
            "bob@example.com",
            "session.upload",
        )
        assert row["at"] == "2026-05-02T00:30:00Z"

    def test_it_is_safe_in_a_spreadsheet(self, alice_client: Client):
        plant_rows([{"action": "test.x", "target": "=1+1", "result": "@x"}], since=AT)
        answer = download(alice_client, {"action": "test.x"})
        [row] = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
        assert (row["target"], row["result"]) == ("'=1+1", "'@x")

    def test_it_is_audited_before_it_begins(self, log: Any, alice_client: Client, alice: User):
        answer = download(alice_client, {"who": "bob@example.com"})
        row = AuditLog.objects.get(action="audit.export")
        assert row.actor == alice.pk
        assert row.params["rows"] == 1
        assert "bob@example.com" not in str(row.params)
        list(answer.streaming_content)
        hang_up(answer)
        assert AuditLog.objects.filter(action="audit.export").count() == 1

    def test_its_row_holds_nothing_that_was_typed(self, log: Any, alice_client: Client):
        download(alice_client, {"target": "Bob Example", "action": "session.upload"})
        row = AuditLog.objects.get(action="audit.export")
        assert row.params == {"target": "not in the log", "action": "session.upload", "rows": 0}

    def test_a_broken_one_is_told(self, log: Any, alice_client: Client):
        hang_up(alice_client.get(CSV_URL))
        assert AuditLog.objects.filter(action="audit.export", result="not read to its end").count() == 1

    def test_long_ones_come_in_batches(self, alice_client: Client, monkeypatch: Any):
        monkeypatch.setattr("accounts.activity_csv.BATCH", 3)
        plant_rows(
            [{"action": "test.x", "target": str(number)} for number in range(10)],
            since=AT,
            apart=timedelta(0),
        )
        answer = download(alice_client, {"action": "test.x"})
        rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
        assert [row["target"] for row in rows] == [str(number) for number in reversed(range(10))]

    def test_a_wrong_filter_leads_to_the_page(self, alice_client: Client):
        assert alice_client.get(CSV_URL, {"client": "fax"}).status_code == 422
        assert not AuditLog.objects.filter(action="audit.export").exists()


@pytest.mark.django_db
class TestTheApi:
    @pytest.fixture
    def ask(self, alice: User, token_for: Any, client: Client) -> Callable[..., Any]:
        token = token_for(alice, Scope.ADMIN)
        return lambda **query: client.get(API_URL, query, headers={"Authorization": f"Bearer {token}"})

    def test_it_answers_the_same_rows(self, log: Any, ask: Any, alice: User):
        answer = ask(who="alice@example.com", limit=1).json()
        assert {name: answer[name] for name in ("total", "limit", "offset")} == {
            "total": 2,
            "limit": 1,
            "offset": 0,
        }
        [item] = answer["items"]
        assert (item["action"], item["actor_email"], item["result"]) == (
            "usage.export",
            "alice@example.com",
            "not read",
        )
        [older] = ask(who="alice@example.com", limit=1, before=item["id"]).json()["items"]
        assert older["action"] == "token.issue"
        assert ask(who="alice@example.com", limit=1, offset=1).json()["items"] == [older]

    @pytest.mark.parametrize(
        "query",
        [
            {"limit": 201},
            {"limit": 0},
            {"offset": 10_001},
            {"offset": "0" * 20 + "9" * 30},
            {"client": "fax"},
        ],
        ids=str,
    )
    def test_wrong_input_is_told(self, ask: Any, query: dict[str, Any]):
        answer = ask(**query)
        assert answer.status_code == 422
        assert set(answer.json()["error"]["fields"]) == set(query)

    def test_times_without_a_zone_are_utc(self, log: Any, ask: Any, alice: User):
        User.objects.filter(pk=alice.pk).update(time_zone="Asia/Tokyo")
        assert ask(until="2026-05-02").json()["total"] == 1


@pytest.fixture
def alice_client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.mark.django_db
def test_who_may_look_at_the_log_needs_nothing_else(dana: User):
    client = Client()
    client.force_login(dana)
    assert client.get(PAGE_URL).status_code == 403
    dana.user_permissions.add(Permission.objects.get(codename="view_auditlog"))
    assert client.get(PAGE_URL).status_code == 200

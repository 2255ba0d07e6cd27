"""GET /api/admin/usage/export"""

import csv
import io
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import AuditLog, Scope, User
from telemetry.export import exporting
from telemetry.export.datasets import Dataset
from telemetry.lake.reading import current_snapshot
from telemetry.models import UsageEvent
from telemetry.tests.export import lakes
from telemetry.tests.export.conftest import FIRST, URL, build_events, event

pytestmark = pytest.mark.django_db


def rows_of(answer) -> list[dict]:
    assert answer.status_code == 200, answer.content
    return [json.loads(line) for line in answer.body.splitlines()]


def ids(answer) -> list[str]:
    return [row["id"] for row in rows_of(answer)]


class TestAnswer:
    def test_it_is_a_download_with_its_figures(self, get, bob: User):
        build_events(event(0), event(1))
        answer = get(since="2026-05-01", user_id=bob.pk, source="flea")
        assert answer.status_code == 200
        name = f"agnes-events-since-2026-05-01-user-{bob.pk}-source-flea.csv"
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer["Content-Type"] == "text/csv; charset=utf-8; header=present"
        assert answer["Cache-Control"] == "no-store"
        assert answer["X-Agnes-Rows"] == "0"
        assert answer["X-Agnes-As-Of"].startswith("2026-06-01T12:00:00")

    def test_its_columns_are_the_tables_in_its_order(self, get):
        build_events(event(0))
        [header, _] = csv.reader(io.StringIO(get().body.decode(), newline=""))
        assert header == [field.column for field in UsageEvent._meta.concrete_fields]

    def test_its_rows_are_in_order_with_those_without_a_time_last(self, get):
        build_events(event(3), event(0), event(9, occurred_at=None), event(2), event(1))
        assert ids(get(format="ndjson")) == [f"id-{number:05}" for number in (0, 1, 2, 3, 9)]

    @pytest.mark.parametrize("dataset", Dataset)
    def test_every_data_set_can_be_exported(self, get, dataset: Dataset):
        lakes.build({dataset: [{}]})
        [row] = rows_of(get(dataset=dataset, format="ndjson"))
        assert list(row) == list(dataset.table.columns)


class TestFilters:
    @pytest.fixture(autouse=True)
    def some_events(self, bob: User) -> None:
        build_events(
            event(0, user_id=bob.pk),
            event(1, source="curated"),
            event(2, source="curated", user_id=bob.pk),
            event(3),
            event(4, occurred_at=None),
        )

    def test_since_is_inclusive_and_until_exclusive(self, get):
        moments = [FIRST + timedelta(hours=10 * number) for number in range(4)]
        both = get(format="ndjson", since=moments[1].isoformat(), until=moments[3].isoformat())
        assert ids(both) == ["id-00001", "id-00002"]

    def test_each_bound_may_stand_alone_and_then_none_is_without_a_time(self, get):
        assert ids(get(format="ndjson", since="2026-05-02")) == ["id-00002", "id-00003"]
        assert ids(get(format="ndjson", until="2026-05-02")) == ["id-00000", "id-00001"]

    def test_zones_are_understood(self, get):
        assert ids(get(format="ndjson", until="2026-05-01T12:00:00.001+02:00")) == ["id-00000"]
        assert ids(get(format="ndjson", until="2026-05-01T12:00:00+02:00")) == []

    def test_person_and_source(self, get, bob: User):
        assert ids(get(format="ndjson", user_id=bob.pk)) == ["id-00000", "id-00002"]
        assert ids(get(format="ndjson", source="curated")) == ["id-00001", "id-00002"]
        assert ids(get(format="ndjson", source="curated", user_id=bob.pk)) == ["id-00002"]

    @pytest.mark.parametrize(
        ("field", "value", "example"),
        [
            ("dataset", "nonsense", "such as events"),
            ("format", "xml", "such as csv"),
            ("format", "", "such as csv"),
            ("since", "yesterday", "2026-05-01T10:00:00Z"),
            ("since", "2026-05-01T10:00:00", "such as 2026-05-01T10:00:00Z"),
            ("since", "2026-02-30", "there is no 2026-02-30"),
            ("since", "0001-01-01T00:00+14:00", "outside the calendar"),
            ("until", "2026-05-01T25:00:00Z", "2026-05-01T10:00:00Z"),
            ("until", "", "2026-05-01"),
            ("user_id", "bob@example.com", "such as 7"),
            ("user_id", "999999", "there is no person 999999"),
            ("user_id", "9" * 30, "such as 7"),
            ("user_id", "\0", "such as 7"),
            ("source", "market", "such as curated"),
            ("spreadsheet_safe", "maybe", "such as 1"),
            ("sincce", "2026-05-01", "use one of dataset"),
        ],
    )
    def test_a_wrong_value_is_named_with_an_example(self, get, field: str, value: str, example: str):
        answer = get(**{field: value})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], list(error["fields"])) == (422, "wrong_filter", [field])
        assert example in error["fields"][field]
        assert not AuditLog.objects.filter(action="usage.export").exists()

    def test_all_that_is_wrong_is_told_at_once(self, get):
        fields = get(format="xml", since="x", until="y").json()["error"]["fields"]
        assert set(fields) == {"format", "since", "until"}

    @pytest.mark.parametrize(
        ("dataset", "field"),
        [("tool_daily", "user_id"), ("plugin_daily", "user_id"), ("sessions", "source")],
    )
    def test_a_filter_without_a_column_is_wrong(self, get, bob: User, dataset: str, field: str):
        value = {"user_id": bob.pk, "source": "curated"}[field]
        fields = get(dataset=dataset, **{field: value}).json()["error"]["fields"]
        assert f"{dataset} has no column {field}" in fields[field]

    @pytest.mark.parametrize("until", ["2026-05-01", "2026-04-30", "2026-05-01T02:00:00+02:00"])
    def test_until_must_be_later(self, get, until: str):
        assert list(get(since="2026-05-01", until=until).json()["error"]["fields"]) == ["until"]

    def test_a_filter_stands_only_once(self, get):
        answer = get(source=["curated", "flea"])
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["source"])


class TestDays:
    @pytest.fixture(autouse=True)
    def some_days(self) -> None:
        days = [date(2026, 5, day) for day in (1, 2, 3)]
        lakes.build({Dataset.TOOL_DAILY: [{"day": day} for day in days]})

    @pytest.mark.parametrize(
        ("filters", "days"),
        [
            ({"since": "2026-05-02"}, [2, 3]),
            ({"until": "2026-05-02"}, [1]),
            ({"since": "2026-05-01T00:00:01Z", "until": "2026-05-03T00:00:01Z"}, [2, 3]),
            ({"since": "2026-05-02T02:00+02:00", "until": "2026-05-03T02:00+02:00"}, [2]),
            ({"until": "9999-12-31T10:00:00Z"}, [1, 2, 3]),
            ({"since": "9999-12-31T10:00:00Z"}, []),
        ],
    )
    def test_bounds_compare_the_start_of_the_day_in_utc(self, get, filters, days):
        found = rows_of(get(dataset="tool_daily", format="ndjson", **filters))
        assert [row["day"] for row in found] == [f"2026-05-0{day}" for day in days]


class TestAudit:
    def test_it_says_who_exported_what(self, get, alice: User, bob: User):
        build_events(event(0, user_id=bob.pk), event(1))
        get(format="json", since="2026-05-01T10:00:00Z", user_id=bob.pk)
        row = AuditLog.objects.get(action="usage.export")
        assert (row.actor, row.result, row.client_kind) == (alice.pk, "ok", "api")
        assert row.params == {
            "dataset": "events",
            "format": "json",
            "since": "2026-05-01T10:00:00Z",
            "user_id": bob.pk,
            "rows": 1,
        }

    def test_the_row_is_there_before_the_first_byte(self, client: Client, alice: User):
        build_events(event(0))
        client.force_login(alice)
        answer: Any = client.get(URL)
        assert AuditLog.objects.filter(action="usage.export").count() == 1
        assert b"".join(answer.streaming_content).startswith(b"id,")

    def test_a_reader_that_goes_away_is_noted(self, client: Client, alice: User):
        build_events(event(0))
        client.force_login(alice)
        answer: Any = client.get(URL, {"format": "json"})
        stream = answer._iterator
        next(stream)
        stream.close()
        started, broken = AuditLog.objects.filter(action="usage.export").order_by("pk")
        assert (started.result, broken.result) == ("ok", "not read to its end")
        assert broken.params == {**started.params, "bytes": broken.params["bytes"]}
        assert (broken.actor, broken.client_kind) == (alice.pk, started.client_kind)
        assert broken.request_id == started.request_id == answer["X-Request-ID"]


class TestNotNow:
    def test_without_a_lake_it_says_so(self, get, monkeypatch):
        monkeypatch.setattr("telemetry.export.exporting.publish_if_quick", lambda: None)
        answer = get()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "lake_not_built")

    def test_when_the_data_changed_it_says_start_again(self, get, monkeypatch):
        build_events(event(0))
        now = current_snapshot()
        tables = tuple(replace(table, version=99) for table in now.tables)
        monkeypatch.setattr(exporting, "current_snapshot", lambda: replace(now, tables=tables))
        answer = get()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "lake_changed")
        assert not AuditLog.objects.filter(action="usage.export").exists()

    def test_when_the_files_are_gone_it_names_the_cure(self, get):
        build_events(event(0))
        for file in Path(settings.LAKE_URL, "usage_events").rglob("*.parquet"):
            file.unlink()
        answer = get()
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (503, "lake_unavailable")
        assert "lake_rebuild" in error["hint"]


class TestWhoMay:
    def test_only_admins_with_the_permission(self, client: Client, alice, bob, dana, token_for):
        build_events(event(0))
        for person, scope in (
            (alice, Scope.UPLOAD),
            (alice, Scope.READ),
            (bob, Scope.ADMIN),
            (dana, Scope.ADMIN),
        ):
            headers = {"authorization": f"Bearer {token_for(person, scope)}"}
            assert client.get(URL, headers=headers).status_code == 403, (person, scope)
        assert client.get(URL).status_code == 401


@pytest.mark.parametrize(
    "filters", [{}, {"spreadsheet_safe": "1"}, {"since": "2026-05-03", "source": "builtin"}]
)
def test_the_order_is_kept_over_many_days(get, filters):
    """Several threads read several files."""
    build_events(*(event(number, source="builtin") for number in range(100)))
    body = get(**filters).body.decode()
    found = [row["id"] for row in csv.DictReader(io.StringIO(body, newline=""))]
    assert len(found) > 90
    assert found == sorted(found)

"""An export has what was just uploaded, where publishing that is quick."""

import json
from datetime import datetime, timedelta
from time import monotonic

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from telemetry.export import freshness
from telemetry.models import PublishingLease, UsageDirtyDay, UsageEvent
from telemetry.processors.runner import run
from telemetry.publishing import publish
from telemetry.tests.builders import assistant_line, tool_use, user_line
from telemetry.tests.planting import store

pytestmark = pytest.mark.django_db


def upload(owner: User, *tools: str) -> None:
    """Extracted, and not published."""
    store(owner, user_line("Hello"), assistant_line([tool_use(tool) for tool in tools]))
    run("usage")


def tools_in(answer) -> list[str]:
    return [json.loads(line)["tool_name"] for line in answer.body.splitlines()]


def test_what_was_just_uploaded_is_in(get, bob: User):
    upload(bob, "Bash", "Read")
    before = timezone.now() - timedelta(minutes=1)
    answer = get(format="ndjson")
    assert sorted(tools_in(answer)) == ["Bash", "Read"]
    assert datetime.fromisoformat(answer["X-Agnes-As-Of"]) > before
    assert not UsageDirtyDay.objects.exists()


def test_it_equals_the_database(get, bob: User):
    upload(bob, "Bash", "Read")
    rows = [json.loads(line) for line in get(format="ndjson").body.splitlines()]
    columns = [str(field.column) for field in UsageEvent._meta.concrete_fields]
    expected = list(UsageEvent.objects.order_by("occurred_at", "id").values(*columns))
    times = {"occurred_at", "extracted_at"}
    for row, event in zip(rows, expected, strict=True):
        for name in columns:
            value = event[name]
            if name in times:
                assert row[name] == value.isoformat(timespec="microseconds").replace("+00:00", "Z")
            else:
                assert row[name] == (str(value) if name == "id" else value), name


def test_nothing_at_all_can_be_exported(get):
    """A server that is quite new."""
    answer = get(format="json")
    assert json.loads(answer.body) == []


class TestLeftToTheWorker:
    @pytest.fixture(autouse=True)
    def one_published(self, bob: User) -> None:
        upload(bob, "Bash")
        publish()
        upload(bob, "Bash", "Read")
        assert UsageDirtyDay.objects.exists()

    @pytest.mark.parametrize(("limit", "value"), [("MAX_ROWS", 1), ("MAX_DAYS", 0)])
    def test_much(self, get, monkeypatch, limit: str, value: int):
        monkeypatch.setattr(freshness, limit, value)
        assert tools_in(get(format="ndjson")) == ["Bash"]
        assert UsageDirtyDay.objects.exists()

    def test_what_another_publisher_is_at(self, get):
        expires = timezone.now() + timedelta(minutes=5)
        PublishingLease.objects.create(what="usage", holder="another", expires_at=expires)
        began = monotonic()
        assert tools_in(get(format="ndjson")) == ["Bash"]
        assert monotonic() - began < 5

    def test_a_remote_lake(self, get, monkeypatch):
        monkeypatch.setattr(freshness, "is_remote", lambda: True)
        assert tools_in(get(format="ndjson")) == ["Bash"]


def test_the_patience_of_the_connection_is_restored(get):
    question = "PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout"
    with connection.cursor() as cursor:
        cursor.execute(question)
        before = cursor.fetchone()
        freshness.publish_if_quick()
        cursor.execute(question)
        assert cursor.fetchone() == before

"""Commits are on disk when they are acknowledged, except where the work would simply be done again."""

from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import User
from telemetry.database.durability import redoable_writes
from telemetry.intake import storing
from telemetry.processors import registry
from telemetry.processors.base import Job, Processor
from telemetry.processors.runner import run
from telemetry.tests.figures import upload
from telemetry.tests.processing.test_runner import session

pytestmark = pytest.mark.django_db(transaction=True)

DURABLE, RELAXED = {"sqlite": (2, 1), "postgresql": ("on", "off")}[connection.vendor]


def setting(name: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}" if connection.vendor == "sqlite" else f"SHOW {name}")
        return cursor.fetchone()[0]


def durability() -> Any:
    return setting("synchronous" if connection.vendor == "sqlite" else "synchronous_commit")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="settings of SQLite connections")
@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1)],
)
def test_every_new_connection_to_sqlite_is_safe(name: str, value: Any) -> None:
    connection.close()
    assert setting(name) == value


class TestRedoableWrites:
    def test_commits_wait_for_the_disk_before_and_after(self) -> None:
        assert durability() == DURABLE
        with redoable_writes():
            assert durability() == RELAXED
        assert durability() == DURABLE

    def test_after_an_error_too(self) -> None:
        with pytest.raises(ZeroDivisionError), redoable_writes():
            raise ZeroDivisionError
        assert durability() == DURABLE

    def test_inside_a_transaction_the_outer_choice_holds(self) -> None:
        with transaction.atomic(), redoable_writes():
            assert durability() == DURABLE
        assert durability() == DURABLE

    def test_the_log_is_checkpointed_as_before(self) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL has its own checkpoints")
        before = setting("wal_autocheckpoint")
        with redoable_writes():
            assert setting("wal_autocheckpoint") > before
        assert setting("wal_autocheckpoint") == before


class TestWhoRelaxes:
    def test_processing_does(self, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
        upload(bob, session("s1"))
        usage = registry.PROCESSORS["usage"]
        seen = []

        def extract(job: Job) -> Any:
            seen.append(durability())
            return usage.extract(job)

        monkeypatch.setitem(registry.PROCESSORS, "usage", Processor("usage", usage.version, extract))
        assert run("usage").processed == 1
        assert seen == [RELAXED]
        assert durability() == DURABLE

    def test_an_upload_does_not(self, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
        add_part, seen = storing._add_part, []

        def add(*args: Any) -> None:
            seen.append(durability())
            add_part(*args)

        monkeypatch.setattr(storing, "_add_part", add)
        upload(bob, session("s1"))
        assert seen == [DURABLE]

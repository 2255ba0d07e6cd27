"""`manage.py verify` without a file: whether everything that is there twice is the same."""

import io
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from agnes.backup.files import named_files
from marketplace.tests.planting import plant_entity
from telemetry.models import SessionTranscript, UsageDaily, UsageDirtyDay, UsageEvent, UsageToolDaily
from telemetry.processors.processing import process
from telemetry.tests.figures import upload
from telemetry.tests.planting import plant_event
from telemetry.tests.processing.test_runner import session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def world(bob: User) -> None:
    upload(bob, session("s1", calls=3))
    upload(bob, session("s2", calls=3, at=86_400))
    plant_entity(bob, "broom")
    process("usage")


def verify() -> str:
    """What it says; ends with the number of findings."""
    out = io.StringIO()
    try:
        call_command("verify", stdout=out)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


def test_a_whole_one():
    assert verify() == (
        "Database: well\nStored files: well\nExtracted: well\nFigures: well\nLake: well\n"
        "This installation is whole.\n"
    )


def other_bytes(key: str) -> None:
    """Of the right size, and of the same kind."""
    content = default_storage.open(key).read()
    default_storage.save(key, ContentFile(content[:-9] + bytes(9)))


def lose(key: str) -> None:
    default_storage.delete(key)


@pytest.mark.parametrize("damage", [lose, other_bytes])
@pytest.mark.parametrize("folder", ["transcripts", "store"])
def test_a_file_that_is_lost_or_damaged(damage: Any, folder: str):
    key = next(file.key for file in named_files() if file.key.startswith(folder))
    damage(key)
    told = verify()
    assert f"1 stored file missing or damaged: {key}." in told
    assert told.endswith("1 finding.")


def test_a_transcript_of_other_content(bob: User):
    one, two = [file.key for file in named_files() if file.key.startswith("transcripts")]
    default_storage.save(one, ContentFile(default_storage.open(two).read()))
    assert f"1 stored file missing or damaged: {one}." in verify()


def test_rows_without_a_transcript():
    SessionTranscript.objects.filter(session_id="s1").delete()
    assert "3 rows of usage_events without a transcript." in verify()


def change_figure() -> None:
    UsageToolDaily.objects.filter(day="2026-05-02").update(invocations=7)


def lose_figure() -> None:
    UsageDaily.objects.filter(day="2026-05-02").delete()


def change_event() -> None:
    """And nobody marked its day."""
    UsageEvent.objects.filter(session_id="s1").update(tool_name="Read")


@pytest.mark.parametrize(
    ("change", "table"),
    [(change_figure, "usage_tool_daily"), (lose_figure, "usage_daily"), (change_event, "usage_tool_daily")],
)
def test_figures_that_are_not_those_of_the_events(change: Any, table: str):
    change()
    told = verify()
    assert f"Figures that are not those of the events: {table} from 2026-05-0" in told
    call_command("lake_rebuild", verbosity=0)
    assert "This installation is whole." in verify()


def test_a_lake_that_lacks_rows():
    plant_event(SessionTranscript.objects.get(session_id="s1"), "unknown")
    told = verify()
    assert "The lake is not the database: usage_events has 6 rows instead of 7." in told


def test_what_waits_is_no_finding():
    plant_event(SessionTranscript.objects.get(session_id="s1"), "unknown")
    UsageDirtyDay.objects.create(day="2026-05-01")
    assert verify().endswith("waits to be published\nThis installation is whole.\n")


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_a_database_that_is_damaged():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA writable_schema = ON")
        cursor.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '\"session_id\"', '\"agent_id\"')"
            " WHERE name = 'session_transcripts_session'"
        )
        cursor.execute("PRAGMA writable_schema = RESET")
        try:
            assert "The database is damaged" in verify()
        finally:
            cursor.execute("PRAGMA writable_schema = ON")
            cursor.execute(
                "UPDATE sqlite_master SET sql = replace(sql, '\"agent_id\"', '\"session_id\"')"
                " WHERE name = 'session_transcripts_session'"
            )
            cursor.execute("PRAGMA writable_schema = RESET")

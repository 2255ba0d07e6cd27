"""A backup that was made before an erasure, restored after it: the person stays erased."""

import io
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts.models import AuditLog, Erasure, User
from agnes.backup.emptying import empty_tables
from agnes.tests.erasing.world import EMAIL, TRACES, populate, traces_left
from telemetry.maintenance import listing
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db(transaction=True)


def run(name: str, *arguments: Any) -> str:
    out = io.StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def backup(alice: User, charlie: User, tmp_path: Path) -> Path:
    """Made before the person was erased."""
    populate(alice, charlie)
    file = tmp_path / "before.tar"
    run("backup", file)
    run("erase_person", EMAIL, "--erase")
    assert traces_left() == set()
    return file


def assert_erased() -> None:
    assert traces_left() == set()
    assert not User.objects.filter(email=EMAIL).exists()
    row = Erasure.objects.get()
    assert row.finished_at
    assert AuditLog.objects.get(action="user.erase").target == f"user:{row.person}"
    assert stored() == expected()
    assert in_lake() == in_database()


def lose_the_database() -> None:
    with transaction.atomic():
        empty_tables()


def lose_everything(settings: Any) -> None:
    """As with a new machine."""
    lose_the_database()
    for path in settings.DATA_DIR.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    settings.STATIC_ROOT.mkdir()


def test_beside_the_list(backup: Path, tmp_path: Path) -> None:
    """Into the same installation, and into an emptied database; not with a file that is no list."""
    for content in ("{}", "nonsense"):
        wrong = tmp_path / "wrong"
        wrong.write_text(content)
        with pytest.raises(CommandError, match="does not tell who was erased"):
            run("restore", backup, "--replace", "--erasures", wrong)
    assert "Erased again: 1 person." in run("restore", backup, "--replace")
    assert_erased()
    lose_the_database()
    assert "Erased again: 1 person." in run("restore", backup)
    assert_erased()


def test_into_a_new_installation(backup: Path, settings: Any, tmp_path: Path) -> None:
    """Which knows nobody, or has a copy of the list, or one of ids that are of others here."""
    copy = Path(shutil.copy(listing.path(), tmp_path / "copy.ndjson"))
    other = tmp_path / "other.ndjson"
    other.write_text(copy.read_text().replace(listing.read(copy)[0].account_hash, "0" * 64))
    lose_everything(settings)
    assert "Erased again" not in run("restore", backup, "--erasures", other)
    assert traces_left() >= {EMAIL, TRACES[0]}
    assert Erasure.objects.get().finished_at
    lose_everything(settings)
    assert "Erased again: 1 person." in run("restore", backup, "--erasures", copy)
    assert_erased()
    assert len(listing.read(listing.path())) == 1


def test_interrupted_after_the_commit(backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are locked out already, and the doctor goes on."""

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    out = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr("agnes.backup.restoring.erasing.forget", interrupt)
        with pytest.raises(CommandError, match="unless it says above that it is restored"):
            call_command("restore", str(backup), "--replace", stdout=out)
    assert "Restored: " in out.getvalue()
    person = User.objects.get(email=EMAIL)
    assert (person.is_active, bool(person.erased_at)) == (False, True)
    assert Erasure.objects.get().finished_at is None
    with suppress(CommandError):
        run("doctor", "--fix")
    assert traces_left() == set()
    assert Erasure.objects.get().finished_at

"""Everything that touches stored files, with the files in a bucket: the data folder holds none of them."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Scope, User
from marketplace.store.packs import opened_pack
from marketplace.tests.planting import plant_entity
from telemetry.maintenance import pruning
from telemetry.models import SessionProcessorState, SessionTranscript, SessionTranscriptPart, UsageEvent
from telemetry.processors.processing import process
from telemetry.tests.figures import upload, usage_of
from telemetry.tests.processing.test_runner import session

pytestmark = pytest.mark.django_db
Api = Callable[..., Any]
DAY = 24 * 3600


def keys(bucket: Any) -> set[str]:
    return {entry.key.removeprefix("some/prefix/") for entry in bucket.objects.all()}


def named() -> set[str]:
    """What the rows say there is."""
    return {part.storage_key for part in SessionTranscriptPart.objects.stored().select_related("transcript")}


def on_this_machine(folder: Path) -> list[Path]:
    """What only a bucket should hold."""
    return [
        path
        for path in folder.rglob("*")
        if path.suffix in (".zst", ".zip") or "transcripts" in str(path.name)
    ]


def read(transcript: SessionTranscript) -> str:
    return f"/admin/telemetry/sessiontranscript/{transcript.session_file}/read/"


@pytest.fixture
def api(client: Client, alice: User, token_for: Callable[..., str]) -> Api:
    """As the admin's program does; `body` are the bytes."""
    headers = {"authorization": f"Bearer {token_for(alice, Scope.ADMIN, Scope.UPLOAD)}"}

    def ask(method: str, path: str, content: bytes = b"") -> Any:
        answer = client.generic(method, f"/api/{path}", content, "application/octet-stream", headers=headers)
        if answer.streaming:
            answer.body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        return answer

    return ask


@pytest.fixture
def reader(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


class TestInABucket:
    def test_a_session_from_upload_to_the_pages(
        self, bucket: Any, api: Api, reader: Client, settings: Any, alice: User
    ):
        content = session("s1", calls=3)
        assert api("POST", "upload/sessions", content).status_code == 201
        assert keys(bucket) == named() != set()
        assert on_this_machine(settings.DATA_DIR) == []
        assert process("usage").processed == 1
        assert UsageEvent.objects.count() == 3
        transcript = SessionTranscript.objects.get()
        place = f"admin/users/{alice.pk}/sessions"
        assert api("GET", f"{place}/{transcript.session_file}/download").body == content
        with zipfile.ZipFile(io.BytesIO(api("GET", f"{place}/download-all").body)) as unzipped:
            assert [unzipped.read(name) for name in unzipped.namelist()] == [content]
        page = reader.get(read(transcript))
        assert (page.status_code, page.content.count(b"Bash") > 0) == (200, True)

    def test_a_session_that_grows_leaves_one_file(self, bucket: Any, api: Api):
        for calls in (2, 5, 3):
            api("POST", "upload/sessions", session("s1", calls=calls))
        assert len(keys(bucket)) == 1
        assert keys(bucket) == named()
        process("usage")
        assert UsageEvent.objects.count() == 5

    def test_the_same_upload_brings_back_what_was_lost(self, bucket: Any, api: Api):
        content = session("s1", calls=2)
        api("POST", "upload/sessions", content)
        bucket.objects.all().delete()
        assert process("usage").failed == 1
        answer = api("POST", "upload/sessions", content)
        assert "restored" in answer.json()["warnings"][0]
        assert keys(bucket) == named() != set()
        assert process("usage").processed == 1

    def test_a_private_session_leaves_nothing(self, bucket: Any, api: Api):
        for name in ("s1", "s2"):
            api("POST", "upload/sessions", session(name))
        process("usage")
        before = keys(bucket)
        assert api("DELETE", "sessions/s1").status_code == 200
        assert keys(bucket) == named() < before
        assert api("POST", "upload/sessions", session("s1")).status_code == 410

    def test_old_transcripts_go_by_retention(self, bucket: Any, bob: User, settings: Any):
        settings.TRANSCRIPTS_RETENTION_DAYS = 30
        upload(bob, session("old", calls=2, at=-40_000 * DAY // 100))
        upload(bob, session("new"))
        for processor in ("usage", "verification"):
            process(processor)
        SessionTranscript.objects.filter(session_id="new").update(last_at="2100-01-01T00:00Z")
        assert pruning.prune(actor=None).removed["transcripts"] == 1
        assert len(keys(bucket)) == 1

    def test_extracting_anew_gives_the_same(self, bucket: Any, bob: User):
        upload(bob, session("s1", calls=4))
        process("usage")
        before = usage_of(bob)
        call_command("usage_reprocess", verbosity=0)
        process("usage")
        assert usage_of(bob) == before

    def test_packs_of_the_flea_market(self, bucket: Any, bob: User, settings: Any):
        entity = plant_entity(bob, "broom")
        assert entity.served is not None
        with opened_pack(entity.served) as pack:
            assert pack.read("skills/broom/SKILL.md", 1000).endswith(b"Sweep.\n")
        assert {key.partition("/")[0] for key in keys(bucket)} == {"store"}
        assert on_this_machine(settings.DATA_DIR) == []

    def test_the_doctor_finds_strays_and_what_is_lost(self, bucket: Any, bob: User, api: Api):
        upload(bob, session("s1"))
        default_storage.save(f"transcripts/{bob.pk}/{'a' * 64}.jsonl.zst", ContentFile(b"left"))
        told = _doctor("--fix", "--min-age=0")
        assert "1 stored file without a row" in told
        assert "Removed 1 stored file." in told
        assert keys(bucket) == named()
        bucket.objects.all().delete()
        assert "1 transcript of which a stored file is missing" in _doctor()


@pytest.mark.django_db(transaction=True)
class TestMoving:
    def test_a_backup_moves_from_a_folder_to_a_bucket_and_back(
        self, s3: Any, bob: User, settings: Any, tmp_path: Path, request: pytest.FixtureRequest
    ):
        upload(bob, session("s1", calls=3))
        plant_entity(bob, "broom")
        process("usage")
        before = usage_of(bob)
        in_folder = settings.STORAGES
        call_command("backup", str(tmp_path / "folder.tar"), verbosity=0)
        bucket = request.getfixturevalue("bucket")
        call_command("restore", str(tmp_path / "folder.tar"), "--replace", verbosity=0)
        there = keys(bucket)
        assert named() < there
        assert len(there) == 3
        call_command("verify", verbosity=0)
        call_command("backup", str(tmp_path / "bucket.tar"), verbosity=0)
        call_command("verify", str(tmp_path / "bucket.tar"), verbosity=0)
        settings.STORAGES = in_folder
        call_command("restore", str(tmp_path / "bucket.tar"), "--replace", verbosity=0)
        assert usage_of(bob) == before
        assert {
            str(path.relative_to(settings.DATA_DIR))
            for path in on_this_machine(settings.DATA_DIR)
            if path.is_file()
        } == there
        call_command("verify", verbosity=0)


class TestOutOfReach:
    def test_an_upload_is_refused_and_leaves_nothing(self, unreachable: None, api: Api, settings: Any):
        answer = api("POST", "upload/sessions", session("s1"))
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "storage_unavailable"
        assert "cannot be reached" in answer.json()["error"]["message"]
        assert answer["Retry-After"]
        assert not SessionTranscript.objects.exists()
        assert [path for path in settings.SPOOL_DIR.rglob("*") if path.is_file()] == []

    def test_processing_waits_and_blames_no_transcript(
        self, bob: User, bucket: Any, settings: Any, request: pytest.FixtureRequest
    ):
        upload(bob, session("s1", calls=2))
        in_bucket = settings.STORAGES
        request.getfixturevalue("unreachable")
        for _ in range(4):
            assert "cannot be reached" in process("usage").failures[0]
        assert not SessionProcessorState.objects.filter(attempts__gt=0).exists()
        settings.STORAGES = in_bucket
        assert process("usage").processed == 1

    def test_a_session_that_is_made_private_goes_as_soon_as_it_can(
        self, bob: User, alice: User, api: Api, bucket: Any, settings: Any, request: pytest.FixtureRequest
    ):
        upload(alice, session("s1"))
        in_bucket = settings.STORAGES
        request.getfixturevalue("unreachable")
        api("DELETE", "sessions/s1")
        assert not SessionTranscript.objects.exists()
        settings.STORAGES = in_bucket
        assert keys(bucket)
        from telemetry import tasks

        tasks.process_pending()
        assert keys(bucket) == set()

    def test_readers_are_told(self, unreachable: None, api: Api, reader: Client, bob: User, settings: Any):
        in_bucket, settings.STORAGES = settings.STORAGES, _in_memory(settings.STORAGES)
        upload(bob, session("s1"))
        settings.STORAGES = in_bucket
        transcript = SessionTranscript.objects.get()
        answer = api("GET", f"admin/users/{bob.pk}/sessions/{transcript.session_file}/download")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage_unavailable")
        for path, status in ((read(transcript), 503), (f"{read(transcript)}line/1/", 503)):
            page = reader.get(path)
            assert page.status_code == status
            assert "bucket of stored files cannot be reached" in page.content.decode()

    def test_commands_and_checks_say_the_cure(
        self, unreachable: None, bob: User, tmp_path: Path, settings: Any
    ):
        in_bucket, settings.STORAGES = settings.STORAGES, _in_memory(settings.STORAGES)
        upload(bob, session("s1"))
        settings.STORAGES = in_bucket
        told = _doctor()
        assert "Stored transcripts: 1 finding" in told
        assert "The bucket of stored files cannot be reached" in told
        assert "AGNES_STORAGE_URL" in told
        found = {message.id for message in checks.run_checks(include_deployment_checks=True)}
        assert "agnes.E003" in found
        assert "agnes.E003" not in {message.id for message in checks.run_checks()}
        with pytest.raises(CommandError, match="cannot be reached"):
            call_command("verify", verbosity=0)
        with pytest.raises(CommandError, match="cannot be reached"):
            call_command("backup", str(tmp_path / "x.tar"), verbosity=0)
        assert list(tmp_path.glob("x.tar*")) == []

    def test_a_bucket_that_is_reached_has_no_finding(self, bucket: Any):
        assert "agnes.E003" not in {it.id for it in checks.run_checks(include_deployment_checks=True)}


def _in_memory(storages: Any) -> Any:
    return {**storages, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}


def _doctor(*arguments: str) -> str:
    out = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()

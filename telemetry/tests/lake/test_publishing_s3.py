"""A lake in a bucket, on a local server that speaks S3; and what happens when it cannot be reached."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from telemetry.dirty_days import mark_dirty
from telemetry.errors import LakeUnavailable
from telemetry.lake.writing import OpenTable
from telemetry.maintenance.lake_rebuilding import rebuild_lake
from telemetry.models import PublishingState, SessionProcessorState, UsageDirtyDay, UsageEvent
from telemetry.processors.processing import process
from telemetry.publishing import publish
from telemetry.tests.figures import upload
from telemetry.tests.lake.bucket import S3Server, s3_server, storage_options
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.planting import AT, plant_event, plant_summary, plant_transcript
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.conftest import Clock
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db
SECRET = "very-secret-folder-of-bob"


@pytest.fixture(scope="module")
def store() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def bucket(store: S3Server, settings: Any) -> Iterator[Any]:
    import boto3

    settings.LAKE_URL = "s3://bucket/some/prefix"
    settings.LAKE_STORAGE_OPTIONS = store.options
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    s3 = boto3.resource("s3", endpoint_url=store.endpoint, region_name="us-east-1", **keys)
    bucket = s3.Bucket("bucket")
    bucket.create()
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()


@pytest.fixture
def unreachable(settings: Any) -> None:
    """Nobody listens there."""
    settings.LAKE_URL = "s3://bucket/prefix"
    settings.LAKE_STORAGE_OPTIONS = storage_options("http://127.0.0.1:1")


class TestBucket:
    def test_it_equals_the_database(self, bucket: Any, clock: Clock, bob: User):
        upload(bob, session("s1", calls=3))
        process("usage")
        assert in_lake() == in_database()
        upload(bob, session("s1", calls=5))
        upload(bob, session("s2", at=86_400))
        process("usage")
        assert in_lake() == in_database()
        keys = [entry.key for entry in bucket.objects.all()]
        assert all(key.startswith("some/prefix/usage_") for key in keys)

    def test_a_purge_leaves_nothing(self, bucket: Any, clock: Clock, bob: User):
        transcript = plant_transcript(bob)
        plant_event(transcript, "secret", cwd=SECRET)
        plant_event(transcript, "plain")
        plant_summary(transcript)
        mark_dirty([AT.date()])
        publish()
        before = {entry.key for entry in bucket.objects.all() if entry.key.endswith(".parquet")}
        UsageEvent.objects.filter(cwd=SECRET).delete()
        mark_dirty([AT.date()], purge=True)
        publish()
        after = {entry.key for entry in bucket.objects.all() if entry.key.endswith(".parquet")}
        assert before
        assert not before & after
        assert in_lake() == in_database()

    def test_it_is_rebuilt_whatever_is_left_of_it(self, bucket: Any, clock: Clock, bob: User):
        upload(bob, session("s1", calls=3))
        process("usage")
        log = "some/prefix/usage_events/_delta_log/00000000000000000001.json"
        bucket.Object(log).put(Body=b"{broken")
        rebuild_lake()
        assert in_lake() == in_database()
        bucket.objects.all().delete()
        rebuild_lake()
        assert in_lake() == in_database()

    def test_files_are_sent_at_the_same_time(self, bucket: Any, clock: Clock, bob: User, monkeypatch: Any):
        """Each waits until another is on its way too."""
        upload(bob, session("s1", calls=3))
        two = threading.Barrier(2, timeout=10)
        left = iter(range(2))
        real = OpenTable.upload

        def meet(*args: Any) -> None:
            if next(left, None) is not None:
                two.wait()
            real(*args)

        monkeypatch.setattr(OpenTable, "upload", meet)
        process("usage")
        assert in_lake() == in_database()

    def test_a_large_file_waits_on_disk_without_a_name(
        self, bucket: Any, clock: Clock, bob: User, monkeypatch: Any, settings: Any
    ):
        monkeypatch.setattr("telemetry.lake.writing.KEPT_IN_MEMORY", 1)
        monkeypatch.setattr("telemetry.lake.writing.CHUNK", 1000)
        monkeypatch.setattr("telemetry.lake.writing.PIECE", 300)
        seen: list[Any] = []
        real = OpenTable.upload

        def look(table: OpenTable, file: Any) -> None:
            seen.extend(settings.SPOOL_DIR.rglob("*"))
            real(table, file)

        monkeypatch.setattr(OpenTable, "upload", look)
        upload(bob, session("s1", calls=30))
        process("usage")
        assert in_lake() == in_database()
        assert seen == []


class TestOutOfReach:
    def test_processing_stands_and_says_what_failed(self, unreachable: None, clock: Clock, bob: User):
        upload(bob, session("s1", calls=3))
        report = process("usage")
        assert (report.processed, report.failed, report.published_days) == (1, 0, 0)
        assert "cannot be reached" in report.publishing_error
        assert "error sending request" in report.publishing_error
        assert "\n" not in report.publishing_error
        assert UsageEvent.objects.count() == 3
        assert SessionProcessorState.objects.get().processed_at is not None
        assert UsageDirtyDay.objects.exists()
        assert not any(stored().values())

    def test_the_next_run_goes_on(self, unreachable: None, clock: Clock, bob: User, settings: Any):
        upload(bob, session("s1", calls=3))
        assert process("usage").publishing_error
        settings.LAKE_URL = str(settings.DATA_DIR / "lake")
        report = process("usage")
        assert (report.publishing_error, report.published_days) == ("", 1)
        assert stored() == expected()
        assert in_lake() == in_database()
        assert PublishingState.objects.get().error == ""

    def test_the_command_fails_with_the_cure(self, unreachable: None, clock: Clock, bob: User):
        upload(bob, session("s1"))
        with pytest.raises(CommandError, match=r"(?s)Not published.*cannot be reached"):
            call_command("process_sessions")
        with pytest.raises(CommandError, match="AGNES_LAKE_URL"):
            call_command("lake_rebuild")

    def test_the_admin_says_so(self, unreachable: None, clock: Clock, alice: User, bob: User, client: Client):
        upload(bob, session("s1"))
        process("usage")
        client.force_login(alice)
        page: Any = client.get(reverse("admin:telemetry_usagetooldaily_changelist"))
        assert "Publishing fails" in page.content.decode()
        page = client.get(reverse("admin:telemetry_sessionprocessorstate_changelist"))
        assert "Publishing fails" in page.content.decode()

    def test_a_store_that_fails_in_the_middle(
        self, bucket: Any, clock: Clock, bob: User, monkeypatch: Any, settings: Any
    ):
        upload(bob, session("s1", calls=3))
        process("usage")
        before = in_lake()
        upload(bob, session("s1", calls=4))
        with monkeypatch.context() as patch:
            patch.setattr("telemetry.lake.writing.OpenTable.commit", self.fail)
            assert process("usage").publishing_error
        assert in_lake() == before
        process("usage")
        assert in_lake() == in_database()

    @staticmethod
    def fail(*args: Any) -> None:
        raise LakeUnavailable("503 Slow Down")

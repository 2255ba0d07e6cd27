"""A server of its own for one measurement: an empty data folder, migrated, filled with transcripts."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def empty_server(database_url: str = "") -> Iterator[Path]:
    """Set Django up on an empty data folder (and `database_url`, an empty database). Once a process."""
    with tempfile.TemporaryDirectory(prefix="agnes-bench-") as folder:
        os.environ["AGNES_DATA_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "agnes.settings"
        os.environ.setdefault("LOG_LEVEL", "WARNING")
        if database_url:
            os.environ |= {"DATABASE_URL": database_url, "SECRET_KEY": "bench", "TOKEN_PEPPER": "bench"}
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield Path(folder)


def store_corpus(corpus: Path) -> int:
    """Upload every transcript below `corpus`, each top folder as one person; the number stored."""
    from accounts.models import User
    from telemetry.intake.storing import store_transcript
    from telemetry.transcripts.scanning import NotATranscript

    stored = 0
    for folder in sorted(path for path in corpus.iterdir() if path.is_dir()):
        owner = User.objects.create_user(f"{folder.name.lower()}@bench.example")
        for path in sorted(folder.rglob("*.jsonl")):
            with path.open("rb") as file:
                try:
                    store_transcript(owner, iter(lambda: file.read(1 << 18), b""))
                except Exception as error:
                    if not isinstance(error.__cause__, NotATranscript):
                        raise
                else:
                    stored += 1
    return stored


def plant_settled_transcripts(total: int) -> None:
    """Rows of processed transcripts, without files, until there are `total`: what an idle server knows."""
    from django.utils import timezone

    from accounts.models import User
    from telemetry.models import SessionProcessorState, SessionTranscript

    owners, now = list(User.objects.order_by("pk")), timezone.now()
    planted = []
    for number in range(total - SessionTranscript.objects.count()):
        owner, session_id = owners[number % len(owners)], f"planted-{number}"
        planted.append(
            SessionTranscript(
                owner=owner,
                session_id=session_id,
                session_file=f"u{owner.pk}_{session_id}.jsonl",
                received_at=now,
                updated_at=now,
            )
        )
    SessionTranscript.objects.bulk_create(planted, batch_size=1000)
    SessionProcessorState.objects.bulk_create(
        (
            SessionProcessorState(
                processor_name="usage",
                session_file=transcript.session_file,
                username=transcript.owner.email,
                processed_at=now,
                revision=transcript.revision,
                processor_version=1,
                attempts=1,
            )
            for transcript in planted
        ),
        batch_size=1000,
    )


def forget_results() -> None:
    """Everything pending again."""
    from telemetry import models

    for model in (
        models.UsageEvent,
        models.UsageMessage,
        models.UsageSessionSummary,
        models.SessionProcessorState,
        models.UsageDirtyDay,
    ):
        model._default_manager.all()._raw_delete("default")

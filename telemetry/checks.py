"""System checks of stored data: `manage.py check` names what is wrong and how to cure it."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.core.checks import register as register_check
from django.db import DatabaseError, connection
from django.db.models import Exists, OuterRef

from telemetry.models import SessionProcessorState, SessionTranscript
from telemetry.processors.usage import NAME, USAGE_PROCESSOR_VERSION


def register() -> None:
    register_check(everything_is_counted_alike)


def everything_is_counted_alike(**kwargs: Any) -> list[CheckMessage]:
    """Nothing is said where the database cannot be asked: whatever command runs next tells of that."""
    if not _database_is_there():
        return []
    was_open = connection.connection is not None
    try:
        is_outdated = _something_is_outdated()
    except DatabaseError:
        return []
    finally:
        # Processes that are forked from this one must not share it.
        if not was_open:
            connection.close()
    if not is_outdated:
        return []
    hint = (
        "Run `manage.py usage_reprocess`, or `manage.py usage_reprocess --session-by-session`, which takes "
        "longer and leaves no page empty meanwhile."
    )
    message = (
        "Some transcripts were extracted by an earlier version of Agnes, which counted differently: their "
        f"processor_version is below {USAGE_PROCESSOR_VERSION}."
    )
    return [Warning(message, hint=hint, id="telemetry.W001")]


def _database_is_there() -> bool:
    """Asking SQLite would make an empty file."""
    return connection.vendor != "sqlite" or Path(settings.DATABASES["default"]["NAME"]).exists()


def _something_is_outdated() -> bool:
    done = SessionProcessorState.objects.filter(
        processor_name=NAME, processor_version__lt=USAGE_PROCESSOR_VERSION, processed_at__isnull=False
    )
    readable = SessionTranscript.objects.readable().filter(session_file=OuterRef("session_file"))
    return done.filter(Exists(readable)).exists()

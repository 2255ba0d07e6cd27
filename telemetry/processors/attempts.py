"""The state row of one processor and one transcript: attempts, success, failure.

In SQL, because the model layer would take a third of the time in which a small transcript is processed.
"""

from accounts.models import User
from telemetry.database.bulk import db_now, execute, fetch
from telemetry.models import SessionTranscript
from telemetry.processors.base import Processor

# Stands as the error while a transcript is worked on, and stays if the worker never comes back.
DIED = "The worker died while it processed this transcript."
ERROR_CHARACTERS = 2000

_BEGIN = """
INSERT INTO session_processor_state AS state
    (processor_name, session_file, username, items_extracted,
     revision, processor_version, attempts, last_error)
VALUES (%s, %s, %s, 0, %s, %s, 1, %s)
ON CONFLICT (processor_name, session_file) DO UPDATE SET
    attempts = CASE WHEN state.revision = excluded.revision THEN state.attempts + 1 ELSE 1 END,
    revision = excluded.revision,
    username = excluded.username,
    processor_version = excluded.processor_version,
    processed_at = NULL,
    last_error = excluded.last_error
RETURNING attempts
"""
_SUCCEED = """
UPDATE session_processor_state
SET processed_at = %s, items_extracted = %s, revision = %s, last_error = NULL
WHERE processor_name = %s AND session_file = %s
"""
_FAIL = "UPDATE session_processor_state SET last_error = %s WHERE processor_name = %s AND session_file = %s"
_TAKE_BACK = """
UPDATE session_processor_state SET attempts = attempts - 1, last_error = NULL
WHERE processor_name = %s AND session_file = %s AND processed_at IS NULL AND attempts > 0
"""
_NEW_ATTEMPTS = """
UPDATE session_processor_state SET attempts = 0, last_error = NULL
WHERE session_file = %s AND processed_at IS NULL
"""
_UNSETTLE = "UPDATE session_transcripts SET is_unsettled = TRUE WHERE id = %s"
_CURRENT = "SELECT 1 FROM session_transcripts WHERE id = %s AND revision = %s"


def begin_attempt(processor: Processor, owner: User, transcript: SessionTranscript) -> int:
    """Count the attempt before the work: a transcript that kills the worker is given up in the end.

    Returns the number of this attempt at the transcript's revision.
    """
    values = (
        processor.name,
        transcript.session_file,
        owner.email,
        transcript.revision,
        processor.version,
        DIED,
    )
    [(attempt,)] = fetch(_BEGIN, values)
    return int(attempt)


def take_back_attempt(processor: Processor, transcript: SessionTranscript) -> None:
    """Somebody stopped the work: that is not the transcript's fault."""
    execute(_UNSETTLE, (transcript.pk,))
    execute(_TAKE_BACK, (processor.name, transcript.session_file))


def note_success(processor: Processor, transcript: SessionTranscript, items: int) -> None:
    execute(_SUCCEED, (db_now(), items, transcript.revision, processor.name, transcript.session_file))


def note_failure(processor: Processor, transcript: SessionTranscript, error: Exception) -> str:
    """Keep the error, and return its description."""
    description = described(error)
    execute(_FAIL, (description, processor.name, transcript.session_file))
    return description


def described(error: Exception) -> str:
    """Class and message. Of an error of PostgreSQL only the primary message: its details quote values of
    rows, and so what people wrote."""
    diagnosis = getattr(error.__cause__, "diag", None)
    message = diagnosis.message_primary if diagnosis else str(error)
    return f"{type(error).__name__}: {message}".replace("\x00", "\ufffd")[:ERROR_CHARACTERS]


def give_new_attempts(transcript: SessionTranscript) -> None:
    """What kept a transcript from being processed is cured: every processor that failed tries it again."""
    execute(_UNSETTLE, (transcript.pk,))
    execute(_NEW_ATTEMPTS, (transcript.session_file,))


def is_current(transcript: SessionTranscript) -> bool:
    """Whether the stored transcript still is what was read."""
    return bool(fetch(_CURRENT, (transcript.pk, transcript.revision)))

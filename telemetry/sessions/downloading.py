"""One transcript as a download."""

import re
from collections.abc import Iterator

from accounts.models import User
from accounts.streaming import AuditedStream
from telemetry.errors import SessionUnknown
from telemetry.models import SessionTranscript
from telemetry.sessions.reading import OpenTranscript, open_transcript

SHAPE = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


def start_download(user_id: int, session_file: str, *, actor: User) -> "Download":
    """Its audit row is written when this returns; close it, whatever happens.

    Raises SessionUnknown and TranscriptLost.
    """
    transcript = find_transcript(user_id, session_file)
    return Download(transcript, open_transcript(transcript), actor=actor)


def find_transcript(user_id: int, session_file: str) -> SessionTranscript:
    """Raises SessionUnknown."""
    # It is looked up and never part of a path; what else it may be made of is no text for PostgreSQL.
    of_person = SessionTranscript.objects.of(user_id)
    found = of_person.filter(session_file=session_file) if SHAPE.fullmatch(session_file) else of_person.none()
    transcript = found.first()
    if transcript is None:
        raise SessionUnknown(user_id, session_file)
    return transcript


class Download(AuditedStream):
    """The bytes; `file_name` has ASCII letters, digits, `_`, `-` and `.` only."""

    action = "session.download"

    def __init__(self, transcript: SessionTranscript, opened: OpenTranscript, *, actor: User) -> None:
        self.file_name = transcript.session_file
        self.size = opened.size
        self._opened = opened
        params = {"user": transcript.owner_id, "revision": transcript.revision}
        super().__init__(target=transcript.audit_target, params=params, actor=actor)

    def _chunks(self) -> Iterator[bytes]:
        return self._opened.chunks

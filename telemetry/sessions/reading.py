"""The bytes of a transcript: those that were uploaded.

Where it has several parts that count, they come one after another in the order in which they are read
(docs/COUNTING.md), each on lines of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from telemetry.errors import SessionUnknown, StoredFileDamaged, TranscriptLost, TranscriptRemoved
from telemetry.files.storage import begun, read_whole
from telemetry.models import SessionTranscript, SessionTranscriptPart


@dataclass(frozen=True)
class OpenTranscript:
    """`size` in bytes; None where only reading tells. Iterating `chunks` raises TranscriptLost where a file
    turns out to be damaged."""

    chunks: Iterator[bytes]
    size: int | None


def open_transcript(transcript: SessionTranscript) -> OpenTranscript:
    """Its first bytes are read. Raises TranscriptLost, also where retention removed it, and SessionUnknown
    where it was deleted meanwhile."""
    if transcript.content_removed_at:
        raise TranscriptRemoved(transcript.session_file)
    try:
        return _open(transcript)
    except TranscriptLost:
        # A longer upload may just have taken the place of a part. If not, it is lost again.
        return _open(transcript)


def _open(transcript: SessionTranscript) -> OpenTranscript:
    live = SessionTranscriptPart.objects.filter(transcript=transcript).live()
    parts = list(live.select_related("transcript").defer("fingerprint"))
    if not parts:
        raise SessionUnknown(transcript.owner_id, transcript.session_file)
    chunks = begun(_joined(transcript.session_file, parts))
    return OpenTranscript(chunks, parts[0].raw_bytes if len(parts) == 1 else None)


def _joined(session_file: str, parts: Sequence[SessionTranscriptPart]) -> Iterator[bytes]:
    last = b"\n"
    try:
        for part in parts:
            if not last.endswith(b"\n"):
                yield b"\n"
            for chunk in read_whole(part.storage_key, part.sha256, part.raw_bytes):
                yield chunk
                last = chunk
    except StoredFileDamaged as error:
        raise TranscriptLost(session_file, error) from error

"""All transcripts of a person as a zip, made while it is sent."""

from array import array
from collections.abc import Iterable, Iterator

from django.db.models import Count, Sum
from zipstream import ZIP_DEFLATED, ZipStream

from accounts.models import User
from accounts.streaming import AuditedStream
from telemetry.errors import SessionUnknown, TranscriptLost
from telemetry.models import SessionTranscript, SessionTranscriptPart
from telemetry.sessions.reading import open_transcript

# Of level 1, as fast as the rest of the way; transcripts shrink to a fifth.
COMPRESSION_LEVEL = 1
ROWS_AT_ONCE = 500
# Small pieces are sent together.
CHUNK_BYTES = 256 * 1024
LOST = "NOT-INCLUDED.txt"


def start_zip(person: User, *, actor: User) -> "SessionsZip":
    """Its audit row is written when this returns; close it, whatever happens."""
    # A folder of the zip is a session, so its transcripts come together; 8 bytes for each.
    transcripts = SessionTranscript.objects.of(person.pk).order_by("session_id", "agent_id")
    ids = array("q", transcripts.values_list("pk", flat=True).iterator())
    live = SessionTranscriptPart.objects.stored().filter(transcript__owner=person)
    totals = live.aggregate(files=Count("transcript", distinct=True), bytes=Sum("raw_bytes"))
    params = {"file_count": totals["files"], "total_bytes": totals["bytes"] or 0}
    return SessionsZip(person, ids, params, actor=actor)


class SessionsZip(AuditedStream):
    """The bytes of the zip. A transcript that is deleted meanwhile is left out; one whose file is lost is
    named in a file of its own, and in a second audit row."""

    action = "session.download_all"

    def __init__(self, person: User, ids: "array[int]", params: dict[str, int], *, actor: User) -> None:
        self.file_name = f"agnes-sessions-user-{person.pk}.zip"
        self._ids = ids
        self._lost: list[str] = []
        super().__init__(target=f"user:{person.pk}", params=params, actor=actor)

    def _chunks(self) -> Iterator[bytes]:
        return _gathered(self._zipped())

    def _zipped(self) -> Iterator[bytes]:
        archive = ZipStream(compress_type=ZIP_DEFLATED, compress_level=COMPRESSION_LEVEL)
        for transcript in self._transcripts():
            try:
                opened = open_transcript(transcript)
            except SessionUnknown:
                continue
            except TranscriptLost as error:
                self._lost.append(error.message)
                continue
            archive.add(opened.chunks, arcname=path_in_zip(transcript), size=opened.size)
            yield from archive.file()
        if self._lost:
            archive.add("\n".join(self._lost), arcname=LOST)
            yield from archive.file()
            self._record_now("incomplete", lost=len(self._lost))
        yield from archive.footer()

    def _transcripts(self) -> Iterator[SessionTranscript]:
        for start in range(0, len(self._ids), ROWS_AT_ONCE):
            some = self._ids[start : start + ROWS_AT_ONCE]
            known = SessionTranscript.objects.in_bulk(list(some))
            yield from (known[pk] for pk in some if pk in known)


def path_in_zip(transcript: SessionTranscript) -> str:
    """As Claude Code has them: `<session>.jsonl`, and `<session>/subagents/agent-<agent>.jsonl`.

    Made of the session_file's parts, of which the session has no underscore: so what stands for its dots
    makes no two names equal, and none is `..`.
    """
    stem = transcript.session_file.removesuffix(".jsonl")
    _owner, session, *agent = stem.split("_", 2)
    folder = session.replace(".", "_")
    return f"{folder}/subagents/agent-{agent[0]}.jsonl" if agent else f"{folder}.jsonl"


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= CHUNK_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if size:
        yield b"".join(gathered)

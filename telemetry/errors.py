"""What can go wrong with telemetry, as people meet it.

AgnesError
├── TranscriptRefused      the content is no transcript
├── SessionFileTaken       another session of the person has the same session_file
├── UploadTooLarge         over a limit of the settings
├── UploadCorrupt          does not inflate as its Content-Encoding says, or ended early
├── EncodingUnsupported    a Content-Encoding that Agnes does not know, or a form instead of a raw body
├── SessionWithheld        (410) the session was marked private or removed: it is never taken again
├── RecordsWithheld        (410) all that stands in the file are copies of such a session
├── NoListOfErasures       a file does not tell who was erased and which sessions may not be here
├── UploadBusy             nothing wrong: send it again
├── StoredFileLost         the upload cannot be compared: what is stored of its transcript is lost
├── TranscriptLost         a transcript cannot be read: what is stored of it is lost or damaged
│   └── TranscriptRemoved      (410) retention removed it
├── WhoseSession           several people have the session that an admin named
├── SessionUnknown         no transcript of this person has this session_file
├── UnknownProcessor       no processor has this name
├── WrongFilter            rows were asked for with filters that mean nothing
├── DatasetUnknown         no data set has this name, or none that one may see
├── RangeBeyondEnd         a download was to go on behind its end
├── ExportsBusy            as many exports are under way as may be at once
├── ExportFailed           the process that reads the lake for an export gave up
│   └── ExportTooWide          its rows take more memory than there is, even one by one
├── LakeNotBuilt           nothing to read yet
├── LakeChanged            what a reader held was removed meanwhile
├── LakeUnavailable        the lake cannot be reached, read or written
├── StorageUnavailable     the bucket of stored files cannot be reached, or refuses
├── PublisherBusy          another process writes to the lake
├── WrongQuestion          (ask.errors) empty or too long
├── QueryRejected          (ask.errors) the SQL does something else than read the tables
├── QueryFailed            (ask.errors) the engine's own error
├── QueryTooHeavy          (ask.errors) stopped: too much memory or time
├── AskBusy                (ask.errors) as many questions as may be are being answered
├── AskNotSetUp            (ask.errors) no provider is configured, or it refuses key, account or model
├── ProviderFailed         (ask.errors) the provider did not answer with a statement
├── NotAnswerable          (ask.errors) the tables do not answer the question
├── Unreadable             (intake.importing) a file that the import may not or cannot read
├── DemoBusy               (demo.removal) the demo's transcripts are being processed
└── DemoAddressTaken       (demo.world) somebody real has the address of an invented person

ClaimLost, TranscriptChanged and intake.importing.Stopped are told by one part to another and never reach a
person. StoredFileDamaged and StoredFileRemoved tell of a file: the API says TranscriptLost and
TranscriptRemoved of its transcript, pages and the errors that processors keep say their text.
"""

from pathlib import Path

from accounts.errors import AgnesError


class TranscriptRefused(AgnesError):
    status = 422
    code = "not_a_transcript"

    def __init__(self, reason: str, line: int | None = None) -> None:
        """`line` is the 1-based line on which the reason shows."""
        where = "" if line is None else f" (line {line})"
        super().__init__(
            f"Not a transcript: {reason}{where}.",
            "Upload a *.jsonl file of ~/.claude/projects as Claude Code wrote it.",
            {} if line is None else {"line": str(line)},
        )


class SessionFileTaken(AgnesError):
    """Only an id made for this purpose looks like the hash of another."""

    status = 422
    code = "session_file_taken"

    def __init__(self, session_file: str) -> None:
        super().__init__(
            f"Another session of yours is stored as {session_file} already.",
            "Upload *.jsonl files of ~/.claude/projects as Claude Code wrote them.",
        )


class UploadTooLarge(AgnesError):
    status = 413
    code = "too_large"

    def __init__(self, what: str, limit: int, setting: str) -> None:
        super().__init__(
            f"{what} is larger than {limit} bytes.",
            f"Leave this transcript out, or ask an operator to raise {setting}.",
        )


class UploadCorrupt(AgnesError):
    status = 422
    code = "corrupt"


class EncodingUnsupported(AgnesError):
    status = 415
    code = "unsupported_encoding"


class SessionWithheld(AgnesError):
    """`code` tells which it is, for clients: they need not try again."""

    status = 410
    code = "session_private"
    WORDS = {
        "private": ("session_private", "was marked private"),
        "erased": ("session_erased", "was removed by an admin"),
    }

    def __init__(self, reason: str) -> None:
        self.code, what = self.WORDS[reason]
        super().__init__(
            f"This session {what}: nothing of it is taken.",
            "Do not send it again. It cannot be brought back.",
        )


class RecordsWithheld(AgnesError):
    status = 410
    code = "records_private"

    def __init__(self) -> None:
        super().__init__(
            "All that stands in this file are copies of a session that was marked private or removed.",
            "Send it again once it has something of its own.",
        )


class NoListOfErasures(AgnesError):
    status = 422
    code = "no_list_of_erasures"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} does not tell who was erased: {reason}",
            "Name the file erasures.ndjson of a data folder, or a copy of it.",
        )


class UploadBusy(AgnesError):
    status = 503
    code = "busy"
    retry_after = 5


class StoredFileLost(AgnesError):
    status = 409
    code = "stored_file_lost"

    def __init__(self, key: str) -> None:
        super().__init__(
            "A longer file of this transcript was stored before, and is missing or damaged on the server.",
            "Upload that longer file again, or a still longer one; or ask an operator to restore "
            f"{key} from a backup.",
        )


class TranscriptLost(AgnesError):
    status = 409
    code = "stored_file_lost"

    def __init__(self, session_file: str, error: "StoredFileDamaged") -> None:
        super().__init__(
            f"{session_file} cannot be read. {error}",
            "Upload the transcript again, or restore its file from a backup.",
        )


class TranscriptRemoved(TranscriptLost):
    status = 410
    code = "removed_by_retention"

    def __init__(self, session_file: str) -> None:
        AgnesError.__init__(
            self,
            f"{session_file} is not kept any more: retention removed its file. Its figures stay.",
            "TRANSCRIPTS_RETENTION_DAYS says how long files are kept.",
        )


class SessionUnknown(AgnesError):
    status = 404
    code = "not_found"

    def __init__(self, user_id: int, session_file: str) -> None:
        super().__init__(
            f"Person {user_id} has no transcript {session_file[:200]!r}.",
            "GET /api/admin/users/{user_id}/sessions lists those that there are.",
        )


class WhoseSession(AgnesError):
    status = 422
    code = "whose_session"

    def __init__(self, user_ids: list[int]) -> None:
        super().__init__(
            "Several people have a session with this id.",
            "Say whose with user_id.",
            {"user_id": f"one of {', '.join(map(str, user_ids))}"},
        )


class UnknownProcessor(AgnesError):
    status = 422
    code = "unknown_processor"


class WrongFilter(AgnesError):
    status = 422
    code = "wrong_filter"

    def __init__(self, fields: dict[str, str], *, page: str = "docs/EXPORT.md") -> None:
        """`fields` says of each what it may be, `page` is where that is described."""
        wrong = "; ".join(f"{name}: {what}" for name, what in sorted(fields.items()))
        super().__init__(f"Wrong filter: {wrong}.", f"{page} describes the filters.", fields)


class DatasetUnknown(AgnesError):
    status = 404
    code = "not_found"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no data set {name[:60]!r}, or none that you may see.",
            "GET /api/datasets lists those that there are for you.",
        )


class RangeBeyondEnd(AgnesError):
    status = 416
    code = "range_beyond_end"

    def __init__(self, size: int) -> None:
        super().__init__(f"The data set has {size} bytes.", "Ask for it without a range.")


class ExportsBusy(AgnesError):
    status = 503
    code = "busy"
    retry_after = 30

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} exports or zips are under way, as many as the server makes at once.",
            "Start it again when one of them has ended, or ask an operator to raise AGNES_EXPORTS_AT_ONCE.",
        )


class ExportFailed(AgnesError):
    """`code` and `status` are those of what stopped the other process, where that is known."""

    status = 503
    code = "export_failed"

    def __init__(self, message: str, hint: str, *, code: str = "export_failed", status: int = 503) -> None:
        super().__init__(message, hint)
        self.code = code
        self.status = status


class ExportTooWide(ExportFailed):
    """Only rows of which all texts are as long as they may be take so much memory."""

    def __init__(self) -> None:
        super().__init__(
            "The export failed: its rows do not fit in the memory and the space of its process.",
            "Export a narrower range, such as a few hours, with since and until.",
        )


class LakeNotBuilt(AgnesError):
    status = 503
    code = "lake_not_built"

    def __init__(self) -> None:
        super().__init__(
            "The lake is not built yet.",
            "Wait until what was uploaded is published, or ask an operator to run manage.py lake_rebuild.",
        )


class LakeChanged(AgnesError):
    status = 503
    code = "lake_changed"

    def __init__(self, *, in_copies: bool = False) -> None:
        """`in_copies`: a local file that DuckDB read is gone, which may be a copy of one that is not."""
        super().__init__("The data changed while it was read.", "Start again.")
        self.in_copies = in_copies


class LakeUnavailable(AgnesError):
    status = 503
    code = "lake_unavailable"

    CURE = (
        "Check AGNES_LAKE_URL, the AWS_* settings and the space there. If its files were damaged or "
        "deleted, run `manage.py lake_rebuild`."
    )

    def __init__(self, reason: str, hint: str = CURE) -> None:
        super().__init__(f"The lake cannot be reached, read or written: {reason.rstrip('.')}.", hint)


class StorageUnavailable(AgnesError, OSError):
    """Also an OSError, as of a folder that cannot be read: no transcript's fault, and worth a second try."""

    status = 503
    code = "storage_unavailable"
    retry_after = 30

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The bucket of stored files cannot be reached or used: {reason.rstrip('.')}.",
            "Try again in a moment. If it goes on, have an operator check AGNES_STORAGE_URL and the AWS_* "
            "settings.",
        )


class PublisherBusy(AgnesError):
    status = 409
    code = "publisher_busy"

    def __init__(self) -> None:
        super().__init__("A publisher is at work on the lake.", "Try again in a minute.")


class ClaimLost(Exception):
    """What this worker had claimed expired, and another worker took it: stop, it goes on there."""


class TranscriptChanged(Exception):
    """A transcript changed while it was processed: leave it, it is pending again."""


class StoredFileDamaged(Exception):
    """A stored transcript file does not hold the bytes that were uploaded, or is not there."""

    def __init__(self, sha256: str, what: str) -> None:
        super().__init__(
            f"The stored file {sha256} {what}: upload the transcript again, or restore it from a backup."
        )


class StoredFileRemoved(StoredFileDamaged):
    """Retention removed it."""

    def __init__(self) -> None:
        Exception.__init__(
            self, "Retention removed the file of this transcript; what was extracted of it stays."
        )

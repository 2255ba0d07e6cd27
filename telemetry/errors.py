"""What can go wrong with telemetry, as people meet it.

AgnesError
├── TranscriptRefused      the content is no transcript
├── SessionFileTaken       another session of the person has the same session_file
├── UploadTooLarge         over a limit of the settings
├── UploadCorrupt          does not inflate as its Content-Encoding says, or ended early
├── EncodingUnsupported    a Content-Encoding that Agnes does not know, or a form instead of a raw body
├── UploadBusy             nothing wrong: send it again
├── StoredFileLost         the upload cannot be compared: what is stored of its transcript is lost
├── UnknownProcessor       no processor has this name
├── WrongFilter            an export was asked for with filters that mean nothing
├── ExportsBusy            as many exports are under way as may be at once
├── ExportFailed           the process that reads the lake for an export gave up
├── LakeNotBuilt           nothing to read yet
├── LakeChanged            what a reader held was removed meanwhile
├── LakeReadOnly           asked to do something else than to select
├── LakeUnavailable        the lake cannot be reached, read or written
├── Unreadable             (intake.importing) a file that the import may not or cannot read
├── DemoBusy               (demo.removal) the demo's transcripts are being processed
└── DemoAddressTaken       (demo.world) somebody real has the address of an invented person

ClaimLost, TranscriptChanged and intake.importing.Stopped are told by one part to another and never reach a
person.
"""

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


class UnknownProcessor(AgnesError):
    status = 422
    code = "unknown_processor"


class WrongFilter(AgnesError):
    status = 422
    code = "wrong_filter"

    def __init__(self, fields: dict[str, str]) -> None:
        """`fields` says of each what it may be."""
        wrong = "; ".join(f"{name}: {what}" for name, what in sorted(fields.items()))
        super().__init__(f"Wrong filter: {wrong}.", "docs/EXPORT.md describes the filters.", fields)


class ExportsBusy(AgnesError):
    status = 503
    code = "busy"
    retry_after = 30

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} exports are under way, as many as the server makes at once.",
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


class LakeReadOnly(AgnesError):
    status = 422
    code = "lake_read_only"

    def __init__(self) -> None:
        super().__init__("The lake can only be read.", "Ask with a single SELECT statement.")


class LakeUnavailable(AgnesError):
    status = 503
    code = "lake_unavailable"

    CURE = (
        "Check AGNES_LAKE_URL, the AWS_* settings and the space there. If its files were damaged or "
        "deleted, run `manage.py lake_rebuild`."
    )

    def __init__(self, reason: str, hint: str = CURE) -> None:
        super().__init__(f"The lake cannot be reached, read or written: {reason.rstrip('.')}.", hint)


class ClaimLost(Exception):
    """What this worker had claimed expired, and another worker took it: stop, it goes on there."""


class TranscriptChanged(Exception):
    """A transcript changed while it was processed: leave it, it is pending again."""


class StoredFileDamaged(Exception):
    """A stored transcript file does not hold the bytes that were uploaded."""

    def __init__(self, sha256: str, what: str) -> None:
        super().__init__(
            f"The stored file {sha256} {what}: upload the transcript again, or restore it from a backup."
        )

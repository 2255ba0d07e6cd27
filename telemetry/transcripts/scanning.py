"""Whose file is it: key, time span, client version and fingerprint of one file, in one pass."""

from collections.abc import Iterable
from dataclasses import dataclass

from telemetry.transcripts.fingerprints import Fingerprint, record_hash
from telemetry.transcripts.messages import message_key, tool_call_identity
from telemetry.transcripts.reading import RecordReader, TooManyLines
from telemetry.transcripts.records import Record
from telemetry.transcripts.values import clean, timestamp_ms

# Four times what a transcript of 1 GB holds: a hostile file of tiny lines must neither fill the memory nor
# keep a web thread for hours.
MAX_LINES = 2_000_000
# A damaged line costs ten times a good one.
MAX_MALFORMED_LINES = 100_000
MAX_RECORDS = 2_000_000
MAX_HASHES = 3_000_000
# Different session or agent ids in one file; a real one has two or three. Beyond, new ones are not counted.
MAX_IDS = 10_000


class NotATranscript(ValueError):
    """The file holds no user or assistant record of a transcript. `line` is where that shows, if anywhere."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class TooMuch(NotATranscript):
    """More lines, records or calls than any real transcript has."""


@dataclass(frozen=True)
class Scan:
    """What intake needs to know of one file. Times are milliseconds since 1970 UTC, over user and assistant
    records (copies included); None where no such record has one."""

    session_id: str
    agent_id: str
    first_ms: int | None
    last_ms: int | None
    client_version: str
    fingerprint: Fingerprint
    lines: int
    malformed_lines: int
    truncated_tail: bool


def scan(chunks: Iterable[bytes]) -> Scan:
    """Read a file once. Raises NotATranscript where no core user or assistant record is in it, or far too
    many are."""
    scanner = _Scanner(RecordReader(chunks, MAX_LINES, MAX_MALFORMED_LINES))
    return scanner.run()


class _Scanner:
    def __init__(self, reader: RecordReader) -> None:
        self.reader = reader
        self.session_ids: dict[str, int] = {}
        self.agent_ids: dict[str, int] = {}
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self.client_version = ""
        self.fingerprint = Fingerprint()
        self.seen: set[int] = set()
        self.stream_json_line: int | None = None

    def run(self) -> Scan:
        try:
            self._read_all()
        except TooManyLines as error:
            raise TooMuch(str(error), error.line) from error
        if not self.session_ids:
            raise self._refusal()
        return Scan(
            session_id=_most_frequent(self.session_ids),
            agent_id=_most_frequent(self.agent_ids),
            first_ms=self.first_ms,
            last_ms=self.last_ms,
            client_version=self.client_version,
            fingerprint=self.fingerprint,
            lines=self.reader.lines,
            malformed_lines=self.reader.malformed_lines,
            truncated_tail=self.reader.truncated_tail,
        )

    def _read_all(self) -> None:
        for number, record in enumerate(self.reader):
            if number == MAX_RECORDS or len(self.fingerprint) > MAX_HASHES:
                raise self._too_much()
            if record.is_core:
                self._read(record)
            elif self.stream_json_line is None and _is_stream_json(record):
                self.stream_json_line = self.reader.line_number

    def _read(self, record: Record) -> None:
        if record.type in ("user", "assistant"):
            self._read_spoken(record)
        uuid = record.uuid or ""
        record_id = record_hash(uuid)
        if record_id in self.seen:
            return
        self.seen.add(record_id)
        self.fingerprint.add_record(record_id)
        if record.type == "assistant":
            self._read_tool_calls(record)
            key = message_key(record)
            if key is not None:
                self.fingerprint.add_message(key)

    def _read_tool_calls(self, record: Record) -> None:
        """Counted while they are added: one line may hold half a million."""
        for index, block in enumerate(record.blocks):
            if block.type == "tool_use":
                if len(self.fingerprint) >= MAX_HASHES:
                    raise self._too_much()
                self.fingerprint.add_tool_call(tool_call_identity(record, index, block))

    def _too_much(self) -> TooMuch:
        return TooMuch(
            "the file holds more records or tool calls than any transcript", self.reader.line_number
        )

    def _read_spoken(self, record: Record) -> None:
        _count(self.session_ids, clean(record.sessionId))
        _count(self.agent_ids, clean(record.agentId))
        self.client_version = self.client_version or clean(record.version)
        moment = timestamp_ms(record.timestamp)
        if moment is not None:
            self.first_ms = moment if self.first_ms is None else min(self.first_ms, moment)
            self.last_ms = moment if self.last_ms is None else max(self.last_ms, moment)

    def _refusal(self) -> NotATranscript:
        reader = self.reader
        if self.stream_json_line is not None:
            return NotATranscript(
                "this is the output of `claude --output-format stream-json`, not a transcript",
                self.stream_json_line,
            )
        if not reader.lines and not reader.truncated_tail:
            return NotATranscript("the file is empty")
        if reader.malformed_lines == reader.lines and reader.non_object:
            line, kind = reader.non_object
            return NotATranscript(f"the line is a JSON {kind}, not an object", line)
        if reader.malformed_lines == reader.lines:
            what = "the file is binary, not text" if reader.is_binary else "no line of the file is JSON"
            return NotATranscript(what, reader.first_malformed_line or 1)
        return NotATranscript(
            "no line of the file is a user or assistant line of a transcript "
            "(with `type`, `sessionId` and `uuid`)",
            1,
        )


def _is_stream_json(record: Record) -> bool:
    return record.session_id is not None and record.sessionId is None


def _count(counts: dict[str, int], value: str) -> None:
    if value in counts or len(counts) < MAX_IDS:
        counts[value] = counts.get(value, 0) + 1


def _most_frequent(counts: dict[str, int]) -> str:
    """The most frequent value, ties: the one seen first."""
    return max(counts, key=lambda value: counts[value])

"""One pass over a transcript that makes its index. Holds a line at a time, and what is still open."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from telemetry.transcripts.figures import TOOL_ERROR_KINDS
from telemetry.transcripts.messages import message_key, tool_call_identity
from telemetry.transcripts.prompts import UserClass, classify, is_steering_prompt
from telemetry.transcripts.reading import Documents, is_overfull
from telemetry.transcripts.records import Record, Usage, decode_record, lenient_record
from telemetry.transcripts.results import call_result
from telemetry.transcripts.values import clean, timestamp_ms, token_count
from telemetry.viewing.entries import is_known_type, is_shown
from telemetry.viewing.index import About, IndexWriter, Mark, Place, Turn
from telemetry.viewing.lines import Line, lines_of

# A page ends with the first of these: it is as quick to read, and to make, as the smallest one.
PAGE_LINES = 200
PAGE_BYTES = 512 * 1024
PAGE_BLOCKS = 1_000
# So many calls wait for their results, and so many messages for further pieces. A call that waits longer is
# shown without its result, which then stands where the file has it.
OPEN_CALLS = 100_000
OPEN_MESSAGES = 10_000
TYPE_NAMES = 20
OTHER_TYPES = "(others)"
# How finely the time line tells moments apart.
STRETCHES = 120

PROMPT_CLASSES = frozenset(
    {UserClass.HUMAN_PROMPT, UserClass.PROGRAMMATIC_PROMPT, UserClass.COMMAND, UserClass.PLAN}
)
TURN_CLASSES = PROMPT_CLASSES | {UserClass.NOTIFICATION, UserClass.PEER}
NO_USAGE = Usage()


def make_index(
    writer: IndexWriter, parts: Sequence[Iterable[bytes]], *, agent_id: str, span: tuple[int, int] | None
) -> None:
    """Read the parts of a transcript, in their order, and write their index.

    `span` are the first and last moment of the time line, in milliseconds; None where it has no times.
    """
    indexing = _Indexing(writer, agent_id, span)
    for number, chunks in enumerate(parts):
        indexing.read_part(number, chunks)
    indexing.finish()


class _Indexing:
    def __init__(self, writer: IndexWriter, agent_id: str, span: tuple[int, int] | None) -> None:
        self.writer = writer
        self.is_main = agent_id == ""
        self.about = About(first_ms=span[0] if span else None, last_ms=span[1] if span else None)
        self.timeline = _Timeline(span)
        self.turns = _Turns(writer)
        self.left_out: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        # Hashes, as in extraction: the uuids themselves would take twice the memory.
        self.seen: set[int] = set()
        # Where calls without a result stand: page and line. By hash, too, since ids may be of any length.
        self.open_calls: dict[int, tuple[int, int]] = {}
        self.page_lines = self.page_bytes = self.page_blocks = 0

    def read_part(self, part: int, chunks: Iterable[bytes]) -> None:
        last = self.about.lines
        for line in lines_of(chunks, last + 1):
            self._read_line(part, line)
            last = line.number
        self.about.lines = last

    def finish(self) -> None:
        self.turns.finish()
        about = self.about
        about.left_out, about.unknown = dict(self.left_out), dict(self.unknown)
        about.marks = self.timeline.marks
        self.writer.finish(about)

    def _read_line(self, part: int, line: Line) -> None:
        self._turn_page(line.length)
        place = Place(line.number, part, line.offset, line.length)
        records, is_wanted = ([], True) if line.is_too_long else _records(line.content)
        if is_wanted and not line.has_end:
            # Of a line that is still being written nothing counts (COUNTING section 1).
            self.about.unfinished_lines.append(line.number)
            records = []
        else:
            self.about.broken_lines += is_wanted
        for record in records:
            is_wanted |= self._read(record, place)
        if is_wanted:
            self.writer.add_place(self.about.pages, place)
            self.page_lines += 1
            self.page_bytes += line.length
            self.page_blocks += sum(len(record.blocks) for record in records)

    def _turn_page(self, more: int) -> None:
        if self.page_lines and (
            self.page_lines >= PAGE_LINES
            or self.page_bytes + more > PAGE_BYTES
            or self.page_blocks >= PAGE_BLOCKS
        ):
            self.about.pages += 1
            self.page_lines = self.page_bytes = self.page_blocks = 0

    def _read(self, record: Record, place: Place) -> bool:
        """Whether the record is to be seen on the page where it stands."""
        if not is_shown(record):
            self.left_out[record.type or ""] += 1
            return False
        if not record.is_core:
            if not is_known_type(record):
                self._count_unknown(clean(record.type) or "none")
            return True
        if self._is_copy(record.uuid or ""):
            self.about.copies += 1
            return False
        if record.type == "user":
            return self._read_user(record, place)
        if record.type == "assistant":
            self._read_assistant(record, place)
        elif is_steering_prompt(record):
            self._mark("prompts", record, place.line)
        return True

    def _count_unknown(self, name: str) -> None:
        known = name in self.unknown or len(self.unknown) < TYPE_NAMES
        self.unknown[name if known else OTHER_TYPES] += 1

    def _is_copy(self, uuid: str) -> bool:
        if hash(uuid) in self.seen:
            return True
        self.seen.add(hash(uuid))
        return False

    def _read_user(self, record: Record, place: Place) -> bool:
        main_thread = self.is_main and record.isSidechain is not True
        user_class = classify(record, main_thread=main_thread)
        if user_class is UserClass.TOOL_RESULT:
            return self._read_results(record, place)
        by_agent = user_class is UserClass.BY_AGENT and not self.is_main and record.isMeta is not True
        if by_agent or user_class in TURN_CLASSES:
            self.turns.begin(self.about.pages, place.line)
        if by_agent or user_class in PROMPT_CLASSES:
            self._mark("prompts", record, place.line)
        return True

    def _read_results(self, record: Record, place: Place) -> bool:
        """Give results to the pages of their calls; here stays what has no call before this page."""
        stays = False
        for block in record.blocks:
            if block.type != "tool_result":
                stays = True
                continue
            page, line = self.open_calls.pop(hash(block.tool_use_id or ""), (self.about.pages, place.line))
            if call_result(record, block).error_kind in TOOL_ERROR_KINDS:
                self._mark("errors", record, line, page)
            if page == self.about.pages:
                stays = True
            else:
                self.writer.add_place(page, place._replace(only_answers=True))
        return stays

    def _read_assistant(self, record: Record, place: Place) -> None:
        if record.isApiErrorMessage is True:
            self._mark("errors", record, place.line)
        self.turns.add_message(record)
        for index, block in enumerate(record.blocks):
            if block.type in ("tool_use", "server_tool_use"):
                self._mark("calls", record, place.line)
            if block.type == "tool_use":
                call = hash(tool_call_identity(record, index, block))
                self.open_calls[call] = (self.about.pages, place.line)
        while len(self.open_calls) > OPEN_CALLS:
            del self.open_calls[next(iter(self.open_calls))]

    def _mark(self, what: str, record: Record, line: int, page: int | None = None) -> None:
        self.timeline.mark(what, timestamp_ms(record.timestamp), page or self.about.pages, line)


def _records(content: bytes) -> tuple[list[Record], bool]:
    """The records of a line, and whether something else stands there."""
    if not is_overfull(content):
        try:
            return [decode_record(content)], False
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    documents = Documents(content)
    records = [lenient_record(value) for value in documents]
    return records, documents.malformed


class _Timeline:
    def __init__(self, span: tuple[int, int] | None) -> None:
        self.span = span
        self.marks: dict[str, list[Mark]] = {"prompts": [], "calls": [], "errors": []}
        self._by_stretch: dict[tuple[str, int], Mark] = {}

    def mark(self, what: str, at_ms: int | None, page: int, line: int) -> None:
        if self.span is None or at_ms is None:
            return
        first, last = self.span
        stretch = (at_ms - first) * STRETCHES // (last - first + 1)
        stretch = min(max(stretch, 0), STRETCHES - 1)
        mark = self._by_stretch.get((what, stretch))
        if mark is None:
            mark = self._by_stretch[what, stretch] = Mark(stretch, 0, page, line)
            self.marks[what].append(mark)
        mark.count += 1


class _Turns:
    """Adds up what turns took: each message once, by its record with the most output (COUNTING 7)."""

    def __init__(self, writer: IndexWriter) -> None:
        self._writer = writer
        self._number = 0
        self._open: dict[int, tuple[int, int, int, int, int]] = {}
        self._settled: set[int] = set()
        writer.add_turn(Turn(0, 0, 0))

    def begin(self, page: int, line: int) -> None:
        self._number += 1
        self._writer.add_turn(Turn(self._number, page, line))

    def add_message(self, record: Record) -> None:
        key = message_key(record)
        if key is None or hash(key) in self._settled:
            return
        usage = (record.message.usage if record.message else None) or NO_USAGE
        known = self._open.get(hash(key))
        output = token_count(usage.output_tokens)
        if known and output < known[1]:
            return
        self._open[hash(key)] = (
            token_count(usage.input_tokens),
            output,
            token_count(usage.cache_read_input_tokens),
            token_count(usage.cache_creation_input_tokens),
            known[4] if known else self._number,
        )
        if len(self._open) >= OPEN_MESSAGES:
            self._settle(OPEN_MESSAGES // 2)

    def finish(self) -> None:
        self._settle(len(self._open))

    def _settle(self, count: int) -> None:
        """Write down the first so many, which get no further pieces."""
        keys = list(islice(self._open, count))
        self._writer.add_messages(self._open.pop(key) for key in keys)
        self._settled.update(keys)

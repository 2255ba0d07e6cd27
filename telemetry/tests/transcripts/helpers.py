"""Short ways to what a few lines of a transcript give."""

from telemetry.tests.builders import Line, transcript_bytes
from telemetry.transcripts.extracting import Extraction, extract
from telemetry.transcripts.figures import Event, Figures, UsageMessage
from telemetry.transcripts.fingerprints import Fingerprint
from telemetry.transcripts.reading import RecordReader
from telemetry.transcripts.records import Record
from telemetry.transcripts.scanning import scan

AnyLine = Line | bytes | str


def reader_of(content: bytes) -> tuple[list[Record], RecordReader]:
    """The records of a file, and the reader that has read them."""
    reader = RecordReader([content])
    return list(reader), reader


def extraction_of(*lines: AnyLine, agent_id: str = "") -> Extraction:
    return extract([[transcript_bytes(lines)]], agent_id=agent_id)


def extraction_of_parts(*parts: list[AnyLine]) -> Extraction:
    return extract([[transcript_bytes(lines)] for lines in parts])


def figures_of(*lines: AnyLine, agent_id: str = "") -> Figures:
    return extraction_of(*lines, agent_id=agent_id).figures


def events_of(*lines: AnyLine, agent_id: str = "") -> list[Event]:
    return list(extraction_of(*lines, agent_id=agent_id).events)


def event_of(*lines: AnyLine, agent_id: str = "") -> Event:
    (event,) = events_of(*lines, agent_id=agent_id)
    return event


def messages_of(*lines: AnyLine) -> list[UsageMessage]:
    return list(extraction_of(*lines).messages)


def fingerprint_of(*lines: AnyLine) -> Fingerprint:
    return scan([transcript_bytes(lines)]).fingerprint

"""Chunks of lines of JSON as rows of a table, in either database."""

import io
import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, cast

import msgspec
import zstandard
from django.db import connection

from agnes.backup.archive import MemberStream
from agnes.backup.tables import Column, Header, Kind
from telemetry.database.bulk import Row, insert_into

Convert = Callable[[Any], Any]
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Chunk:
    """Rows of a chunk, as this database takes them; read them once."""

    def __init__(self, stream: MemberStream) -> None:
        reader = zstandard.ZstdDecompressor().stream_reader(cast(IO[bytes], stream))
        self.lines = io.BufferedReader(reader)
        self.header = msgspec.json.decode(self.lines.readline(), type=Header)

    def load(self) -> int:
        """Insert them; how many there were."""
        rows = _Counted(self._rows())
        insert_into(self.header.table, [column.name for column in self.header.columns], rows)
        return rows.count

    def count(self) -> int:
        """Only read them."""
        return sum(1 for _ in self.lines)

    def _rows(self) -> Iterator[Row]:
        decode = msgspec.json.Decoder().decode
        conversions = conversions_of(self.header.columns, connection.vendor)
        for line in self.lines:
            row = decode(line)
            for place, convert in conversions:
                row[place] = convert(row[place])
            yield tuple(row)


class _Counted:
    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            yield row


def conversions_of(columns: Sequence[Column], vendor: str) -> list[tuple[int, Convert]]:
    """The places of the columns whose values this database takes in another form."""
    found: list[tuple[int, Convert]] = []
    for place, column in enumerate(columns):
        if column.kind is Kind.JSON and not column.nullable:
            # An absent value can only be JSON's own.
            found.append((place, _json))
        elif convert := _CONVERSIONS[vendor].get(column.kind):
            found.append((place, _unless_null(convert)))
    return found


def _unless_null(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _json(value: Any) -> str:
    text = json.dumps(value)
    # What PostgreSQL takes in no text; intake replaces it the same way.
    return json.dumps(_without_nul(value)) if "\\u0000" in text else text


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return _text(value)
        case list():
            return [_without_nul(one) for one in value]
        case dict():
            return {_text(name): _without_nul(one) for name, one in value.items()}
    return value


def _text(value: str) -> str:
    return value.replace("\x00", REPLACEMENT)


# As Django's backends write them.
_CONVERSIONS: dict[str, dict[Kind, Convert]] = {
    "sqlite": {
        Kind.MOMENT: lambda value: value.removesuffix("Z").replace("T", " "),
        Kind.UUID: lambda value: value.replace("-", ""),
        Kind.JSON: _json,
        Kind.BYTES: b64decode,
    },
    "postgresql": {Kind.TEXT: _text, Kind.JSON: _json, Kind.BYTES: b64decode},
}

"""What of a transcript leaves the machine: complete lines, without copies of private sessions' records and
without credentials; compressed."""

import hashlib
import os
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from agnes.cli.errors import LocalTrouble
from agnes.cli.private.copies import CopyFilter
from agnes.cli.push.lines import complete_lines
from agnes.cli.redaction.redacting import redact

# Larger ones go to a file that no other program sees.
IN_MEMORY_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
GZIP = 16 + zlib.MAX_WBITS
LEVEL = 6


@dataclass
class Body:
    """`size` and `mtime_ns` are those of the file when it was read, `sha256` that of what is sent, before it
    is compressed. `has_messages`: whether there is anything to count in it."""

    file: IO[bytes]
    size: int
    mtime_ns: int
    sha256: str = ""
    has_messages: bool = False
    redacted: Counter[str] = field(default_factory=Counter)

    @property
    def length(self) -> int:
        """In bytes, compressed."""
        return self.file.seek(0, os.SEEK_END)

    def chunks(self) -> Iterator[bytes]:
        """From the beginning, as often as is needed."""
        self.file.seek(0)
        while chunk := self.file.read(CHUNK_BYTES):
            yield chunk


@contextmanager
def made_of(path: str, copies: CopyFilter) -> Iterator[Body]:
    """Raises LocalTrouble, and FileNotFoundError where Claude Code has removed the file."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as spool:
        try:
            with open(path, "rb") as file:
                body = _make(file, spool, copies)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise LocalTrouble(
                f"{path} cannot be read: {error.strerror}.", "Make it readable, or make room for a copy."
            ) from error
        yield body


def _make(file: IO[bytes], spool: IO[bytes], copies: CopyFilter) -> Body:
    now = os.fstat(file.fileno())
    body = Body(spool, now.st_size, now.st_mtime_ns)
    digest = hashlib.sha256()
    compressor = zlib.compressobj(LEVEL, wbits=GZIP)

    def lines() -> Iterable[bytes]:
        file.seek(0)
        return complete_lines(file, body.size)

    for line in copies.passing(lines):
        redacted, found = redact(line)
        body.redacted += found
        body.has_messages = body.has_messages or _is_message(redacted)
        digest.update(redacted)
        spool.write(compressor.compress(redacted))
    spool.write(compressor.flush())
    body.sha256 = digest.hexdigest()
    return body


def _is_message(line: bytes) -> bool:
    """At a glance: the server looks closely."""
    return b'"sessionId"' in line and b'"uuid"' in line and (b'"user"' in line or b'"assistant"' in line)

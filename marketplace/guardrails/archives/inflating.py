"""The content of one member: real bytes are counted, and what differs from the directory is refused."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from marketplace.guardrails import limits
from marketplace.guardrails.archives.directory import DEFLATED, LOCAL, REZIP, Directory, Member
from marketplace.guardrails.citing import reject
from marketplace.guardrails.errors import Refused
from marketplace.guardrails.records import Finding

_LOCAL = struct.Struct("<4s5H3L2H")
CHUNK_BYTES = 64 * 1024


def read_member(file: BinaryIO, member: Member) -> bytes:
    """Raises Refused where the content is not what the directory says, after as many bytes as it says."""
    file.seek(_data_start(file, member))
    if member.method == DEFLATED:
        content = _inflated(file, member)
    else:
        content = file.read(member.packed_size) if member.packed_size == member.size else b""
    if len(content) != member.size or zlib.crc32(content) != member.crc:
        raise _lies(member)
    return content


def _lies(member: Member) -> Refused:
    text = "Its content is not what the archive's directory says."
    return Refused([reject("archive_lies", text, REZIP, member.name)])


def _data_start(file: BinaryIO, member: Member) -> int:
    file.seek(member.offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(LOCAL):
        raise _lies(member)
    fields = _LOCAL.unpack(header)
    if fields[3] != member.method or fields[2] & 1 or file.read(fields[9]) != member.raw_name:
        raise _lies(member)
    return int(member.offset + _LOCAL.size + fields[9] + fields[10])


def _inflated(file: BinaryIO, member: Member) -> bytes:
    parts: list[bytes] = []
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    left, size = member.packed_size, 0
    try:
        while left and not inflating.eof:
            chunk = file.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise _lies(member)
            left -= len(chunk)
            for part in _parts(inflating, chunk):
                size += len(part)
                if size > min(member.size, limits.FILE_BYTES):
                    raise _lies(member)
                parts.append(part)
    except zlib.error:
        raise _lies(member) from None
    if left or inflating.unused_data or not inflating.eof:
        raise _lies(member)
    return b"".join(parts)


def _parts(inflating: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    while chunk and not inflating.eof:
        yield inflating.decompress(chunk, CHUNK_BYTES)
        chunk = inflating.unconsumed_tail
    # What is still inside comes out although there is no further input.
    while not inflating.eof and (part := inflating.decompress(b"", CHUNK_BYTES)):
        yield part


def check_places(file: BinaryIO, directory: Directory) -> Iterable[Finding]:
    """Members follow each other without overlapping, and nothing is hidden between them."""
    at = 0
    for member in sorted(directory.members, key=lambda member: member.offset):
        if member.offset < at:
            yield reject("archive_overlaps", "It shares bytes with another file.", REZIP, member.name)
            return
        if member.offset - at > limits.DESCRIPTOR_BYTES:
            yield reject("archive_hides", "Something is hidden in front of it.", REZIP, member.name)
            return
        at = _data_start(file, member) + member.packed_size
    if not 0 <= directory.offset - at <= limits.DESCRIPTOR_BYTES:
        yield reject("archive_hides", "Something is hidden behind its last file.", REZIP)

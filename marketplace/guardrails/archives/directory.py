"""The central directory of a .zip, read strictly: what tools could read in two ways is refused."""

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from marketplace.guardrails import limits
from marketplace.guardrails.citing import reject
from marketplace.guardrails.errors import Refused
from marketplace.guardrails.records import Finding

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_ZIP64_LOCATOR = b"PK\x06\x07"
_END_SEARCHED_BYTES = _END.size + 0xFFFF
STORED, DEFLATED = 0, 8
_ENCRYPTED_FLAGS = 1 << 0 | 1 << 5 | 1 << 6 | 1 << 13
UTF8_FLAG = 1 << 11
_UNICODE_PATH = 0x7075
_UNIX, _MACOS = 3, 19
REZIP = "Pack the folder again with your system's own “compress” or `zip -r`."


@dataclass(frozen=True, slots=True)
class Member:
    """An entry of the directory. `offset` is where its local header begins; sizes are declared, in bytes."""

    name: str
    raw_name: bytes
    method: int
    crc: int
    packed_size: int
    size: int
    mode: int
    offset: int

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


@dataclass(frozen=True, slots=True)
class Directory:
    members: list[Member]
    offset: int


def read_directory(file: BinaryIO) -> Directory:
    """Raises Refused for what is no .zip, or one that only some tools can read."""
    file.seek(0, 2)
    size = file.tell()
    end_at, end = _end_record(file, size)
    _, disk, start_disk, here, count, length, offset, _ = end
    if disk or start_disk or here != count:
        raise _refused("archive_in_parts", "The archive is one part of several.", "Pack it in one piece.")
    if count > limits.ENTRIES or length > limits.DIRECTORY_BYTES:
        raise _refused(
            "too_many_files", f"The archive lists {count} entries.", f"Take at most {limits.FILES} files."
        )
    if offset + length != end_at:
        raise _refused("archive_ambiguous", "Its directory is not where its end says.", REZIP)
    file.seek(offset)
    members = list(_members(file.read(length), count))
    _check_start(file, members)
    return Directory(members, offset)


def _refused(code: str, text: str, cure: str, path: str = "") -> Refused:
    return Refused([reject(code, text, cure, path)])


def _end_record(file: BinaryIO, size: int) -> tuple[int, tuple[int, ...]]:
    start = max(0, size - _END_SEARCHED_BYTES)
    file.seek(start)
    tail = file.read(_END_SEARCHED_BYTES)
    places = [at for at in _all_places(tail) if _ends_here(tail, at)]
    if len(places) != 1:
        what = "It has more than one end." if places else "It is no .zip, or a part of it is missing."
        raise _refused("archive_unreadable", what, REZIP)
    [at] = places
    end = _END.unpack_from(tail, at)
    has_zip64 = tail[max(0, at - 20) : at].startswith(_ZIP64_LOCATOR)
    if has_zip64 or 0xFFFF in end[3:5] or 0xFFFFFFFF in end[5:7]:
        raise _refused("archive_zip64", "It is in the form for archives over 4 GB.", REZIP)
    return start + at, end


def _all_places(tail: bytes) -> Iterator[int]:
    at = tail.find(END)
    while at >= 0:
        yield at
        at = tail.find(END, at + 1)


def _ends_here(tail: bytes, at: int) -> bool:
    if at + _END.size > len(tail):
        return False
    return at + _END.size + int(_END.unpack_from(tail, at)[-1]) == len(tail)


def _members(directory: bytes, count: int) -> Iterator[Member]:
    at = 0
    for _ in range(count):
        if directory[at : at + 4] != CENTRAL or at + _CENTRAL.size > len(directory):
            raise _refused("archive_unreadable", "Its directory is damaged.", REZIP)
        fields = _CENTRAL.unpack_from(directory, at)
        name_end = at + _CENTRAL.size + fields[10]
        extra_end = name_end + fields[11]
        end = extra_end + fields[12]
        if end > len(directory):
            raise _refused("archive_unreadable", "Its directory is damaged.", REZIP)
        yield _member(fields, directory[at + _CENTRAL.size : name_end], directory[name_end:extra_end])
        at = end
    if at != len(directory):
        raise _refused("archive_ambiguous", "Its directory lists more than it counts.", REZIP)


def _member(fields: tuple[int, ...], raw_name: bytes, extra: bytes) -> Member:
    _, made_by, _, flags, method, _, _, crc, packed, size, _, _, _, disk, _, attributes, offset = fields
    name = _decoded(raw_name)
    if flags & _ENCRYPTED_FLAGS:
        raise _refused("archive_encrypted", "It is encrypted.", "Pack it without a password.", name)
    if method not in (STORED, DEFLATED):
        raise _refused("archive_method", f"It is packed with method {method}.", REZIP, name)
    if disk or 0xFFFFFFFF in (packed, size, offset):
        raise _refused("archive_zip64", "Its sizes are in the form for over 4 GB.", REZIP, name)
    _check_extra(extra, raw_name, name)
    mode = attributes >> 16 if made_by >> 8 in (_UNIX, _MACOS) or attributes >> 16 else 0
    return Member(name, raw_name, method, crc, packed, size, mode, offset)


def _decoded(raw_name: bytes) -> str:
    """macOS writes UTF-8 without saying so, hence the flag is not asked."""
    try:
        return raw_name.decode("utf-8")
    except UnicodeDecodeError:
        shown = raw_name.decode("utf-8", "backslashreplace")
        raise _refused(
            "name_encoding", "A file name is not in UTF-8.", "Rename it with plain letters.", shown
        ) from None


def _check_extra(extra: bytes, raw_name: bytes, name: str) -> None:
    """A second name in the extra field, which some tools prefer, must be the same."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        value = extra[at + 4 : at + 4 + length]
        if kind == _UNICODE_PATH and value[5:] != raw_name:
            raise _refused("archive_ambiguous", "It has two different names.", REZIP, name)
        at += 4 + length


def _check_start(file: BinaryIO, members: list[Member]) -> None:
    if not members:
        raise _refused("empty", "The archive is empty.", "Add a SKILL.md, or a plugin's folder.")
    file.seek(0)
    if min(member.offset for member in members) != 0 or file.read(4) != LOCAL:
        raise _refused("archive_prefixed", "There is something in front of the archive.", REZIP)


def check_members(members: list[Member]) -> Iterator[Finding]:
    """What the directory alone tells: kinds of entries, sizes, ratios, counts."""
    for member in members:
        yield from _check_kind(member)
        yield from _check_size(member)
    files = [member for member in members if not member.is_folder]
    size, packed = sum(file.size for file in files), sum(file.packed_size for file in files)
    if size > limits.UNPACKED_BYTES:
        yield reject(
            "too_large", f"Unpacked it has {size} bytes.", f"Take at most {limits.UNPACKED_BYTES} bytes."
        )
    if size > limits.RATIO_FROM_BYTES and size > limits.RATIO * packed:
        yield reject("bomb", f"{packed} bytes unpack to {size}.", "Leave out the files that are made up.")


def _check_kind(member: Member) -> Iterator[Finding]:
    kind = stat.S_IFMT(member.mode)
    if kind == stat.S_IFLNK:
        yield reject("link", "It is a symbolic link.", "Put the file itself in its place.", member.name)
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield reject("special_file", "It is no ordinary file.", "Leave it out.", member.name)
    elif member.is_folder and (member.size or kind == stat.S_IFREG):
        yield reject("archive_ambiguous", "It is a folder with content.", REZIP, member.name)
    elif kind == stat.S_IFDIR and not member.is_folder:
        yield reject("archive_ambiguous", "It is named as a file and marked as a folder.", REZIP, member.name)


def _check_size(member: Member) -> Iterator[Finding]:
    if member.size > limits.FILE_BYTES:
        yield reject(
            "file_too_large",
            f"It has {member.size} bytes.",
            f"Take files of at most {limits.FILE_BYTES} bytes.",
            member.name,
        )
    if member.size > limits.RATIO_FROM_BYTES and member.size > limits.RATIO * member.packed_size:
        yield reject(
            "bomb",
            f"{member.packed_size} bytes unpack to {member.size}.",
            "Leave it out, or make it while running.",
            member.name,
        )

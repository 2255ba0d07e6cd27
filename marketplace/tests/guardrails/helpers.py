"""Uploads, written as Python dicts, and archives as no packer would write them."""

import io
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.guardrails import Inspection, Kind, KnownNames, Severity, UploadedFile, inspect

SKILL = "---\nname: row-counter\ndescription: Counts the rows of a file.\n---\n\nCount them.\n"
MANIFEST = ".claude-plugin/plugin.json"
Files = Mapping[str, Any]


def as_bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED, modes: Mapping[str, int] | None = None) -> bytes:
    """As Python packs it; `modes` are those of Unix, with the type of the entry."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(path, (2026, 1, 2, 3, 4, 6))
            info.external_attr = (modes or {}).get(path, stat.S_IFREG | 0o644) << 16
            archive.writestr(info, as_bytes(content), method)
    return target.getvalue()


def plugin(files: Files, **manifest: Any) -> dict[str, Any]:
    """The files of a plugin `kit`, and its manifest."""
    return {MANIFEST: {"name": "kit", **manifest}, **files}


def skill(body: str = "Count them.\n", **front_matter: Any) -> str:
    values = {"name": "row-counter", "description": "Counts rows.", **front_matter}
    lines = "".join(f"{key}: {value}\n" for key, value in values.items())
    return f"---\n{lines}---\n\n{body}"


def uploaded(folder: Path, files: Files) -> list[UploadedFile]:
    """Several files, as a browser sends a folder."""
    uploads = []
    for number, (path, content) in enumerate(files.items()):
        stored = folder / f"upload-{number}"
        stored.write_bytes(as_bytes(content))
        uploads.append(UploadedFile(path, stored))
    return uploads


@dataclass
class Look:
    """Inspects what it is given, in this process. `known` are the names of others."""

    folder: Path

    def __call__(self, files: Files | bytes, known: KnownNames | None = None, **wanted: Any) -> Inspection:
        """A .zip of these files, or these bytes as `kit.zip`."""
        content = files if isinstance(files, bytes) else zipped(files)
        return self.files({"kit.zip": content}, known, **wanted)

    def files(self, files: Files, known: KnownNames | None = None, **wanted: Any) -> Inspection:
        return inspect(uploaded(self.folder, files), known or KnownNames(), **wanted)

    def page(self, text: str | bytes, name: str = "row-counter.md", kind: Kind | None = None) -> Inspection:
        return self.files({name: text}, wanted_kind=kind)


def codes(inspection: Inspection, severity: str = "") -> set[str]:
    return {item.code for item in inspection.findings if not severity or item.severity is Severity(severity)}


@dataclass
class Part:
    """One member as raw bytes; what is None is told truly."""

    name: bytes
    content: bytes = b"x"
    method: int = zipfile.ZIP_DEFLATED
    flags: int = 0
    size: int | None = None
    crc: int | None = None
    extra: bytes = b""
    local_name: bytes | None = None
    attributes: int = (stat.S_IFREG | 0o644) << 16
    packed: bytes | None = None
    offset: int | None = None


def raw_zip(parts: list[Part], between: bytes = b"", comment: bytes = b"") -> bytes:
    """`between` stands in front of each member but the first."""
    body, directory = b"", b""
    for part in parts:
        packed = part.packed if part.packed is not None else _packed(part)
        size = len(part.content) if part.size is None else part.size
        crc = zlib.crc32(part.content) if part.crc is None else part.crc
        body += between if body else b""
        offset = len(body) if part.offset is None else part.offset
        name = part.name if part.local_name is None else part.local_name
        common = (part.flags, part.method, 0, 0x5C21, crc, len(packed), size)
        if part.offset is None:
            body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, *common, len(name), 0) + name + packed
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 0x314, 20, *common, len(part.name), len(part.extra), 0, 0, 0,
            part.attributes, offset,
        ) + part.name + part.extra  # fmt: skip
    count = len(parts)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), len(comment))
    return body + directory + end + comment


def _packed(part: Part) -> bytes:
    if part.method != zipfile.ZIP_DEFLATED:
        return part.content
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packing.compress(part.content) + packing.flush()

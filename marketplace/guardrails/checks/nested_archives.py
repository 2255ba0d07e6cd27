"""Archives inside the upload: nobody looks into them, so somebody has to look at them."""

from collections.abc import Iterator

from marketplace.guardrails.citing import hold
from marketplace.guardrails.records import Finding
from marketplace.guardrails.subject import FileContent

_BEGINNINGS = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"PK\x07\x08": "zip",
    b"\x1f\x8b": "gzip",
    b"\x1f\x9d": "compress",
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"(\xb5/\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"MSCF": "cabinet",
    b"!<arch>\n": "ar",
    b"\xed\xab\xee\xdb": "rpm",
    b"xar!": "xar",
    b"070701": "cpio",
    b"070707": "cpio",
    b"LZIP": "lzip",
}
_ENDINGS = (
    ".zip",
    ".tar",
    ".gz",
    ".tgz",
    ".bz2",
    ".tbz2",
    ".xz",
    ".txz",
    ".7z",
    ".rar",
    ".zst",
    ".lz4",
    ".jar",
    ".war",
    ".ear",
    ".whl",
    ".egg",
    ".mcpb",
    ".dxt",
    ".vsix",
    ".crx",
    ".xpi",
    ".apk",
    ".ipa",
    ".deb",
    ".rpm",
    ".iso",
    ".dmg",
    ".pkg",
    ".nupkg",
    ".gem",
    ".asar",
    ".cab",
    ".cpio",
)
_END_BYTES = 22
_CURE = "Put its files into the upload instead, or leave it out."


def check_nested_archives(file: FileContent) -> Iterator[Finding]:
    kind = _kind(file.content)
    if kind is None and file.path.lower().endswith(_ENDINGS):
        kind = "by its name"
    if kind is not None:
        yield hold("nested_archive", f"It is an archive ({kind}) inside the upload.", _CURE, file.path)


def _kind(content: bytes) -> str | None:
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    if content.startswith(b"BZh") and content[4:10] == b"1AY&SY":
        return "bzip2"
    if content[257:262] == b"ustar":
        return "tar"
    return "zip behind something else" if _ends_as_zip(content) else None


def _ends_as_zip(content: bytes) -> bool:
    """Readers look for its end in the last 64 KB, whatever follows."""
    end = content.rfind(b"PK\x05\x06", max(0, len(content) - _END_BYTES - 0xFFFF))
    directory = content.rfind(b"PK\x01\x02", 0, max(0, end))
    return directory >= 0 and content.rfind(b"PK\x03\x04", 0, directory) >= 0

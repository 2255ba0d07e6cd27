"""Undo a Content-Encoding piece by piece: however hostile the input, an output chunk stays small."""

import zlib
from collections.abc import Callable, Iterable, Iterator

import zstandard

from telemetry.errors import EncodingUnsupported, UploadCorrupt
from telemetry.files.storage import CHUNK_BYTES

GZIP_WINDOW = 16 + zlib.MAX_WBITS
# RFC 9659: a zstd stream on the web needs no more memory than this to inflate.
ZSTD_MAX_WINDOW = 8 * 1024 * 1024
# Four bytes of zstd may inflate to 128 KiB, and its decoder cannot stop half-way: with pieces of this size
# a chunk stays under 8 MiB.
ZSTD_PIECE_BYTES = 256


def inflate(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The raw bytes of an upload. Raises UploadCorrupt where the stream is damaged or ends early."""
    try:
        decode = DECODERS[encoding.strip().lower()]
    except KeyError:
        raise EncodingUnsupported(
            f"Content-Encoding {encoding[:40]!r} is not supported.",
            "Send the file as it is (identity), or compressed with gzip or zstd.",
        ) from None
    return decode(chunks)


def _gzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A gzip file may have several members, and zeros after them."""
    member = zlib.decompressobj(GZIP_WINDOW)
    between_members = False
    for chunk in chunks:
        data = chunk
        while data:
            if between_members:
                data = data.lstrip(b"\0")
                if not data:
                    break
                member, between_members = zlib.decompressobj(GZIP_WINDOW), False
            if raw := _gunzip(member, data):
                yield raw
            between_members = member.eof
            data = member.unused_data if member.eof else member.unconsumed_tail
    # What one call may give out is bounded, so the last input may have more to give.
    while not member.eof and (raw := _gunzip(member, b"")):
        yield raw
    if not member.eof:
        raise _ends_early("gzip")


def _gunzip(member: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return member.decompress(data, CHUNK_BYTES)
    except zlib.error as error:
        raise _corrupt("gzip", error) from error


def _zstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A zstd file may have several frames."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_MAX_WINDOW)
    frame = decompressor.decompressobj()
    for piece in _pieces(chunks, ZSTD_PIECE_BYTES):
        data = piece
        while data:
            if frame.eof:
                frame = decompressor.decompressobj()
            try:
                raw = frame.decompress(data)
            except zstandard.ZstdError as error:
                raise _corrupt("zstd", error) from error
            if raw:
                yield raw
            data = frame.unused_data if frame.eof else b""
    if not frame.eof:
        raise _ends_early("zstd")


def _pieces(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]


def _corrupt(encoding: str, error: Exception) -> UploadCorrupt:
    return UploadCorrupt(
        f"The {encoding} stream is damaged: {error}.",
        f"Compress the file again with plain {encoding}, or send it uncompressed.",
    )


def _ends_early(encoding: str) -> UploadCorrupt:
    return UploadCorrupt(f"The {encoding} stream ends early.", "Send the whole file again.")


DECODERS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "": iter,
    "identity": iter,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "zstd": _zstd,
}

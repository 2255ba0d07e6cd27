"""The body that git sends, and the environment of the request."""

import re
import zlib
from collections.abc import Callable

from django.http import HttpRequest

from marketplace.serving.errors import FetchRefused, FetchTooLarge
from marketplace.serving.limits import BODY_BYTES
from telemetry.intake.receiving import reader_of

CHUNK_BYTES = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS
_WANT = re.compile(rb"[0-9a-f]{4}want ([0-9a-f]{40})(?![0-9a-f])")
_PROTOCOL = re.compile(r"[a-z0-9=:.-]{1,64}")


def read_body(request: HttpRequest) -> bytes:
    """Unpacked. Raises FetchRefused, FetchTooLarge."""
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    sent = _read_to_end(reader_of(request))
    if encoding in ("gzip", "x-gzip"):
        return _inflated(sent)
    if encoding not in ("identity", ""):
        raise FetchRefused("This encoding is not understood.", "Send the body as it is, or with gzip.")
    return sent


def wanted(body: bytes) -> list[str]:
    """The commits that a fetch asks for, each once."""
    return list(dict.fromkeys(commit.decode() for commit in _WANT.findall(body)))


def protocol(request: HttpRequest) -> str:
    """What the client says of the versions of git's protocol that it speaks, such as `version=2`."""
    given = request.headers.get("Git-Protocol", "")
    return given if _PROTOCOL.fullmatch(given) else ""


def _read_to_end(read: Callable[[int], bytes]) -> bytes:
    body = bytearray()
    try:
        while chunk := read(CHUNK_BYTES):
            body += chunk
            if len(body) > BODY_BYTES:
                raise _too_large()
    except FetchTooLarge:
        raise
    except Exception as error:
        # The connection broke, or what frames the body in it did: each server has errors of its own.
        raise FetchRefused("The body ended before its end.", "Fetch again.") from error
    return bytes(body)


def _inflated(sent: bytes) -> bytes:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        body = unpacking.decompress(sent, BODY_BYTES)
    except zlib.error as error:
        raise FetchRefused("The body is not gzip, as its header says.", "Fetch again.") from error
    if unpacking.unconsumed_tail:
        raise _too_large()
    if not unpacking.eof:
        raise FetchRefused("The body ended before its end.", "Fetch again.")
    return body


def _too_large() -> FetchTooLarge:
    return FetchTooLarge(
        f"The request is larger than {BODY_BYTES >> 20} MiB.", "Remove the marketplace and add it anew."
    )

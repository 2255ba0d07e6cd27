"""The body of an upload, in chunks as they arrive: never held in memory, never more than the limit."""

from collections.abc import Callable, Iterator

from django.conf import settings
from django.http import HttpRequest

from telemetry.errors import EncodingUnsupported, UploadCorrupt, UploadTooLarge

CHUNK_BYTES = 256 * 1024
FORM_TYPE = "multipart/form-data"


def body_chunks(request: HttpRequest) -> Iterator[bytes]:
    """Refuses at once what its headers show to be wrong; afterwards raises in the middle of the body."""
    if request.content_type == FORM_TYPE:
        raise EncodingUnsupported(
            "The transcript came as a form.", "Send the file itself as the body: curl --data-binary @FILE."
        )
    length = _declared_length(request)
    if length is not None and length > settings.UPLOAD_MAX_WIRE_BYTES:
        raise _too_large()
    return _read_to_end(_reader(request, length), length)


def _read_to_end(read: Callable[[int], bytes], length: int | None) -> Iterator[bytes]:
    received = 0
    while chunk := _read(read):
        received += len(chunk)
        if received > settings.UPLOAD_MAX_WIRE_BYTES:
            raise _too_large()
        yield chunk
    if length is not None and received < length:
        raise _incomplete()


def _read(read: Callable[[int], bytes]) -> bytes:
    try:
        return read(CHUNK_BYTES)
    except Exception as error:
        # The connection broke, or what frames the body in it did: each server has errors of its own.
        raise _incomplete() from error


def _reader(request: HttpRequest, length: int | None) -> Callable[[int], bytes]:
    """Django takes a body without a length (Transfer-Encoding: chunked) for empty. Where the server marks
    its end, it is read from the server itself."""
    if length is None and request.META.get("wsgi.input_terminated"):
        read: Callable[[int], bytes] = request.META["wsgi.input"].read
        return read
    return request.read


def _declared_length(request: HttpRequest) -> int | None:
    try:
        return int(request.META.get("CONTENT_LENGTH") or "")
    except ValueError:
        return None


def _too_large() -> UploadTooLarge:
    return UploadTooLarge("The upload", settings.UPLOAD_MAX_WIRE_BYTES, "UPLOAD_MAX_WIRE_BYTES")


def _incomplete() -> UploadCorrupt:
    return UploadCorrupt("The upload ended before its end.", "Send the whole file again.")

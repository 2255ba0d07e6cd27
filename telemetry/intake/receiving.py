"""The body of an upload, in chunks as they arrive: never held in memory, never more than the limit."""

from collections.abc import Callable, Iterator

from django.conf import settings
from django.http import HttpRequest

from telemetry.errors import EncodingUnsupported, UploadCorrupt, UploadTooLarge
from telemetry.files.storage import CHUNK_BYTES

MULTIPART = "multipart/form-data"
FORM_TYPES = (MULTIPART, "application/x-www-form-urlencoded")


def body_chunks(request: HttpRequest) -> Iterator[bytes]:
    """Refuses at once what its headers show to be wrong; afterwards raises in the middle of the body."""
    if request.content_type == MULTIPART:
        raise _form()
    length = _declared_length(request)
    if length is not None and length > settings.UPLOAD_MAX_WIRE_BYTES:
        raise _too_large()
    return _read_to_end(reader_of(request), length)


def refuse_browser_forms(request: HttpRequest) -> None:
    """To be asked before the session of a browser is: its CSRF check looks for a token in a form, and would
    read the whole body of one for that. (With an access token, what curl calls a form is taken as it is.)"""
    if request.user.is_authenticated and request.content_type in FORM_TYPES:
        raise _form()


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


def reader_of(request: HttpRequest) -> Callable[[int], bytes]:
    """Django takes a body without a length (Transfer-Encoding: chunked) for empty. Where the server marks
    its end, it is read from the server itself."""
    if _declared_length(request) is None and request.META.get("wsgi.input_terminated"):
        read: Callable[[int], bytes] = request.META["wsgi.input"].read
        return read
    return request.read


def _declared_length(request: HttpRequest) -> int | None:
    try:
        return int(request.META.get("CONTENT_LENGTH") or "")
    except ValueError:
        return None


def _form() -> EncodingUnsupported:
    return EncodingUnsupported(
        "The transcript came as a form.",
        "Send the file itself as the body (curl --data-binary @FILE), as Content-Type: application/x-ndjson.",
    )


def _too_large() -> UploadTooLarge:
    return UploadTooLarge("The upload", settings.UPLOAD_MAX_WIRE_BYTES, "UPLOAD_MAX_WIRE_BYTES")


def _incomplete() -> UploadCorrupt:
    return UploadCorrupt("The upload ended before its end.", "Send the whole file again.")

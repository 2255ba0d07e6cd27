"""An export as an HTTP answer."""

import logging
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from threading import BoundedSemaphore

from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse

from accounts.models import User
from telemetry.errors import ExportsBusy
from telemetry.export.exporting import Export, start_export
from telemetry.export.filters import Filters

log = logging.getLogger(__name__)

AS_OF, ROWS = "X-Agnes-As-Of", "X-Agnes-Rows"
RESET = struct.pack("ii", 1, 0)
# Who takes no byte for so long is given up.
PATIENCE_SECONDS = 60

# Each export holds a thread of the web server for as long as its client reads.
_places = BoundedSemaphore(settings.EXPORTS_AT_ONCE)


def answer(request: HttpRequest, filters: Filters) -> StreamingHttpResponse:
    """Raises ExportsBusy and what `start_export` raises, before anything is sent."""
    assert isinstance(request.user, User)
    with ExitStack() as held:
        held.enter_context(_place())
        export = held.enter_context(closing(start_export(filters, actor=request.user)))
        return StreamingHttpResponse(
            Body(export, request, held.pop_all()),
            content_type=filters.format.content_type,
            headers={
                "Content-Disposition": f'attachment; filename="{filters.file_name}"',
                "Cache-Control": "no-store",
                ROWS: str(export.rows),
                **({AS_OF: export.as_of} if export.as_of else {}),
            },
        )


class Body:
    """Django closes it when the answer is done and when the client is gone; `held` is closed then."""

    def __init__(self, export: Export, request: HttpRequest, held: ExitStack) -> None:
        self._export = export
        self._held = held
        self._connection = request.META.get("gunicorn.socket")
        self._lose_patience()

    def __iter__(self) -> Iterator[bytes]:
        yield from self._export

    def close(self) -> None:
        try:
            if not self._export.is_complete:
                self._break_connection()
        finally:
            self._held.close()

    def _lose_patience(self) -> None:
        """A client that stops reading gets an error, which ends the answer, instead of a thread for ever."""
        if isinstance(self._connection, socket.socket):
            limit = struct.pack("ll", PATIENCE_SECONDS, 0)
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def _break_connection(self) -> None:
        """So that nobody takes it for a complete file.

        With chunks the last one is missing then. Without, as HTTP/1.0 (which web servers in front may speak)
        has it, a connection that is closed in order means the end: reset it instead.
        """
        if isinstance(self._connection, socket.socket):
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._connection.close()


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise ExportsBusy(settings.EXPORTS_AT_ONCE)
    try:
        yield
    finally:
        _places.release()

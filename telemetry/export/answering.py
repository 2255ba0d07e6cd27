"""An export as an HTTP answer."""

import logging
import socket
import struct
from collections.abc import Iterator

from django.http import HttpRequest, StreamingHttpResponse

from accounts.models import User
from telemetry.export.exporting import Export, start_export
from telemetry.export.filters import Filters

log = logging.getLogger(__name__)

AS_OF, ROWS = "X-Agnes-As-Of", "X-Agnes-Rows"
RESET = struct.pack("ii", 1, 0)


def answer(request: HttpRequest, filters: Filters) -> StreamingHttpResponse:
    """Raises what `start_export` raises, before anything is sent."""
    assert isinstance(request.user, User)
    export = start_export(filters, actor=request.user)
    return StreamingHttpResponse(
        Body(export, request),
        content_type=filters.format.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{filters.file_name}"',
            "Cache-Control": "no-store",
            ROWS: str(export.rows),
            **({AS_OF: export.as_of} if export.as_of else {}),
        },
    )


class Body:
    """Django closes it when the answer is done and when the client is gone."""

    def __init__(self, export: Export, request: HttpRequest) -> None:
        self._export = export
        self._connection = request.META.get("gunicorn.socket")

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._export
        except Exception:
            self._break_connection()
            raise

    def close(self) -> None:
        self._export.close()

    def _break_connection(self) -> None:
        """So that nobody takes it for a complete file.

        With chunks the last one is missing then. Without, as HTTP/1.0 (which web servers in front may speak)
        has it, a connection that is closed in order means the end: reset it instead.
        """
        if isinstance(self._connection, socket.socket):
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._connection.close()

"""Answers that are too large to hold: streamed, audited, and never taken for complete where they are not."""

import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Protocol

from django.http import HttpRequest, StreamingHttpResponse

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import User
from accounts.slow_clients import lose_patience

RESET = struct.pack("ii", 1, 0)


class Stream(Protocol):
    """Bytes in pieces. Iterating raises an AgnesError where not all came."""

    @property
    def is_complete(self) -> bool:
        """Whether all bytes were read."""

    def __iter__(self) -> Iterator[bytes]: ...


class AuditedStream(ABC):
    """Bytes in pieces. Its audit row is written when it is made, so before the first byte; close it, whatever
    happens: a second row says so where not everything was read.

    Iterating raises an AgnesError where not all came.
    """

    action: str

    def __init__(self, *, params: Mapping[str, Any], actor: User | None, target: str = "") -> None:
        self.bytes = 0
        self._params = params
        self._actor = actor
        self._target = target
        # The stream may end after the request has.
        self._context = audit.current()
        self._is_open = True
        self._result = "not read to its end"
        self._record()

    @property
    def is_complete(self) -> bool:
        """Whether all bytes were read."""
        return self._result == "ok"

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks():
                self.bytes += len(chunk)
                yield chunk
        except AgnesError as error:
            self._result = error.code
            raise
        self._result = "ok"

    def close(self) -> None:
        """Ends at once what makes the bytes."""
        if not self._is_open:
            return
        self._is_open = False
        self._release()
        if not self.is_complete:
            self._record_now(self._result, bytes=self.bytes)

    @abstractmethod
    def _chunks(self) -> Iterator[bytes]: ...

    def _release(self) -> None:  # noqa: B027 - most hold nothing
        """Give back what making the bytes holds."""

    def _record_now(self, result: str, **more: Any) -> None:
        """A further row, as of the request that asked for the stream."""
        then = self._context
        with audit.context(then.client_kind, actor=self._actor, request_id=then.request_id):
            self._record(result, **more)

    def _record(self, result: str = "ok", **more: Any) -> None:
        params = {**self._params, **more}
        audit.record(self.action, target=self._target, actor=self._actor, params=params, result=result)


class Body:
    """Of a StreamingHttpResponse. Django closes it when the answer is done and when the client is gone;
    `held`, in which the stream is, is closed then."""

    def __init__(self, stream: Stream, request: HttpRequest, held: ExitStack) -> None:
        self._stream = stream
        self._held = held
        self._connection = lose_patience(request)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        try:
            if not self._stream.is_complete:
                self._break_connection()
        finally:
            self._held.close()

    def _break_connection(self) -> None:
        """So that nobody takes it for a complete file.

        With chunks the last one is missing then. Without, as HTTP/1.0 (which web servers in front may speak)
        has it, a connection that is closed in order means the end: reset it instead.
        """
        if self._connection is not None:
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._connection.close()


def streamed(
    request: HttpRequest,
    stream: Stream,
    held: ExitStack,
    *,
    content_type: str,
    file_name: str,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
) -> StreamingHttpResponse:
    """The answer that downloads it. `file_name`: ASCII letters, digits, `_`, `-` and `.`."""
    return StreamingHttpResponse(
        Body(stream, request, held),
        status=status,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file_name}"',
            "Cache-Control": "no-store",
            **(headers or {}),
        },
    )

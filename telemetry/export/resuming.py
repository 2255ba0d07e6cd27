"""A data set as an HTTP answer: not sent again where the reader has it, and from where a download broke off.

The same rows of the same snapshot always give the same bytes (docs/EXPORT.md), so what is missing can be made
again. How long it is must be known then, which takes a file; a download from its beginning needs none.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import IO

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse

from accounts.models import User
from accounts.streaming import streamed
from telemetry.errors import RangeBeyondEnd
from telemetry.export.answering import AS_OF, ROWS
from telemetry.export.exporting import Export, fresh_snapshot, start_export
from telemetry.export.filters import Filters
from telemetry.export.parts import etag_of
from telemetry.files.spool import spool_folder
from telemetry.files.storage import CHUNK_BYTES
from telemetry.lake.snapshot import Snapshot
from telemetry.places import place

_RANGE = re.compile(r"bytes=(\d{1,15})-", re.ASCII)


def answer(request: HttpRequest, filters: Filters) -> HttpResponse | StreamingHttpResponse:
    """Raises ExportsBusy, RangeBeyondEnd and what `start_export` raises, before anything is sent."""
    snapshot = fresh_snapshot()
    etag = etag_of(filters, snapshot)
    if etag in request.headers.get("If-None-Match", ""):
        return HttpResponseNotModified(headers=_headers(etag, snapshot))
    with ExitStack() as held:
        held.enter_context(place())
        assert isinstance(request.user, User)
        export = held.enter_context(closing(start_export(filters, actor=request.user, snapshot=snapshot)))
        headers = {**_headers(etag, snapshot), ROWS: str(export.rows)}
        start = _start(request, etag)
        if not start:
            return _streamed(request, export, held, filters, headers, 200)
        rest = Rest(held.enter_context(tempfile.TemporaryFile(dir=spool_folder())), export, start)
        return _streamed(request, rest, held, filters, {**headers, **rest.headers}, 206)


class Rest:
    """An export from a byte on. Raises RangeBeyondEnd, ExportFailed, LakeChanged."""

    def __init__(self, file: IO[bytes], export: Export, start: int) -> None:
        self._file = file
        for chunk in export:
            file.write(chunk)
        self._size = file.tell()
        self._start = start
        if start >= self._size:
            raise RangeBeyondEnd(self._size)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Range": f"bytes {self._start}-{self._size - 1}/{self._size}",
            "Content-Length": str(self._size - self._start),
        }

    @property
    def is_complete(self) -> bool:
        return self._file.tell() == self._size

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(self._start)
        while chunk := self._file.read(CHUNK_BYTES):
            yield chunk


def _streamed(
    request: HttpRequest,
    stream: Export | Rest,
    held: ExitStack,
    filters: Filters,
    headers: dict[str, str],
    status: int,
) -> StreamingHttpResponse:
    return streamed(
        request,
        stream,
        held.pop_all(),
        content_type=filters.format.content_type,
        file_name=filters.file_name,
        headers=headers,
        status=status,
    )


def _headers(etag: str, snapshot: Snapshot) -> dict[str, str]:
    known = {AS_OF: snapshot.as_of} if snapshot.as_of else {}
    return {"ETag": etag, "Accept-Ranges": "bytes", **known}


def _start(request: HttpRequest, etag: str) -> int:
    """From which byte on; 0 where the reader has the beginning of something else."""
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    return int(asked[1]) if asked and request.headers.get("If-Range") == etag else 0

"""Django's storage in a bucket."""

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import IO, Any, cast

import httpx
from django.core.files.base import File
from django.core.files.storage import Storage

from telemetry.bucket.client import Bucket
from telemetry.bucket.signing import Credentials
from telemetry.errors import StorageUnavailable
from telemetry.files.spool import spool_folder

# What is not larger is read at once, so that jumping about in it costs no requests.
WHOLE_BYTES = 4 << 20
CHUNK_BYTES = 256 * 1024
# So often reading goes on where the connection broke, in a row and without a byte.
TRIES = 3


class BucketStorage(Storage):
    """Files appear whole or not at all, and a name that is there already is written anew.

    Raises StorageUnavailable where the store cannot be reached, and FileNotFoundError as a folder does.
    """

    def __init__(self, url: str, endpoint: str, key_id: str, secret: str, region: str) -> None:
        self.bucket = Bucket(url, Credentials(key_id, secret, region), endpoint)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def exists(self, name: str) -> bool:
        try:
            self.bucket.stat(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        return self.bucket.stat(name).size

    def get_modified_time(self, name: str) -> datetime:
        return self.bucket.stat(name).modified_at

    def delete(self, name: str) -> None:
        self.bucket.delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        listing = self.bucket.list(path)
        return listing.folders, listing.files

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        response = self.bucket.get(name)
        if int(response.headers["content-length"]) > WHOLE_BYTES:
            return File(io.BufferedReader(_Reader(self.bucket, name, response), CHUNK_BYTES), name=name)
        with closing(response):
            try:
                return File(io.BytesIO(response.read()), name=name)
            except httpx.TransportError as error:
                raise StorageUnavailable(str(error)) from error

    def _save(self, name: str, content: "File[Any]") -> str:
        with _seekable(content) as file:
            digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
            self.bucket.put(name, file, size=file.seek(0, os.SEEK_END), sha256=digest.hexdigest())
        return name


@contextmanager
def _seekable(content: "File[Any]") -> Iterator[IO[bytes]]:
    """At its beginning. It is read twice, and again where the store did not take it at first."""
    if getattr(content.file, "seekable", bool)():
        content.seek(0)
        yield cast(IO[bytes], content.file)
        return
    with tempfile.TemporaryFile(dir=spool_folder()) as file:
        shutil.copyfileobj(cast(IO[bytes], content), file, CHUNK_BYTES)
        file.seek(0)
        yield file


class _Reader(io.RawIOBase):
    """An object that is read as a stream, begun anew where somebody jumps or the connection breaks."""

    def __init__(self, bucket: Bucket, key: str, response: httpx.Response) -> None:
        self._bucket = bucket
        self._key = key
        self._size = int(response.headers["content-length"])
        self._position = 0
        self._left = b""
        self._response: httpx.Response | None = response
        self._chunks = response.iter_raw(CHUNK_BYTES)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset != self._position:
            self._hang_up()
            self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position >= self._size:
            return 0
        self._left = self._left or self._next_chunk()
        piece, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        self._hang_up()
        super().close()

    def _next_chunk(self) -> bytes:
        """Never empty before the end."""
        reason = "it ended too early"
        for _ in range(TRIES):
            try:
                if self._response is None:
                    self._response = self._bucket.get(self._key, self._position)
                    self._chunks = self._response.iter_raw(CHUNK_BYTES)
                if chunk := next(self._chunks, b""):
                    return chunk
            except httpx.TransportError as error:
                reason = str(error)
            self._hang_up()
        raise StorageUnavailable(reason)

    def _hang_up(self) -> None:
        self._left = b""
        if self._response is not None:
            self._response.close()
            self._response = None

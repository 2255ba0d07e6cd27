"""The files of a form, streamed to the spool folder: never in memory, never more than the limits."""

import html
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParser

from accounts.slow_clients import lose_patience
from marketplace.errors import FormBroke, FormTooLarge, NothingUploaded
from marketplace.guardrails import UploadedFile, limits
from telemetry.files.spool import FORM_PREFIX, spool_folder

# More than the guardrails take, so that it is them who tell what is too much, and of what.
FILES = 2 * limits.FILES
BYTES = limits.UPLOAD_BYTES
MULTIPART = "multipart/form-data"


class ReceivedFile:
    """One file of a form. `path` is what its sender calls it, with folders, and not to be trusted."""

    def __init__(self, path: str, content: Path) -> None:
        self.path = path
        self.content = content

    def close(self) -> None:
        """Django does that when it has answered."""
        self.content.unlink(missing_ok=True)
        if not any(self.content.parent.glob("*")):
            shutil.rmtree(self.content.parent, ignore_errors=True)


class SpoolingUploadHandler(FileUploadHandler):
    """For every form of the server (FILE_UPLOAD_HANDLERS): whoever reads a form reads its files, be it for
    the CSRF token in it only.

    What is too large ends the reading without an error, which would be a page of its own: `received_files`
    tells of it. Takes `path` of each file as it was sent; Django's parser would drop the folders.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.is_too_large = False
        self._parsing = False
        self._bytes = self._files = 0
        self._folder: Path | None = None
        self._open: IO[bytes] | None = None

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> Any:
        if self._parsing:
            return None
        self._parsing = True
        if self.request is not None:
            lose_patience(self.request)
        try:
            return _PathsParser(META, input_data, [self], encoding).parse()
        except BaseException:
            self._remove()
            raise

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, *args, **kwargs)
        self._files += 1
        if self._files > FILES:
            self._stop()
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=FORM_PREFIX, dir=spool_folder()))
        self._open = (self._folder / str(self._files)).open("wb")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._bytes += len(raw_data)
        if self._bytes > BYTES:
            self._stop()
        assert self._open
        self._open.write(raw_data)

    def file_complete(self, file_size: int) -> Any:
        assert self._open
        self._open.close()
        return ReceivedFile(self.file_name or "", Path(self._open.name))

    def _stop(self) -> None:
        self.is_too_large = True
        self._remove()
        raise StopUpload(connection_reset=True)

    def _remove(self) -> None:
        if self._open:
            self._open.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


class _PathsParser(MultiPartParser):
    def sanitize_file_name(self, file_name: str) -> str:
        return html.unescape(file_name)


@contextmanager
def received_files(request: HttpRequest) -> Iterator[list[UploadedFile]]:
    """The files of a form in their order, gone afterwards.

    Raises FormBroke, FormTooLarge, NothingUploaded.
    """
    received = _received(request)
    try:
        if any(getattr(handler, "is_too_large", False) for handler in request.upload_handlers):
            raise FormTooLarge(BYTES, FILES)
        # A browser sends a field in which nothing was chosen, as a file without a name.
        files = [UploadedFile(file.path, file.content) for file in received if file.path]
        if not files:
            raise NothingUploaded
        yield files
    finally:
        for file in received:
            file.close()


def _received(request: HttpRequest) -> list[Any]:
    try:
        return [file for _, files in request.FILES.lists() for file in files]
    except UnreadablePostError as error:
        raise FormBroke from error

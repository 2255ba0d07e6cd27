"""The default storage of the embedded server: a folder, written so that nothing acknowledged is lost."""

import os
import tempfile
from pathlib import Path
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class DurableFileSystemStorage(FileSystemStorage):
    """Files appear whole or not at all, and survive a power cut once `save` has returned.

    A file that lies on disk already (`temporary_file_path`) is moved, not copied.
    """

    def _save(self, name: str, content: "File[Any]") -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        source = _on_disk(content, beside=target)
        _sync(source)
        os.replace(source, target)
        _sync(target.parent)
        _sync(target.parent.parent)
        return name


def _on_disk(content: "File[Any] | IO[Any]", *, beside: Path) -> Path:
    if hasattr(content, "temporary_file_path"):
        return Path(content.temporary_file_path())
    with tempfile.NamedTemporaryFile(dir=beside.parent, prefix=".", delete=False) as written:
        for chunk in File(content).chunks():
            written.write(chunk)
    return Path(written.name)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

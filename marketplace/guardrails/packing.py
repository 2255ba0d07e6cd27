"""The stored form: a .zip that the server wrote, the same bytes for the same tree."""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

from marketplace.guardrails import limits
from marketplace.guardrails.records import StoredFile
from marketplace.plugins.errors import FileUnreadable
from marketplace.plugins.trees.tree import Entry

# The first moment that a .zip can tell.
_TIME = (1980, 1, 1, 0, 0, 0)
_REGULAR = 0o100000
_UNIX = 3
# A tenth larger than with 6, the usual level, in half the time.
_LEVEL = 3
FILE_MODE, EXECUTABLE_MODE = 0o644, 0o755


def mode_of(file: StoredFile) -> int:
    return EXECUTABLE_MODE if file.executable else FILE_MODE


def digest_of(files: Mapping[str, StoredFile]) -> str:
    """Over paths, modes and contents: the same tree has the same, however it was packed."""
    digest = hashlib.sha256()
    for path, file in sorted(files.items()):
        digest.update(f"{path}\0{mode_of(file):o}\0{file.sha256}\n".encode())
    return digest.hexdigest()


def pack(files: Mapping[str, StoredFile]) -> bytes:
    """In memory: at most some 20 MB for the largest tree."""
    target = io.BytesIO()
    write_pack(files, target)
    return target.getvalue()


def write_pack(files: Mapping[str, StoredFile], target: Path | BinaryIO) -> None:
    """One file at a time in memory."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, file in sorted(files.items()):
            info = zipfile.ZipInfo(path, _TIME)
            info.create_system = _UNIX
            info.external_attr = (_REGULAR | mode_of(file)) << 16
            archive.writestr(info, file.content, zipfile.ZIP_DEFLATED, _LEVEL)


def open_pack(source: Path | bytes | BinaryIO) -> "Pack":
    """Of what `pack` wrote. Raises FileUnreadable for anything else."""
    try:
        return Pack(zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source))
    except (OSError, zipfile.BadZipFile) as error:
        raise FileUnreadable(f"The stored archive cannot be read: {error}.") from error


class Pack:
    """A tree for `marketplace.plugins`, and a context manager. Contents are read when asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._infos = {info.filename: info for info in archive.infolist()}

    def __enter__(self) -> "Pack":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._archive.close()

    def entries(self) -> Iterator[Entry]:
        for path, info in self._infos.items():
            yield Entry(path, info.file_size, is_executable=_is_executable(info))

    def read(self, path: str, limit: int) -> bytes:
        """The first `limit` bytes. Raises FileUnreadable."""
        info = self._infos.get(path)
        if info is None:
            raise FileUnreadable("The tree holds no such file.")
        try:
            with self._archive.open(info) as file:
                return file.read(limit)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise FileUnreadable("The stored archive is damaged.") from error

    @property
    def files(self) -> dict[str, StoredFile]:
        """Reads every file once, for its hash."""
        return {path: self._stored(path) for path in self._infos}

    def stored_file(self, path: str, sha256: str) -> StoredFile:
        """One whose hash is known already."""
        info = self._infos[path]
        return StoredFile(
            info.file_size, _is_executable(info), sha256, partial(self.read, path, limits.FILE_BYTES)
        )

    def _stored(self, path: str) -> StoredFile:
        return self.stored_file(path, hashlib.sha256(self.read(path, limits.FILE_BYTES)).hexdigest())


def _is_executable(info: zipfile.ZipInfo) -> bool:
    return bool(info.external_attr >> 16 & 0o111)

"""A folder of the local disk as a tree."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from marketplace.plugins.errors import FileUnreadable
from marketplace.plugins.trees.tree import Entry, EntryKind

# Of another owner's folder nothing is followed or waited for: no symlink, no named pipe.
_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)


class FolderTree:
    """Lists regular files and symlinks below `folder`; leaves out `.git`, sockets, pipes and devices."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def entries(self) -> Iterator[Entry]:
        waiting = [""]
        while waiting:
            base = waiting.pop()
            for item in self._listing(base):
                path = base + item.name
                if item.is_symlink():
                    yield Entry(path, kind=EntryKind.SYMLINK, target=os.readlink(item.path))
                elif item.is_dir(follow_symlinks=False):
                    if item.name != ".git":
                        waiting.append(path + "/")
                elif item.is_file(follow_symlinks=False):
                    status = item.stat(follow_symlinks=False)
                    yield Entry(path, status.st_size, is_executable=bool(status.st_mode & stat.S_IXUSR))

    def _listing(self, base: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._folder / base) as items:
                return list(items)
        except OSError as error:
            raise FileUnreadable(f"A folder cannot be listed: {error.strerror}.") from error

    def read(self, path: str, limit: int) -> bytes:
        try:
            with open(os.open(self._folder / path, _FLAGS), "rb") as file:
                return file.read(limit)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "its name is not valid"
            raise FileUnreadable(f"The file cannot be read: {reason}.") from error

"""The files of a repository or a plugin, whatever they are stored in."""

from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple, Protocol


class EntryKind(Enum):
    FILE = auto()
    SYMLINK = auto()
    SUBMODULE = auto()


class Entry(NamedTuple):
    """One name of a tree. `path` is POSIX, below the tree; `size` in bytes; `target` that of a symlink,
    '' if it leads nowhere.

    `is_executable` is what git calls mode 100755.
    """

    path: str
    size: int = 0
    kind: EntryKind = EntryKind.FILE
    target: str = ""
    is_executable: bool = False


class Tree(Protocol):
    """A tree never follows symlinks: it lists them, and the parser decides where they may lead."""

    def entries(self) -> Iterable[Entry]:
        """All files, symlinks and submodules, each once, in any order. Folders follow from the paths."""

    def read(self, path: str, limit: int) -> bytes:
        """The first `limit` bytes of a file that `entries` listed. Raises FileUnreadable."""

"""A tree in memory: for tests, and for what was unpacked already."""

from collections.abc import Iterator, Mapping

from marketplace.plugins.errors import FileUnreadable
from marketplace.plugins.trees.tree import Entry, EntryKind


class MemoryTree:
    """`files` maps path to content, `links` path to target; `submodules` are paths without content,
    `executables` those of files that may be run."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        links: Mapping[str, str] | None = None,
        submodules: tuple[str, ...] = (),
        executables: tuple[str, ...] = (),
    ) -> None:
        self._files = dict(files)
        self._links = dict(links or {})
        self._submodules = submodules
        self._executables = frozenset(executables)

    def entries(self) -> Iterator[Entry]:
        for path, content in self._files.items():
            yield Entry(path, len(content), is_executable=path in self._executables)
        for path, target in self._links.items():
            yield Entry(path, kind=EntryKind.SYMLINK, target=target)
        for path in self._submodules:
            yield Entry(path, kind=EntryKind.SUBMODULE)

    def read(self, path: str, limit: int) -> bytes:
        try:
            return self._files[path][:limit]
        except KeyError:
            raise FileUnreadable("The tree holds no such file.") from None

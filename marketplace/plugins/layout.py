"""Which files and folders a tree has, where its symlinks lead, and nothing outside of it."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from marketplace.plugins import limits
from marketplace.plugins.errors import TreeTooLarge
from marketplace.plugins.paths import fault_of_entry, joined, parent
from marketplace.plugins.report import Report
from marketplace.plugins.text import quoted
from marketplace.plugins.trees.tree import Entry, EntryKind, Tree

_JUNK = {"__MACOSX", ".DS_Store"}


class Found(NamedTuple):
    """A file below a folder: its path from there, symlinks as named, and where it really is in the tree."""

    below: str
    path: str


class Layout:
    """The tree's names, read once. All answers are in real paths: those after symlinks were followed.

    A symlink that leads out of the tree, nowhere or in circles does not exist.
    Raises TreeTooLarge from every method once more was looked at than `limits` allow.
    """

    def __init__(self, tree: Tree, report: Report) -> None:
        self._sizes: dict[str, int] = {}
        self._executables: set[str] = set()
        self._links: dict[str, str] = {}
        self._children: dict[str, set[str]] = {"": set()}
        self._submodules: set[str] = set()
        self._visits = 0
        for count, entry in enumerate(tree.entries()):
            if count >= limits.ENTRIES:
                raise TreeTooLarge(f"The repository holds more than {limits.ENTRIES} files.")
            self._add(entry, report)
        self._report_look_alikes(report)

    def _add(self, entry: Entry, report: Report) -> None:
        if fault := fault_of_entry(entry.path):
            report.warning(f"The file {quoted(entry.path)} is left out: its path {fault}.")
            return
        if not _JUNK.isdisjoint(entry.path.split("/")):
            return
        if entry.kind is EntryKind.SYMLINK:
            self._links[entry.path] = entry.target
        elif entry.kind is EntryKind.SUBMODULE:
            self._submodules.add(entry.path)
        else:
            self._sizes[entry.path] = entry.size
            if entry.is_executable:
                self._executables.add(entry.path)
        self._add_to_folders(entry.path)

    def _add_to_folders(self, path: str) -> None:
        while path:
            folder, _, name = path.rpartition("/")
            known = folder in self._children
            self._children.setdefault(folder, set()).add(name)
            if known:
                return
            path = folder

    def _report_look_alikes(self, report: Report) -> None:
        """Names that differ in case only are one file on macOS and Windows."""
        for folder, names in self._children.items():
            if len({name.casefold() for name in names}) < len(names):
                first: dict[str, str] = {}
                for name in sorted(names):
                    other = first.setdefault(name.casefold(), name)
                    if other != name:
                        report.warning(f"{quoted(other)} and {quoted(name)} differ in case only.", folder)

    def resolve(self, path: str) -> str | None:
        """The real path of a file or folder of this name, None if there is none."""
        self._count_visit()
        if path in self._sizes or path in self._children:
            return path
        return self._followed(path) if self._links else None

    def _followed(self, path: str) -> str | None:
        waiting = deque(path.split("/"))
        here = ""
        links = 0
        while waiting:
            part = waiting.popleft()
            if part in ("", "."):
                continue
            if part == "..":
                if not here:
                    return None
                here = parent(here)
                continue
            here = joined(here, part)
            target = self._links.get(here)
            if target is not None:
                links += 1
                if (
                    links > limits.LINKS_FOLLOWED
                    or not target
                    or target.startswith("/")
                    or len(target) > limits.PATH_LENGTH
                ):
                    return None
                here = parent(here)
                waiting.extendleft(reversed(target.split("/")))
            elif here not in self._sizes and here not in self._children:
                return None
        return here

    def file(self, path: str) -> str | None:
        """The real path, if this is a file."""
        real = self.resolve(path)
        return real if real in self._sizes else None

    def folder(self, path: str) -> str | None:
        """The real path, if this is a folder."""
        real = self.resolve(path)
        return real if real in self._children else None

    def size(self, real: str) -> int:
        return self._sizes[real]

    def is_executable(self, real: str) -> bool:
        return real in self._executables

    def is_submodule(self, path: str) -> bool:
        return path in self._submodules

    def names(self, folder: str) -> list[str]:
        """What a folder holds, sorted; nothing if it does not exist."""
        real = self.folder(folder)
        return [] if real is None else sorted(self._children[real])

    def walk(self, folder: str) -> list[Found]:
        """All files below a folder, sorted. Each file stands there once, under its own name if it can."""
        real = self.folder(folder)
        if real is None:
            return []
        by_own_name = sorted(self._walk(real), key=lambda found: joined(real, found.below) != found.path)
        once: dict[str, Found] = {}
        for found in by_own_name:
            once.setdefault(found.path, found)
        return sorted(once.values())

    def expanded(self, folder: str) -> Iterator[Found]:
        """All files below a folder, sorted, and where a symlink stands, what it leads to: a copy that needs
        no symlinks. One that leads to a folder around it has no end, and is left out.
        """
        real = self.folder(folder)
        if real is not None:
            yield from self._expanded("", real, frozenset())

    def _expanded(self, below: str, real: str, around: frozenset[str]) -> Iterator[Found]:
        for name in sorted(self._children[real]):
            target = self.resolve(joined(real, name))
            if target is None:
                continue
            if target in self._sizes:
                yield Found(joined(below, name), target)
            elif target != real and target not in around:
                yield from self._expanded(joined(below, name), target, around | {real})

    def _walk(self, top: str) -> Iterator[Found]:
        seen: set[str] = set()
        links: deque[tuple[str, str]] = deque()
        waiting = [("", top)]
        while waiting or links:
            below, real = waiting.pop() if waiting else links.popleft()
            if real in seen:
                continue
            seen.add(real)
            for name in sorted(self._children[real], reverse=True):
                path = joined(real, name)
                target = self.resolve(path)
                if target is None:
                    continue
                if target in self._sizes:
                    yield Found(joined(below, name), target)
                if target in self._children:
                    (waiting if target == path else links).append((joined(below, name), target))

    def _count_visit(self) -> None:
        self._visits += 1
        if self._visits > limits.VISITS:
            raise TreeTooLarge("Its plugins share more files than can be looked at.")

"""What the checks look at: the normalised tree, as the parser read it, and one file of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.guardrails import limits
from marketplace.guardrails.normalising.texts import as_text, strings_of
from marketplace.guardrails.records import Kind, KnownNames, StoredFile
from marketplace.plugins import limits as plugin_limits
from marketplace.plugins.errors import FileUnreadable
from marketplace.plugins.records import PluginRecord
from marketplace.plugins.trees.tree import Entry


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a text; `line` is the number of its first line."""

    text: str
    line: int

    def line_of(self, position: int) -> int:
        return self.line + self.text.count("\n", 0, position)


@dataclass(frozen=True, slots=True)
class FileContent:
    """`text` is what can be read: of what is no text, the strings in it; '' if the upload has too much."""

    path: str
    content: bytes
    text: str
    is_text: bool = True

    def blocks(self, size: int = limits.BLOCK_CHARACTERS) -> Iterator[Block]:
        """Pieces that overlap a little, so that what stands at an edge is whole in one of them."""
        start, line = 0, 1
        while start < len(self.text):
            end = start + size
            yield Block(self.text[start : end + limits.BLOCK_OVERLAP], line)
            line += self.text.count("\n", start, end)
            start = end


def file_content(path: str, content: bytes) -> FileContent:
    text = as_text(content)
    if text is None:
        return FileContent(path, content, strings_of(content), is_text=False)
    return FileContent(path, content, text)


@dataclass(frozen=True, slots=True)
class Subject:
    """`unread` are the files whose text is not looked through, because there is too much before it."""

    kind: Kind
    slug: str
    plugin: PluginRecord
    files: Mapping[str, StoredFile]
    known: KnownNames
    unread: frozenset[str] = frozenset()

    def contents(self) -> Iterator[FileContent]:
        for path in self.files:
            yield self._content(path)

    def texts(self) -> Iterator[FileContent]:
        """Without the files that are not looked through."""
        for path in self.files:
            if path not in self.unread:
                yield self._content(path)

    def named(self, path: str) -> FileContent | None:
        return self._content(path) if path in self.files else None

    def _content(self, path: str) -> FileContent:
        content = self.files[path].content
        return FileContent(path, content, "") if path in self.unread else file_content(path, content)


class FilesTree:
    """The normalised tree for the parser, which gets no configurations that would fill the memory."""

    def __init__(self, files: Mapping[str, StoredFile]) -> None:
        self._files = files
        self._configurations: dict[str, int] = {}

    def entries(self) -> Iterator[Entry]:
        for path, file in self._files.items():
            yield Entry(path, file.size)

    def read(self, path: str, limit: int) -> bytes:
        file = self._files[path]
        # Whoever wants more than a head reads a configuration as a whole.
        if limit > plugin_limits.HEAD_BYTES:
            self._check_configuration(path, file.size)
        return file.content[:limit]

    def _check_configuration(self, path: str, size: int) -> None:
        if size > limits.CONFIGURATION_BYTES:
            raise FileUnreadable(f"It has more than {limits.CONFIGURATION_BYTES} bytes.")
        if sum(({**self._configurations, path: size}).values()) > limits.ALL_CONFIGURATION_BYTES:
            raise FileUnreadable(f"All together have more than {limits.ALL_CONFIGURATION_BYTES} bytes.")
        self._configurations[path] = size


def strings_in(value: Any) -> Iterator[str]:
    """Every text in a value of JSON or YAML, keys included."""
    for item in _walk(value):
        if isinstance(item, str):
            yield item


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    for item in _walk(value):
        if isinstance(item, dict):
            yield item


def _walk(value: Any) -> Iterator[Any]:
    """In reading order. Each container is looked at once: aliases of YAML may share them."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        yield item
        if isinstance(item, (dict, list)) and id(item) not in seen:
            seen.add(id(item))
            waiting.extend(reversed([*item, *item.values()] if isinstance(item, dict) else item))

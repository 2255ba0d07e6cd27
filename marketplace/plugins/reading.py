"""Reads files of a tree for one marketplace: bounded, each Markdown file once."""

from typing import Any, NamedTuple

from marketplace.plugins import limits
from marketplace.plugins.errors import FileUnreadable, TreeTooLarge
from marketplace.plugins.front_matter import split_front_matter
from marketplace.plugins.json_files import LFS_POINTER, NotJson, decode_json
from marketplace.plugins.layout import Layout
from marketplace.plugins.text import first_paragraph
from marketplace.plugins.trees.tree import Tree
from marketplace.plugins.values import as_description


class Markdown(NamedTuple):
    """`opening` is the first paragraph, where `values` has no description.

    `fault` says what could not be read of it, None if all could.
    """

    values: dict[str, Any]
    opening: str
    fault: str | None = None


class Reader:
    def __init__(self, tree: Tree, layout: Layout) -> None:
        self._tree = tree
        self.layout = layout
        self._markdown: dict[str, Markdown] = {}
        self._front_matter_characters = 0
        self._json_bytes = 0

    def json(self, path: str) -> Any:
        """The value of a JSON file. Raises NotJson, FileUnreadable, TreeTooLarge."""
        real = self.layout.file(path)
        if real is None:
            raise FileUnreadable("The file does not exist.")
        if self.layout.size(real) > limits.JSON_BYTES:
            raise NotJson(f"it is larger than {limits.JSON_BYTES} bytes")
        content = self._tree.read(real, limits.JSON_BYTES)
        self._json_bytes += len(content)
        if self._json_bytes > limits.ALL_JSON_BYTES:
            raise TreeTooLarge("Its plugins hold more JSON than can be read.")
        return decode_json(content)

    def head(self, path: str) -> str:
        """The beginning of a text file, as much as is ever looked at. Raises FileUnreadable."""
        real = self.layout.file(path)
        if real is None:
            raise FileUnreadable("The file does not exist.")
        content = self._tree.read(real, limits.HEAD_BYTES)
        if content.startswith(LFS_POINTER):
            raise FileUnreadable("The file is a Git LFS pointer, its content is stored elsewhere.")
        return content.decode("utf-8-sig", errors="replace")

    def markdown(self, real: str) -> Markdown:
        """Front matter and first paragraph. `real` is a file's real path. Raises TreeTooLarge."""
        if real not in self._markdown:
            self._markdown[real] = self._read_markdown(real)
        return self._markdown[real]

    def _read_markdown(self, real: str) -> Markdown:
        try:
            text = self.head(real)
        except FileUnreadable as error:
            return Markdown({}, "", str(error))
        front_matter = split_front_matter(text)
        self._count_front_matter(len(text) - len(front_matter.body))
        described = as_description(front_matter.values.get("description"))
        opening = "" if described else first_paragraph(front_matter.body[: limits.DESCRIPTION_CHARACTERS])
        return Markdown(front_matter.values, opening, front_matter.fault)

    def _count_front_matter(self, characters: int) -> None:
        self._front_matter_characters += characters
        if self._front_matter_characters > limits.ALL_FRONT_MATTER_CHARACTERS:
            raise TreeTooLarge("Its files hold more front matter than can be read.")

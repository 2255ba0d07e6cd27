"""The folder of one plugin, while its components are read."""

from typing import Any, NamedTuple

from marketplace.plugins.errors import FileUnreadable
from marketplace.plugins.json_files import NotJson
from marketplace.plugins.layout import Layout
from marketplace.plugins.merging import Declarations
from marketplace.plugins.paths import joined
from marketplace.plugins.reading import Markdown, Reader
from marketplace.plugins.report import Report
from marketplace.plugins.text import quoted


class PluginFolder(NamedTuple):
    """`root` is its path in the tree, '' for the tree's own. `shares_root`: it is the marketplace's root."""

    reader: Reader
    root: str
    namespace: str
    declared: Declarations
    report: Report
    shares_root: bool

    @property
    def layout(self) -> Layout:
        return self.reader.layout

    def path(self, below: str) -> str:
        return joined(self.root, below)

    def markdown(self, real: str, shown: str) -> Markdown:
        """A file's front matter; what is wrong with it is reported under the path `shown`."""
        markdown = self.reader.markdown(real)
        if markdown.fault:
            self.report.warning(f"{quoted(shown)}: {markdown.fault}", shown)
        return markdown

    def json(self, path: str) -> Any:
        """The value of a JSON file; None and an error in the report if it has none."""
        try:
            return self.reader.json(path)
        except NotJson as error:
            self.report.error(f"{quoted(path)} is not valid JSON: {error}", path)
        except FileUnreadable as error:
            self.report.error(f"{quoted(path)}: {error}", path)
        return None

    def missing(self, key: str, below: str) -> None:
        self.report.error(
            f"The path {quoted(below or './')} of `{key}` does not exist, or is of the wrong kind."
        )

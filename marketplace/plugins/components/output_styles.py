"""Output styles: Markdown files in `output-styles/`, or where `outputStyles` says."""

from collections.abc import Iterator

from marketplace.plugins.components.named_files import Place, declared_files
from marketplace.plugins.paths import base_name, stem
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.text import storable
from marketplace.plugins.values import as_description, as_text

PLACE = Place("outputStyles", "output-styles", ".md")


def read_output_styles(plugin: PluginFolder) -> Iterator[Component]:
    for path, real in declared_files(plugin, PLACE):
        markdown = plugin.markdown(real, path)
        name = as_text(markdown.values.get("name")) or stem(base_name(path))
        description = as_description(markdown.values.get("description")) or markdown.opening
        yield Component(ComponentKind.OUTPUT_STYLE, storable(name), storable(path), description=description)

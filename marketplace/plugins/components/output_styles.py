"""Output styles: Markdown files in `output-styles/`, or where `outputStyles` says."""

from collections.abc import Iterator

from marketplace.plugins.components.named_files import files_of
from marketplace.plugins.paths import base_name, stem
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.text import storable
from marketplace.plugins.values import as_description, as_text

FIELD = "outputStyles"
DEFAULT_FOLDER = "output-styles"


def read_output_styles(plugin: PluginFolder) -> Iterator[Component]:
    paths, replaced = plugin.declared.paths(FIELD), plugin.declared.replaces(FIELD)
    for path, real in files_of(plugin, FIELD, DEFAULT_FOLDER, ".md", paths, replaced):
        markdown = plugin.markdown(real, path)
        name = as_text(markdown.values.get("name")) or stem(base_name(path))
        description = as_description(markdown.values.get("description")) or markdown.opening
        yield Component(ComponentKind.OUTPUT_STYLE, storable(name), storable(path), description=description)

"""LSP servers: `.lsp.json` and `lspServers`. Transcripts do not name them."""

from collections.abc import Iterator
from typing import Any

from marketplace.plugins.components.servers import read_servers, shown
from marketplace.plugins.plugin_folder import PluginFolder
from marketplace.plugins.records import Component, ComponentKind
from marketplace.plugins.text import storable
from marketplace.plugins.values import as_object, as_words

FIELD = "lspServers"
DEFAULT_FILE = ".lsp.json"


def read_lsp_servers(plugin: PluginFolder) -> Iterator[Component]:
    for server in read_servers(plugin, FIELD, DEFAULT_FILE, True, _is_server):
        details = shown(server.configuration)
        extensions = as_words(list(as_object(server.configuration.get("extensionToLanguage"))))
        if extensions:
            details["extensions"] = extensions
        yield Component(
            ComponentKind.LSP_SERVER, storable(server.key), storable(server.path), details=details
        )


def _is_server(configuration: dict[str, Any]) -> bool:
    return isinstance(configuration.get("command"), str)

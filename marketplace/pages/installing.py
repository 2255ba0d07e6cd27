"""The commands that install an item in Claude Code."""

import shlex

from marketplace.models import Plugin

FOLDER = "file://"


def install_commands(plugin: Plugin) -> list[str]:
    """First the marketplace, once, then the plugin.

    None for what Claude Code refuses to load, and for items of the flea market: Agnes itself serves them.
    """
    market = plugin.marketplace
    if plugin.does_not_load is not None or market is None or not market.name:
        return []
    return [
        f"claude plugin marketplace add {shlex.quote(client_address(market.url, market.ref))}",
        f"claude plugin install {shlex.quote(f'{plugin.name}@{market.name}')}",
    ]


def is_local(plugin: Plugin) -> bool:
    """Whether the commands work on the server's own machine only."""
    return plugin.marketplace is not None and plugin.marketplace.url.startswith(FOLDER)


def client_address(url: str, ref: str) -> str:
    """The repository as Claude Code takes it: a folder by its path, anything else ending in .git or #ref."""
    if url.startswith(FOLDER):
        return url.removeprefix(FOLDER)
    if ref:
        return f"{url}#{ref}"
    return url if url.endswith(".git") else f"{url.rstrip('/')}.git"

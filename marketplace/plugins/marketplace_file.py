"""marketplace.json: the marketplace's own fields, and its entries as far as they can be told apart."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard

from marketplace.plugins import limits
from marketplace.plugins.errors import DoesNotLoad, FileUnreadable, MarketplaceInvalid
from marketplace.plugins.json_files import NotJson
from marketplace.plugins.manifest import name_fault
from marketplace.plugins.merging import MARKETPLACE
from marketplace.plugins.paths import simplified
from marketplace.plugins.reading import Reader
from marketplace.plugins.report import Report
from marketplace.plugins.sources import check_relative
from marketplace.plugins.text import quoted
from marketplace.plugins.values import as_object

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Entry(NamedTuple):
    """An entry with a name of its own; `fault` is why Claude Code refuses that name."""

    name: str
    fields: dict[str, Any]
    fault: str | None


def read_marketplace_file(reader: Reader) -> dict[str, Any]:
    """The object in marketplace.json, its name and plugins checked. Raises MarketplaceInvalid."""
    try:
        content = reader.json(MARKETPLACE)
    except NotJson as error:
        raise MarketplaceInvalid(f"{MARKETPLACE} is not valid JSON: {error}.") from error
    except FileUnreadable as error:
        raise MarketplaceInvalid(f"The repository has no readable {MARKETPLACE}: {error}") from error
    if not isinstance(content, dict):
        raise MarketplaceInvalid(f"{MARKETPLACE} is not a JSON object.")
    if fault := name_fault(content.get("name")):
        raise MarketplaceInvalid(f"The `name` in {MARKETPLACE} {fault}.")
    if not isinstance(content.get("plugins"), list):
        raise MarketplaceInvalid(f"`plugins` in {MARKETPLACE} is not a list.")
    return content


def read_entries(plugins: list[Any], report: Report) -> Iterator[Entry]:
    """The entries that have a name, each name once: the first counts."""
    names: set[str] = set()
    folded: dict[str, str] = {}
    for number, fields in enumerate(plugins[: limits.PLUGINS], start=1):
        name = as_object(fields).get("name")
        if not _is_usable(name):
            report.error(f"Entry {number} of `plugins` is left out: it has no usable `name`.", MARKETPLACE)
        elif name in names:
            report.error(f"The plugin {quoted(name)} is listed twice: the first counts.", MARKETPLACE)
        else:
            names.add(name)
            other = folded.setdefault(name.casefold(), name)
            if other != name:
                report.warning(f"{quoted(other)} and {quoted(name)} differ in case only.", MARKETPLACE)
            yield Entry(name, fields, _entry_name_fault(name))
    if len(plugins) > limits.PLUGINS:
        report.error(f"Only the first {limits.PLUGINS} plugins are read.", MARKETPLACE)


def _is_usable(name: Any) -> TypeGuard[str]:
    """Whether it can stand in an address, where browsers resolve `.` and `..` and drop control characters."""
    if not isinstance(name, str) or not name.strip() or len(name) > limits.NAME_CHARACTERS:
        return False
    return not _CONTROL.search(name) and not {".", ".."} & set(name.split("/"))


def _entry_name_fault(name: str) -> str | None:
    """Installed plugins live in a folder of this name."""
    if fault := name_fault(name):
        return f"its `name` {fault}"
    if "/" in name or "\\" in name or ".." in name:
        return f"its `name` cannot be that of a folder: {quoted(name)}"
    return None


def read_plugin_root(metadata: dict[str, Any], report: Report) -> str | None:
    """metadata.pluginRoot, simplified; None if it is not set or leads out of the repository."""
    value = metadata.get("pluginRoot")
    if value is None:
        return None
    if not isinstance(value, str):
        report.error("`metadata.pluginRoot` is ignored: it is no text.", MARKETPLACE)
        return None
    try:
        check_relative(value, "`metadata.pluginRoot`")
    except DoesNotLoad as error:
        report.error(f"The marketplace is wrong: {error}.", MARKETPLACE)
        return None
    return simplified(value)

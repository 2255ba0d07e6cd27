"""`renames` of a marketplace.json: former plugin names and what became of them."""

from itertools import islice
from typing import Any

from marketplace.plugins import limits
from marketplace.plugins.report import Report
from marketplace.plugins.text import quoted


def read_renames(value: Any, report: Report) -> dict[str, str | None]:
    """Each former name with its last successor; None for a plugin that was removed."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        report.note("`renames` is ignored: it is not an object.")
        return {}
    steps = {old: new for old, new in islice(value.items(), limits.PLUGINS) if _is_usable(old, new, report)}
    if len(value) > limits.PLUGINS:
        report.error(f"Only the first {limits.PLUGINS} of `renames` are read.")
    return _followed(steps, report)


def _is_usable(old: str, new: Any, report: Report) -> bool:
    if new is not None and not isinstance(new, str):
        report.note(f"The rename of {quoted(old)} is ignored: its new name is no text.")
        return False
    if max(len(old), len(new or "")) > limits.NAME_CHARACTERS:
        report.note(f"The rename of {quoted(old)} is ignored: no plugin has so long a name.")
        return False
    return True


def _followed(steps: dict[str, str | None], report: Report) -> dict[str, str | None]:
    """Every chain is walked once: what is known of a name on the way is used again."""
    last: dict[str, str | None] = {}
    circular: set[str] = set()
    for first in steps:
        chain: dict[str, None] = {}
        name: str | None = first
        while name in steps and name not in chain and name not in last and name not in circular:
            chain[name] = None
            name = steps[name]
        if name in chain or name in circular:
            circular.update(chain)
            continue
        end = last.get(name, name) if name is not None else None
        last.update(dict.fromkeys(chain, end))
    for name in sorted(circular):
        report.note(f"The rename of {quoted(name)} is ignored: it goes in circles.")
    return last

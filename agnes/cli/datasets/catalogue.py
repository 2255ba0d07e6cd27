"""The data sets that the server has for an account."""

from typing import Any

from agnes.cli import answers
from agnes.cli.api import Api
from agnes.cli.datasets.kept import NAME


def read_catalogue(api: Api, *, mine: bool = False) -> dict[str, Any]:
    """`items`, and up to when they are complete. Raises ClientError."""
    listed = api.get("/datasets", {"mine": mine or None})
    # Files and views are called as they are.
    if not isinstance(listed, dict) or not all(map(_is_named, listed.get("items") or ())):
        raise answers.not_agnes(api.server)
    return {"as_of": None, "items": [], **listed}


def _is_named(item: Any) -> bool:
    names = (item.get(key) for key in ("name", "table")) if isinstance(item, dict) else (None,)
    return all(isinstance(name, str) and NAME.fullmatch(name) for name in names)

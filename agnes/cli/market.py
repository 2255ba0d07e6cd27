"""The marketplace, as `agnes market` uses it: items, one's stack, uploads to the flea market."""

import mimetypes
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from agnes.cli import claude
from agnes.cli.api import Api, in_path
from agnes.cli.errors import ClientError, LocalTrouble, NotFound, WrongInput
from agnes.cli.setup import marketplace

SOURCES = ("curated", "flea")
# Those that it looks through for a name.
MOST = 200


@dataclass(frozen=True)
class Stacked:
    """`in_claude`: what Claude Code on this machine did with it, None where it does not have the marketplace;
    then `lines` are to be pasted."""

    item: dict[str, Any]
    in_claude: str | None
    lines: list[str]


def find(api: Api, name: str) -> dict[str, Any]:
    """The item with this name: curated:kits/tidy, kits/tidy, or tidy where one alone is called so. Raises
    NotFound, WrongInput."""
    source, ref_id = _reference(name)
    if source:
        return {"source": source, "ref_id": ref_id}
    found = api.get("/marketplace/items", {"q": name.rpartition("/")[2], "limit": MOST})["items"]
    matching = [it for it in found if name in (it["ref_id"], it["name"], it["title"])]
    if not matching:
        raise NotFound(f"Nothing in the marketplace is called {name}.", "`agnes market list` shows what is.")
    if len(matching) > 1:
        names = ", ".join(f"{it['source']}:{it['ref_id']}" for it in matching)
        raise WrongInput(f"Several items are called {name}.", f"Name one of {names}.")
    return dict(matching[0])


def show(api: Api, name: str) -> dict[str, Any]:
    """Raises ClientError."""
    details: dict[str, Any] = api.get(f"/marketplace/items/{_path(find(api, name))}")
    return details


def install(api: Api, name: str) -> Stacked:
    """Into one's stack, and into Claude Code where it has the marketplace. Raises ClientError."""
    item = api.json("PUT", f"/marketplace/stack/{_path(find(api, name))}")
    lines = _install_lines(api, item)
    if item["name"] is None or not _has_marketplace(api):
        return Stacked(item, None, lines)
    market = marketplace.name(api)
    marketplace.run("marketplace", "update", market)
    return Stacked(item, marketplace.run("install", f"{item['name']}@{market}").strip(), lines)


def remove(api: Api, name: str) -> Stacked:
    """Out of one's stack and of Claude Code. Raises ClientError."""
    stack = api.get("/marketplace/stack")["items"]
    source, ref_id = _reference(name)
    wanted = [
        it
        for it in stack
        if (it["source"], it["ref_id"]) == (source, ref_id) or name in (it["ref_id"], it["name"], it["title"])
    ]
    if not wanted:
        raise NotFound(f"{name} is not in your stack.", "`agnes market list --stack` shows what is.")
    if len(wanted) > 1:
        names = ", ".join(f"{it['source']}:{it['ref_id']}" for it in wanted)
        raise WrongInput(f"Several are called {name}.", f"Name one of {names}.")
    [item] = wanted
    api.json("DELETE", f"/marketplace/stack/{_path(item)}")
    if item["name"] is None or not _has_marketplace(api):
        return Stacked(item, None, [])
    try:
        told = marketplace.run("uninstall", f"{item['name']}@{marketplace.name(api)}")
    except ClientError:
        # It was never installed there.
        return Stacked(item, "", [])
    return Stacked(item, told.strip(), [])


def upload(api: Api, path: Path, **asked: str) -> dict[str, Any]:
    """One .zip, one .md, or a folder. Raises ClientError."""
    with _opened(path) as files:
        parts = [("file", (name, file, mimetypes.guess_type(name)[0])) for name, file in files]
        params = {name: value for name, value in asked.items() if value}
        uploaded: dict[str, Any] = api.json(
            "POST", "/store/entities", params=params, files=parts, again=False
        )
    return uploaded


def _reference(name: str) -> tuple[str, str]:
    source, colon, ref_id = name.partition(":")
    return (source, ref_id) if colon and source in SOURCES else ("", name)


def _path(item: dict[str, Any]) -> str:
    # A ref_id may hold a slash, which stays one.
    return f"{item['source']}/{'/'.join(in_path(part) for part in item['ref_id'].split('/'))}"


def _has_marketplace(api: Api) -> bool:
    return claude.command() is not None and marketplace.is_known(marketplace.address(api))


def _install_lines(api: Api, item: dict[str, Any]) -> list[str]:
    add, install = api.get("/marketplace/stack")["install"]
    return [add, install.replace("NAME@", f"{item['name']}@", 1)] if item["name"] else []


@contextmanager
def _opened(path: Path) -> Iterator[Sequence[tuple[str, IO[bytes]]]]:
    """With the names that the server is told: those below the folder, with its name before them."""
    if not path.exists():
        raise NotFound(f"There is no {path}.", "Name one .zip, one .md, or a folder.")
    root = path.resolve()
    files = sorted(it for it in root.rglob("*") if it.is_file()) if root.is_dir() else [root]
    files = [it for it in files if ".git" not in it.relative_to(root.parent).parts]
    for each in files:
        # Such as to somebody's keys, in a folder that came from elsewhere.
        if not each.resolve().is_relative_to(root):
            raise WrongInput(f"{each} leads out of {root}.", "Put the file itself there, or remove the link.")
    with ExitStack() as held:
        try:
            opened = [
                (it.relative_to(root.parent).as_posix(), held.enter_context(it.open("rb"))) for it in files
            ]
        except OSError as error:
            raise LocalTrouble(f"{error.filename} cannot be read: {error.strerror}.") from error
        yield opened

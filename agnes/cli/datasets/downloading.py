"""A data set, or a part of one, into a file: not again where it is here, and on from where it broke off."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from agnes.cli import answers, folders
from agnes.cli.api import Api, in_path
from agnes.cli.datasets.kept import Kept, Shelf
from agnes.cli.errors import ServerAway

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

# So often it goes on after nothing came.
TRIES = 4
# The server may count and write for long before the first byte.
READ_SECONDS = 300.0
MAGIC = b"PAR1"
OnProgress = Callable[[int], None]


def download(
    api: Api,
    shelf: Shelf,
    item: Mapping[str, Any],
    *,
    name: str,
    filters: Mapping[str, Any] | None = None,
    on_progress: OnProgress = lambda count: None,
) -> tuple[Kept, bool]:
    """What is here then, and whether it is new. `item` is the data set as the server lists it. Raises
    ClientError."""
    folders.make_folder(shelf.folder)
    fails = 0
    while True:
        before = _size(shelf.part(name))
        try:
            return _try(api, shelf, item, name, filters or {}, on_progress)
        except ServerAway as error:
            fails = 0 if _size(shelf.part(name)) > before else fails + 1
            pause = error.retry_after or fails
            if fails >= TRIES or pause > api.patience.seconds:
                raise
            time.sleep(pause)


def _try(
    api: Api,
    shelf: Shelf,
    item: Mapping[str, Any],
    name: str,
    filters: Mapping[str, Any],
    on_progress: OnProgress,
) -> tuple[Kept, bool]:
    known = shelf.read(name)
    path = f"/datasets/{in_path(item['name'])}"
    headers = _conditions(shelf, name, known)
    with api.stream(path, params=dict(filters), headers=headers, timeout=READ_SECONDS) as answer:
        if answer.status_code == 304 and known:
            return known, False
        etag, rows = answer.headers.get("ETag"), answer.headers.get("X-Agnes-Rows", "")
        if not etag or not rows.isdecimal():
            raise answers.not_agnes(api.server)
        _receive(shelf, name, etag, answer, on_progress)
    kept = Kept(
        name=name,
        view=item["table"] if name == item["name"] else name,
        table=item["table"],
        etag=etag,
        rows=int(rows),
        bytes=_size(shelf.part(name)),
        as_of=answer.headers.get("X-Agnes-As-Of"),
        pulled_at=datetime.now(UTC).isoformat(timespec="seconds"),
        whose=item["whose"],
        filters=dict(filters),
    )
    _take(shelf, kept)
    return kept, True


def _conditions(shelf: Shelf, name: str, known: Kept | None) -> dict[str, str]:
    # What a proxy compresses on the way could not be gone on with.
    headers = {"Accept-Encoding": "identity"}
    if known:
        headers["If-None-Match"] = known.etag
    begun, tag = _size(shelf.part(name)), folders.read_text(shelf.part_tag(name))
    if begun and tag:
        headers |= {"Range": f"bytes={begun}-", "If-Range": tag}
    return headers


def _receive(shelf: Shelf, name: str, etag: str, answer: "httpx.Response", on_progress: OnProgress) -> None:
    goes_on = answer.status_code == 206
    if not goes_on:
        shelf.part(name).unlink(missing_ok=True)
        folders.write_private(shelf.part_tag(name), etag)
    with _opened(shelf.part(name)) as file:
        # As it comes: of larger pieces, what has come of the last would be lost when the connection breaks.
        for chunk in answer.iter_raw():
            file.write(chunk)
            on_progress(len(chunk))


def _take(shelf: Shelf, kept: Kept) -> None:
    """Whole, or not at all. Raises ServerAway where it is no Parquet."""
    part = shelf.part(kept.name)
    with part.open("rb") as file:
        begins = file.read(len(MAGIC))
        file.seek(-len(MAGIC), os.SEEK_END)
        ends = file.read()
    if (begins, ends) != (MAGIC, MAGIC):
        part.unlink()
        raise ServerAway("What came is no whole Parquet file.", "Pull again.")
    # The facts last: without them it is not here.
    try:
        os.replace(part, shelf.data(kept.name))
    except OSError as error:
        raise folders.unwritable(shelf.data(kept.name), error) from error
    shelf.part_tag(kept.name).unlink(missing_ok=True)
    shelf.write(kept)


@contextmanager
def _opened(path: Path) -> "Iterator[IO[bytes]]":
    """To append to; it names people, so it is for its owner alone."""
    try:
        with open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise folders.unwritable(path, error) from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

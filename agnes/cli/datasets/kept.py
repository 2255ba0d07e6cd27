"""The files of data sets and snapshots of one account, and what is known of them."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from agnes.cli import folders
from agnes.cli.errors import LocalTrouble, WrongInput

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


class Kind(StrEnum):
    """A whole data set, or a part of one that somebody has named."""

    DATASET = "datasets"
    SNAPSHOT = "snapshots"


@dataclass(frozen=True)
class Kept:
    """`view` is how queries name it; `filters` are what was asked for, `whose` is mine or all."""

    name: str
    view: str
    table: str
    etag: str
    rows: int
    bytes: int
    as_of: str | None
    pulled_at: str
    whose: str = ""
    filters: dict[str, Any] = field(default_factory=dict)


class Shelf:
    """Of one account and kind."""

    def __init__(self, account: str, kind: Kind) -> None:
        self.folder = account_folder(account) / kind.value

    def data(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def part(self, name: str) -> Path:
        """Of a download that is under way, or broke off."""
        return self.folder / f"{name}.parquet.part"

    def part_tag(self, name: str) -> Path:
        return self.folder / f"{name}.parquet.part.etag"

    def read(self, name: str) -> Kept | None:
        """None where it is not here, or only half of it. Raises LocalTrouble."""
        text = folders.read_text(self._facts(name))
        if text is None or not self.data(name).exists():
            return None
        try:
            return Kept(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise LocalTrouble(f"{self._facts(name)} is damaged.", "Remove it, and pull again.") from error

    def write(self, kept: Kept) -> None:
        folders.write_private(self._facts(kept.name), json.dumps(asdict(kept), indent=2))

    def all(self) -> Iterator[Kept]:
        for path in sorted(self.folder.glob("*.json")):
            if kept := self.read(path.stem):
                yield kept

    def drop(self, name: str) -> bool:
        """Whether it was here."""
        was_here = self.read(name) is not None
        for path in (self._facts(name), self.data(name), self.part(name), self.part_tag(name)):
            path.unlink(missing_ok=True)
        return was_here

    def _facts(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def account_folder(account: str) -> Path:
    return folders.data_folder() / hashlib.sha256(account.encode()).hexdigest()[:16]


def check_name(name: str) -> str:
    """Of a snapshot. Raises WrongInput."""
    if not NAME.fullmatch(name) or name.startswith("usage_"):
        raise WrongInput(
            f"{name!r} is no name for a snapshot.",
            "Use small letters, digits and _, such as last_month; usage_… are the whole tables.",
        )
    return name

"""What stands in a backup: names of members, and the manifest at its end."""

import hashlib
from datetime import datetime

import msgspec

# Raise it when an older version of Agnes could not restore what this one writes.
FORMAT = 1

HEAD = "agnes-backup.json"
MANIFEST = "manifest.json"
FILES, TABLES, SECRETS, CHECKSUMS = "files/", "tables/", "secrets/", "checksums/"


class Head(msgspec.Struct):
    """The first member."""

    format: int
    made_at: datetime


class TableNote(msgspec.Struct):
    rows: int = 0
    chunks: int = 0


class Manifest(msgspec.Struct, kw_only=True):
    """The last member.

    `migrations` are those that the database had, by app. `files` counts members below files/; of these
    `unneeded` were replaced or deleted while the backup was made, and `lost` are missing although the
    database names them. `secrets` are fingerprints by name. `lists` are the lists of checksums,
    `lists_sha256` is over all of them.
    """

    format: int
    made_at: datetime
    database: str
    migrations: dict[str, list[str]]
    tables: dict[str, TableNote]
    totals: dict[str, int]
    files: int
    file_bytes: int
    unneeded: list[str]
    lost: list[str]
    secrets: dict[str, str]
    lists: int
    lists_sha256: str
    # Over the rest.
    seal: str = ""

    def sealed(self) -> bytes:
        return _encode(msgspec.structs.replace(self, seal=self._hash()))

    @property
    def is_whole(self) -> bool:
        return self.seal == self._hash()

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    def _hash(self) -> str:
        return hashlib.sha256(_encode(msgspec.structs.replace(self, seal=""))).hexdigest()


def _encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest))

"""The stored trees: one zip a version, written by the server, in the default storage."""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from accounts.diagnosis import Finding, some_of
from marketplace.catalogue.reading import README_BYTES, ReadPlugin, read_readme
from marketplace.errors import PackLost
from marketplace.guardrails import Inspection, Pack, StoredFile, digest_of, open_pack, write_pack
from marketplace.models import StoreVersion
from marketplace.plugins import parse_plugin
from marketplace.plugins.errors import FileUnreadable
from telemetry.charts import counted
from telemetry.files.spool import PACK_SUFFIX, spooled_file
from telemetry.files.storage import FileOnDisk

log = logging.getLogger(__name__)

FOLDER = "store"
# Between a pack and its row lies one transaction.
STRAY_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class StoredPack:
    """`key` is its name in the storage, `size` in bytes; `plugin` is what stands in it."""

    key: str
    size: int
    digest: str
    plugin: ReadPlugin


@contextmanager
def stored_pack(inspection: Inspection, spooled: Path) -> Iterator[StoredPack]:
    """What the inspection wrote, moved into the storage; gone again where the block fails."""
    # Never shared between versions, so that each can be deleted without a look at the others.
    key = f"{FOLDER}/{inspection.digest}-{secrets.token_hex(4)}.zip"
    with open_pack(spooled) as tree:
        plugin = _read(tree, inspection.slug, inspection.digest)
    size = spooled.stat().st_size
    with spooled.open("rb") as file:
        default_storage.save(key, FileOnDisk(file, name=str(spooled)))
    try:
        yield StoredPack(key, size, inspection.digest, plugin)
    except BaseException:
        default_storage.delete(key)
        raise


def replace_files(version: StoreVersion, files: Mapping[str, StoredFile]) -> None:
    """In a transaction: the version holds this tree instead of its own, whose pack goes with the commit."""
    former, version.digest = version.pack, digest_of(files)
    version.pack = f"{FOLDER}/{version.digest}-{secrets.token_hex(4)}.zip"
    with spooled_file(PACK_SUFFIX) as path:
        write_pack(files, path)
        version.size = path.stat().st_size
        with path.open("rb") as file:
            default_storage.save(version.pack, FileOnDisk(file, name=str(path)))
    version.save(update_fields=["pack", "digest", "size"])
    transaction.on_commit(lambda: default_storage.delete(former))


@contextmanager
def opened_pack(version: StoreVersion) -> Iterator[Pack]:
    """Raises PackLost."""
    try:
        file = default_storage.open(version.pack)
    except FileNotFoundError as error:
        raise PackLost from error
    with file:
        try:
            tree = open_pack(cast(BinaryIO, file))
        except FileUnreadable as error:
            raise PackLost from error
        with tree:
            yield tree


def read_pack(version: StoreVersion) -> ReadPlugin:
    """What a version would be in the catalogue. It takes a while: call it outside of transactions.

    Raises PackLost.
    """
    with opened_pack(version) as tree:
        return _read(tree, version.entity.slug, version.digest)


def remover(versions: Iterator[StoreVersion] | list[StoreVersion]) -> Callable[[], None]:
    """For transaction.on_commit."""
    keys = [version.pack for version in versions]

    def remove() -> None:
        for key in keys:
            default_storage.delete(key)

    return remove


def remove_strays(min_age: timedelta = STRAY_AFTER) -> int:
    """Remove packs without a row, which uploads that were killed left. Returns how many it were."""
    strays = find_strays(min_age)
    _remove(strays)
    return len(strays)


def examine(min_age: timedelta) -> Iterator[Finding]:
    """For `manage.py doctor`."""
    if strays := find_strays(min_age):
        yield Finding(
            f"{counted(len(strays), 'pack')} that no version has: {some_of(strays)}.",
            "An upload to the flea market that was killed left them: remove them with --fix.",
            lambda: _remove(strays),
        )
    if lost := _lost_packs():
        yield Finding(
            f"{counted(len(lost), 'version')} on the flea market without files: {some_of(lost)}.",
            f"Restore the folder `{FOLDER}` from a backup, or have the owner upload a new version.",
        )


def find_strays(min_age: timedelta) -> list[str]:
    before = timezone.now() - min_age
    old = [key for key in _stored_keys() if (at := _modified_at(key)) and at <= before]
    # Asked for last: a row never comes so long after its pack.
    kept = set(StoreVersion.objects.values_list("pack", flat=True))
    return sorted(key for key in old if key not in kept)


def _remove(strays: list[str]) -> str:
    for key in strays:
        default_storage.delete(key)
    told = f"Removed {counted(len(strays), 'pack')} that no version has."
    if strays:
        log.info(told)
    return told


def _lost_packs() -> list[str]:
    stored = set(_stored_keys())
    versions = StoreVersion.objects.select_related("entity").order_by("pk")
    return [str(version) for version in versions.iterator() if version.pack and version.pack not in stored]


def _stored_keys() -> list[str]:
    try:
        return [f"{FOLDER}/{name}" for name in default_storage.listdir(FOLDER)[1]]
    except FileNotFoundError:
        return []


def _modified_at(key: str) -> datetime | None:
    try:
        return default_storage.get_modified_time(key)
    except FileNotFoundError:
        return None


def _read(tree: Pack, slug: str, digest: str) -> ReadPlugin:
    record = parse_plugin(tree, slug)
    readme, is_cut = read_readme(record, tree, README_BYTES)
    return ReadPlugin(
        record, digest, readme.decode("utf-8-sig", "replace"), is_cut, has_own_version=bool(record.version)
    )

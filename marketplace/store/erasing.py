"""What there is of a person on the flea market, for agnes/erasing.

Items that nobody else uses go. Those that others use live on, as do the versions that a person uploaded to
other people's items: under the pseudonym, and with it in place of name and e-mail address wherever they
stand in files, descriptions and reasons.
"""

import hashlib
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet

from accounts.erasing.kinds import Counts, Kind, rows
from accounts.erasing.subject import Subject
from marketplace.errors import PackLost
from marketplace.guardrails import StoredFile
from marketplace.models import Component, Plugin, StackItem, StoreEntity, StoreVerdict, StoreVersion
from marketplace.serving import repositories, shown
from marketplace.store import packs
from marketplace.store.ownership import remove_for_good, used_by_others
from marketplace.store.publishing import alone

# Between a pack and its row lies one transaction.
STRAY_AFTER = timedelta(hours=1)


def _items(subject: Subject) -> QuerySet[StoreEntity]:
    return StoreEntity.objects.filter(owner=subject.pk).select_related("plugin__marketplace").order_by("pk")


def _count_items(subject: Subject) -> Counts:
    return +Counter({"items": sum(_goes(entity) for entity in _items(subject))})


def _remove_items(subject: Subject) -> Counts:
    """One at a time. What was taken down goes as well: it is evidence against nobody any more."""
    with alone():
        entity = next((entity for entity in _items(subject) if _goes(entity)), None)
        if entity is None:
            return Counter()
        remove_for_good(entity)
    return Counter({"items": 1})


def _goes(entity: StoreEntity) -> bool:
    return not used_by_others(entity)


def _count_versions(subject: Subject) -> Counts:
    return +Counter({"versions with their name": sum(1 for _ in _naming_versions(subject))})


def _clean_version(subject: Subject) -> Counts:
    """One at a time: its files are read and written anew."""
    # Open as long as its files are read.
    with closing(_naming_versions(subject)) as naming:
        for version, files in naming:
            with alone():
                packs.replace_files(version, files)
                Plugin.objects.filter(entity__served=version).update(digest=version.digest)
            return Counter({"versions with their name": 1})
    return Counter()


def _naming_versions(subject: Subject) -> Generator[tuple[StoreVersion, Mapping[str, StoredFile]]]:
    """Those that name the person, with their files as they shall be."""
    theirs = Q(entity__owner=subject.pk) | Q(uploaded_by=subject.pk)
    kept = StoreVersion.objects.filter(theirs).exclude(pack="").order_by("pk")
    for version in kept.select_related("entity"):
        if _goes(version.entity) and version.entity.owner_id == subject.pk:
            continue
        try:
            with packs.opened_pack(version) as tree:
                files = tree.files
                cleaned = dict(_without_names(files, subject))
                if cleaned != files:
                    yield version, cleaned
        except PackLost:
            # There is nothing to be read in it.
            continue


def _without_names(files: Mapping[str, StoredFile], subject: Subject) -> Iterator[tuple[str, StoredFile]]:
    for path, file in files.items():
        before = file.content
        text = subject.without_names(before.decode("utf-8", "surrogateescape"))
        after = text.encode("utf-8", "surrogateescape")
        if after == before:
            yield subject.without_names(path), file
        else:
            sha256 = hashlib.sha256(after).hexdigest()
            read = partial(bytes, after)
            yield subject.without_names(path), replace(file, size=len(after), sha256=sha256, read=read)


# Columns in which a person may be named, of the tables that tell of items, and the way from there to an item.
TEXTS: dict[type[Any], tuple[str, tuple[str, ...]]] = {
    Plugin: ("entity", (
        "display_name", "description", "version", "author", "homepage", "repository", "license", "category",
        "keywords", "entry", "readme", "executables", "does_not_load", "notes",
    )),
    Component: ("plugin__entity", ("path", "description", "details")),
    StoreEntity: ("pk", ("description",)),
    StoreVersion: ("entity", ("version", "findings")),
    StoreVerdict: ("store_version__entity", ("reason",)),
}  # fmt: skip


def _naming_rows(subject: Subject) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Rows that name the person, with what shall stand there. Of all items that stay on the flea market; what
    is registered from elsewhere is its authors' to change."""
    going = {entity.pk for entity in _items(subject) if _goes(entity)}
    staying = StoreEntity.objects.exclude(pk__in=going).values("pk")
    for model, (way, columns) in TEXTS.items():
        for row in model._default_manager.filter(**{f"{way}__in": staying}).order_by("pk"):
            before = {column: getattr(row, column) for column in columns}
            after = {column: _cleaned(value, subject) for column, value in before.items()}
            if after != before:
                yield row, after


def _cleaned(value: Any, subject: Subject) -> Any:
    match value:
        case str():
            return subject.without_names(value)
        case list():
            return [_cleaned(one, subject) for one in value]
        case dict():
            return {name: _cleaned(one, subject) for name, one in value.items()}
    return value


def _count_texts(subject: Subject) -> Counts:
    return +Counter({"texts with their name": sum(1 for _ in _naming_rows(subject))})


def _clean_texts(subject: Subject) -> Counts:
    count = 0
    with alone():
        for row, after in list(_naming_rows(subject)):
            type(row)._default_manager.filter(pk=row.pk).update(**after)
            count += 1
    return +Counter({"texts with their name": count})


KINDS: tuple[Kind, ...] = (
    rows("plugins of their stack", lambda subject: StackItem.objects.filter(user=subject.pk)),
    Kind(_count_items, _remove_items),
    Kind(_count_versions, _clean_version),
    Kind(_count_texts, _clean_texts),
)


def remove_files(user_id: int) -> bool:
    """Packs that no version has, and what is served on this machine, which is built anew when it is asked
    for. False where somebody reads some of it."""
    packs.remove_strays(STRAY_AFTER)
    shown.forget_person(user_id)
    return repositories.remove_all()

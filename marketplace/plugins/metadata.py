"""What a plugin says about itself: plugin.json first, then the marketplace's entry."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from marketplace.plugins import limits
from marketplace.plugins.records import Person
from marketplace.plugins.text import shortened
from marketplace.plugins.values import as_description, as_object, as_text, as_texts


class Metadata(NamedTuple):
    display_name: str
    description: str
    author: Person
    homepage: str
    repository: str
    license: str
    keywords: tuple[str, ...]
    category: str
    tags: tuple[str, ...]
    default_enabled: bool | None


def read_metadata(manifest: dict[str, Any], entry: dict[str, Any]) -> Metadata:
    both = (manifest, entry)
    return Metadata(
        display_name=_text(both, "displayName"),
        description=_first(as_description(fields.get("description")) for fields in both),
        author=_author(both),
        homepage=_text(both, "homepage"),
        repository=_text(both, "repository") or _first(_url(fields.get("repository")) for fields in both),
        license=_text(both, "license"),
        keywords=as_texts(manifest.get("keywords")) or as_texts(entry.get("keywords")),
        category=_text((entry, manifest), "category"),
        tags=as_texts(entry.get("tags")) or as_texts(manifest.get("tags")),
        default_enabled=_bool(both, "defaultEnabled"),
    )


def read_person(value: Any) -> Person:
    """An author or owner; a plain text is a name."""
    if isinstance(value, str):
        return Person(shortened(value, limits.NAME_CHARACTERS))
    fields = as_object(value)
    return Person(*(_text((fields,), key) for key in ("name", "email", "url")))


def version_of(fields: dict[str, Any]) -> str:
    return _text((fields,), "version")


def _author(both: tuple[dict[str, Any], ...]) -> Person:
    people = (read_person(fields.get("author")) for fields in both)
    return next((person for person in people if person != Person()), Person())


def _text(sources: tuple[dict[str, Any], ...], key: str) -> str:
    return _first(shortened(as_text(fields.get(key)) or "", limits.NAME_CHARACTERS) for fields in sources)


def _url(repository: Any) -> str:
    """npm's habit: `{"type": "git", "url": …}`."""
    return _text((as_object(repository),), "url")


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")


def _bool(sources: tuple[dict[str, Any], ...], key: str) -> bool | None:
    values = (fields.get(key) for fields in sources)
    return next((value for value in values if isinstance(value, bool)), None)

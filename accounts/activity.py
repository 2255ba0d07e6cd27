"""The audit log as people read it: filtered, newest first, with the names of people looked up.

Rows hold ids. Names are looked up when they are shown, so that the log tells today's.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from accounts.errors import WrongActivityFilter
from accounts.models import AuditLog, ClientKind, User
from accounts.moments import read_moment
from accounts.numbers import whole_number

PERSON = re.compile(r"user:(\d{1,18})", re.ASCII)
TRANSCRIPT = re.compile(r"transcript:(\d{1,18})", re.ASCII)
SERVER = "server"
UNKNOWN = "not in the log"


@dataclass(frozen=True)
class Filters:
    """None: any. `actor` is a person's id, or 0 for what the server did by itself; `until` is exclusive."""

    actor: int | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    client_kind: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """For the audit log: what was asked, by ids. Of what was typed only what the log has already, since
        anything else may be a name."""
        chosen = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name in ("action", "target"):
            if chosen[name] and not AuditLog.objects.filter(**{name: chosen[name]}).exists():
                chosen[name] = UNKNOWN
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in chosen.items()
            if value is not None
        }


def read_filters(query: Mapping[str, str]) -> Filters:
    """From an address. `who` is an id, an e-mail address or `server`; empty values count as absent.

    Raises WrongActivityFilter with all that is wrong.
    """
    wrong: dict[str, str] = {}

    def read(name: str, reader: Callable[[str], Any]) -> Any:
        value = query.get(name, "").strip()
        try:
            if "\0" in value:
                raise ValueError("there is a NUL in it")
            return reader(value) if value else None
        except ValueError as error:
            wrong[name] = str(error)

    filters = Filters(
        actor=read("who", _person_named),
        action=read("action", str),
        target=read("target", _target_named),
        since=read("since", read_moment),
        until=read("until", read_moment),
        client_kind=read("client", _client_kind),
    )
    if wrong:
        raise WrongActivityFilter(wrong)
    return filters


def find(filters: Filters) -> QuerySet[AuditLog]:
    """Newest first. Each filter has an index that ends with the time."""
    wanted = {
        "action": filters.action,
        "target": filters.target,
        "client_kind": filters.client_kind,
        "at__gte": filters.since,
        "at__lt": filters.until,
    }
    rows = AuditLog.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    if filters.actor is not None:
        rows = rows.filter(actor=filters.actor) if filters.actor else rows.filter(actor=None)
    return rows.order_by("-at", "-pk")


def older_than(rows: QuerySet[AuditLog], pk: int) -> QuerySet[AuditLog]:
    """The rows after this one, in the order of `find`: any page costs as much as the first."""
    return rows.filter(_beside("before", pk, "lt"))


def newer_than(rows: QuerySet[AuditLog], pk: int) -> QuerySet[AuditLog]:
    """The rows before this one, the nearest first."""
    return rows.filter(_beside("after", pk, "gt")).order_by("at", "pk")


def _beside(name: str, pk: int, side: str) -> Q:
    at = AuditLog.objects.filter(pk=pk).values_list("at", flat=True).first()
    if at is None:
        raise WrongActivityFilter({name: "there is no such row"})
    # The first condition leads along the index, the second tells apart rows of the same moment.
    return Q(**{f"at__{side}e": at}) & (Q(**{f"at__{side}": at}) | Q(**{f"pk__{side}": pk}))


def names_in(rows: Iterable[AuditLog]) -> dict[int, str]:
    """The e-mail address of everybody whom these rows name, by id; one query."""
    ids = {id for row in rows for id in (row.actor, person_in(row.target)) if id}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "email"))


def person_in(target: str) -> int | None:
    """Whose id a target such as `user:7` names."""
    found = PERSON.fullmatch(target)
    return int(found[1]) if found else None


def transcript_in(target: str) -> int | None:
    """Which transcript's id a target such as `transcript:7` names."""
    found = TRANSCRIPT.fullmatch(target)
    return int(found[1]) if found else None


def _person_named(text: str) -> int:
    if text == SERVER:
        return 0
    user_id = whole_number(text)
    if user_id is not None:
        return user_id
    found = User.objects.filter(email=text.lower()).first()
    if found is None:
        raise ValueError(f"nobody has this e-mail address or id; `{SERVER}` is what the server did by itself")
    return int(found.pk)


def _target_named(text: str) -> str:
    """An e-mail address stands for the person."""
    return f"user:{_person_named(text)}" if "@" in text else text


def _client_kind(text: str) -> str:
    if text not in ClientKind.values:
        raise ValueError(f"one of {', '.join(ClientKind.values)}")
    return text

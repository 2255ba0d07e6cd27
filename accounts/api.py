"""The JSON API of people and of what they did."""

from datetime import datetime
from typing import Annotated, Any

from django.db.models import Q
from django.http import HttpRequest
from ninja import Query, Router, Schema

from accounts import activity
from accounts.api_auth import auth
from accounts.errors import WrongActivityFilter
from accounts.models import ClientKind, Scope, User
from accounts.moments import EXAMPLE
from accounts.numbers import LARGEST, whole_number

router = Router(tags=["admin"])

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
# Further back one goes with `before`, which costs the same for any page.
MAX_OFFSET = 10_000


class Activity(Schema):
    id: int
    at: datetime
    actor: int | None
    actor_email: str | None
    action: str
    target: str
    params: dict[str, Any]
    result: str
    client_kind: str
    request_id: str


class ActivityList(Schema):
    items: list[Activity]
    total: int
    limit: int
    offset: int


@router.get(
    "/admin/activity",
    auth=auth(Scope.ADMIN, permission="accounts.view_auditlog"),
    response=ActivityList,
    summary="Read the audit log",
)
def read_activity(
    request: HttpRequest,
    who: Annotated[
        str | None, Query(description=f"an id, an e-mail address, or {activity.SERVER}: by itself")
    ] = None,
    action: Annotated[str | None, Query(description="exactly, such as usage.export")] = None,
    target: Annotated[str | None, Query(description="exactly, such as user:7, or an e-mail address")] = None,
    since: Annotated[str | None, Query(description=f"inclusive: {EXAMPLE}; UTC without a zone")] = None,
    until: Annotated[str | None, Query(description="exclusive")] = None,
    client: Annotated[str | None, Query(description=", ".join(ClientKind.values))] = None,
    before: Annotated[str | None, Query(description="rows after the one with this id, in this order")] = None,
    limit: Annotated[str | None, Query(description=f"1 to {MAX_LIMIT}; default {DEFAULT_LIMIT}")] = None,
    offset: Annotated[str | None, Query(description=f"at most {MAX_OFFSET}; default 0")] = None,
) -> dict[str, Any]:
    """Newest first. `actor` is null for what the server did by itself; names are those of today.

    `before` pages through any number of rows: ask with the id of the last row that you have. `total` counts
    all that the filters let through.
    """
    twice = [name for name, values in request.GET.lists() if len(values) > 1]
    if twice:
        raise WrongActivityFilter(dict.fromkeys(twice, "only once"))
    found = activity.find(activity.read_filters(request.GET.dict()))
    first = _number("offset", offset, 0, 0, MAX_OFFSET)
    count = _number("limit", limit, DEFAULT_LIMIT, 1, MAX_LIMIT)
    rows = activity.older_than(found, _number("before", before, 0, 1, LARGEST)) if before else found
    page = list(rows[first : first + count])
    names = activity.names_in(page)
    items = [{**row.__dict__, "actor_email": names.get(row.actor or 0)} for row in page]
    return {"items": items, "total": found.count(), "limit": count, "offset": first}


def _number(name: str, text: str | None, default: int, least: int, most: int) -> int:
    if not text:
        return default
    number = whole_number(text)
    if number is None or not least <= number <= most:
        raise WrongActivityFilter({name: f"a whole number from {least} to {most}"})
    return number


class Person(Schema):
    id: int
    email: str
    name: str
    is_active: bool
    is_staff: bool


class PersonList(Schema):
    items: list[Person]
    total: int
    limit: int
    offset: int


@router.get(
    "/admin/users",
    auth=auth(Scope.ADMIN, permission="accounts.view_user"),
    response=PersonList,
    summary="List people",
)
def list_people(
    request: HttpRequest,
    q: Annotated[str, Query(max_length=254, description="in the e-mail address or the name")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> dict[str, Any]:
    """By e-mail address."""
    # PostgreSQL takes no NUL.
    words = q.replace("\0", "?").strip()
    found = User.objects.filter(Q(email__icontains=words) | Q(name__icontains=words)).order_by("email")
    page = list(found[offset : offset + limit])
    return {"items": page, "total": found.count(), "limit": limit, "offset": offset}

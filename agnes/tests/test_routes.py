"""Promise 6: a person sees only what they may. The table is in agnes/tests/routes.py."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import PathView

from accounts.models import Scope, User
from agnes.tests.routes import ROUTES, Route, world

ROLES = ["anonymous", "user", "other", "staff", "admin", "upload_token"]


@dataclass(frozen=True)
class Endpoint:
    pattern: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.pattern or '/'}"

    def row(self) -> Route | None:
        fitting = (row for row in ROUTES if fits(row, self))
        return next(fitting, None)


def fits(row: Route, endpoint: Endpoint) -> bool:
    return row.method == endpoint.method and fnmatchcase(endpoint.pattern, row.pattern)


def endpoints() -> Iterator[Endpoint]:
    for pattern, view in walk(get_resolver().url_patterns):
        for method in methods(view):
            yield Endpoint(pattern, method)


def walk(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for it in patterns:
        route = prefix + str(it.pattern)
        if isinstance(it, URLResolver):
            yield from walk(it.url_patterns, route)
        else:
            yield route, it.callback


def methods(view: Any) -> list[str]:
    """All that an API path takes. Of a page, GET: rows for its other methods may be added."""
    cells = getattr(inspect.unwrap(view), "__closure__", None) or ()
    operations = [
        it
        for cell in cells
        if isinstance(cell.cell_contents, PathView)
        for it in cell.cell_contents.operations
    ]
    return sorted({method for operation in operations for method in operation.methods}) or ["GET"]


def url(endpoint: Endpoint, row: Route, names: dict[str, object]) -> str:
    if row.url:
        return row.url.format(**names)
    args = {name: value.format(**names) for name, value in row.args.items()}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda part: args.get(part[1], "1"), endpoint.pattern)


ALL = sorted(set(endpoints()), key=str)
MORE_METHODS = [
    Endpoint(endpoint.pattern, row.method)
    for row in ROUTES
    for endpoint in ALL
    if row.method not in ("GET", endpoint.method) and fnmatchcase(endpoint.pattern, row.pattern)
]


def test_every_route_has_a_row():
    lines = [
        f'    Route("{endpoint.pattern}", anonymous=…, user=…, other=…, staff=…, admin=…, upload_token=…'
        + (f', method="{endpoint.method}"' if endpoint.method != "GET" else "")
        + "),"
        for endpoint in ALL
        if endpoint.row() is None
    ]
    assert not lines, "Say who may use these; add to ROUTES in agnes/tests/routes.py:\n" + "\n".join(lines)


def test_every_row_has_a_route():
    used = {id(endpoint.row()) for endpoint in {*ALL, *MORE_METHODS}}
    stale = [f"{row.method} {row.pattern}" for row in ROUTES if id(row) not in used]
    assert not stale, "Remove from ROUTES in agnes/tests/routes.py what fits no route: " + ", ".join(stale)


def test_the_table_has_every_role():
    assert [it.name for it in fields(Route)][1:7] == ROLES


@pytest.fixture
def clients(alice: User, bob: User, charlie: User, dana: User, token_for) -> dict[str, Client]:
    people = {"user": bob, "other": charlie, "staff": dana, "admin": alice}
    clients = {role: Client(raise_request_exception=False) for role in ROLES}
    for role, person in people.items():
        clients[role].force_login(person)
    clients["upload_token"].defaults["HTTP_AUTHORIZATION"] = f"Bearer {token_for(bob, Scope.UPLOAD)}"
    return clients


@pytest.mark.parametrize("endpoint", sorted({*ALL, *MORE_METHODS}, key=str), ids=str)
@pytest.mark.django_db
def test_everybody_gets_what_the_table_says(endpoint: Endpoint, clients, alice, bob, charlie, dana):
    row = endpoint.row()
    if row is None:
        pytest.skip("test_every_route_has_a_row says so")
    people = {"alice": alice.pk, "bob": bob.pk, "charlie": charlie.pk, "dana": dana.pk}
    address = url(endpoint, row, {**people, **world(bob)})
    answers = {role: status(clients[role], address, row) for role in ROLES}
    assert answers == {role: getattr(row, role) for role in ROLES}, f"{row.method} {address}"


def status(client: Client, address: str, row: Route) -> int:
    """Asked for real, then undone, so that each role finds the same world.

    A bare savepoint, because a view may open a durable transaction.
    """
    before = transaction.savepoint()
    answer = client.generic(row.method, address, row.body, content_type=row.content_type)
    if answer.streaming:
        # Read to its end, or it would hold one of the few places for long answers.
        b"".join(answer)
    transaction.savepoint_rollback(before)
    return answer.status_code


REFUSED = (302, 401, 403, 404, 405)
SIGN_IN_AND_OUT = ("admin/login/", "admin/logout/")


@pytest.mark.django_db
def test_nobody_gets_by_post_what_get_refuses(clients, alice, bob, charlie, dana):
    """Of every page of the admin site; what an API path takes is in the table."""
    people = {"alice": alice.pk, "bob": bob.pk, "charlie": charlie.pk, "dana": dana.pk}
    names = {**people, **world(bob)}
    let_through = {}
    for endpoint in (
        it for it in ALL if it.pattern.startswith("admin/") and it.pattern not in SIGN_IN_AND_OUT
    ):
        row = endpoint.row()
        assert row is not None
        address = url(endpoint, row, names)
        for role in (it for it in ROLES if it != "admin" and getattr(row, it) in REFUSED):
            answer = status(clients[role], address, replace(row, method="POST"))
            if answer not in REFUSED:
                let_through[f"{role} {address}"] = answer
    assert not let_through

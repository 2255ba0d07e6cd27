"""Machines of people who work in Claude Code, and a server that their client talks to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts.models import Scope, User
from agnes.tests.cli.machines import Machine
from agnes.tests.cli.scripted import Scripted, scripted

ALL = (Scope.UPLOAD, Scope.READ, Scope.MARKETPLACE)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Nobody is logged in."""
    return Machine(tmp_path / "laptop")


@pytest.fixture
def logged_in(live_server, token_for: Callable[..., str], tmp_path: Path) -> Callable[..., Machine]:
    """`logged_in(bob)` is a machine of bob, on which he is logged in to the live server."""

    def make(user: User, *scopes: Scope, name: str = "") -> Machine:
        machine = Machine(tmp_path / (name or f"{user.get_short_name()}-laptop"))
        token = token_for(user, *(scopes or ALL))
        machine.log_in(live_server.url, token, user_id=user.pk, email=user.email, name=user.name)
        return machine

    return make


@pytest.fixture
def laptop(logged_in: Callable[..., Machine], bob: User) -> Machine:
    """bob's."""
    return logged_in(bob)


@pytest.fixture
def server() -> Iterator[Scripted]:
    """One that fails as the test says."""
    with scripted() as running:
        yield running


@pytest.fixture
def client(machine: Machine, server: Scripted) -> Machine:
    """Logged in to the scripted server; no database is needed."""
    machine.log_in(server.url, f"agnes_{'a' * 12}_{'b' * 40}", user_id=7, email="bob@example.com")
    return machine

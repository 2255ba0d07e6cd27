"""The child that answers: limited, and gone when nobody listens."""

import base64
import os
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from accounts.models import Scope
from agnes.tests.server import descendants, wait_until
from marketplace.serving import backend
from marketplace.serving.backend import Request
from marketplace.serving.errors import FetchesBusy
from marketplace.serving.repositories import repository_of_view
from marketplace.serving.stack import add_to_stack
from marketplace.serving.view import view_of
from marketplace.tests.serving.conftest import two_plugins

pytestmark = pytest.mark.django_db(transaction=True)

INFO = Request("info/refs", "version=2")


@pytest.fixture
def repository_folder(kits, bob):
    with repository_of_view(view_of(bob)) as path:
        yield path


def test_its_environment_holds_nothing_of_ours(repository_folder, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "hush")
    monkeypatch.setenv("GIT_DIR", "/srv/elsewhere")
    environment = backend._environment(repository_folder, INFO)
    assert "SECRET_KEY" not in environment
    assert "GIT_DIR" not in environment
    with backend.answer(repository_folder, INFO, ExitStack()) as answer:
        assert b"version 2" in b"".join(answer)


def test_so_many_at_once(repository_folder, settings, monkeypatch):
    monkeypatch.setattr(backend, "WAIT_SECONDS", 0.1)
    with ExitStack() as answers:
        for _ in range(settings.GIT_FETCHES_AT_ONCE):
            answers.enter_context(backend.answer(repository_folder, INFO, ExitStack()))
        with ExitStack() as held, pytest.raises(FetchesBusy):
            backend.answer(repository_folder, INFO, held)
    with backend.answer(repository_folder, INFO, ExitStack()) as answer:
        assert answer.status == 200


def test_it_is_ended_after_its_time(repository_folder, settings, caplog):
    settings.GIT_FETCH_SECONDS = 0.1
    with backend.answer(repository_folder, INFO, ExitStack()):
        wait_until(lambda: "took longer" in caplog.text, 10)
    assert "took longer than 0.1 seconds and was ended" in caplog.text


@pytest.mark.slow
@pytest.mark.sample
def test_it_ends_with_its_client(server, synced, bob, token_for):
    """A pack that does not fit into the buffers on the way."""
    synced(two_plugins(more={f"big{number}.bin": os.urandom(3_000_000) for number in range(8)}))
    add_to_stack(bob, "curated", "kits/tidy")
    with repository_of_view(view_of(bob)) as path:
        commit = (path / "agnes-commit").read_text()
    want = f"0011command=fetch0001{4 + 5 + 40 + 1:04x}want {commit}\n0009done\n0000"
    connection = asking(server, bob, token_for(bob, Scope.MARKETPLACE), want.encode())
    assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert backends()
    connection.close()
    wait_until(lambda: not backends(), 20)
    assert not backends()


def backends():
    lines = descendants(os.getpid()).values()
    return [line for line in lines if "http-backend" in line or "upload-pack" in line]


def asking(server, person, token, body):
    parts = urlsplit(server)
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    credentials = base64.b64encode(f"agnes:{token}".encode()).decode()
    head = (
        f"POST /m/{person.pk}.git/git-upload-pack HTTP/1.1\r\nHost: 127.0.0.1\r\nGit-Protocol: version=2\r\n"
        f"Authorization: Basic {credentials}\r\nContent-Type: application/x-git-upload-pack-request\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return connection

"""What people are told where the disk takes no more. The database is the real one, made to refuse."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import AccessToken, Scope, User
from telemetry.models import SessionTranscript
from telemetry.tests.processing.test_runner import session

pytestmark = pytest.mark.django_db(transaction=True)
UPLOAD = "/api/upload/sessions"


def tell_database(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def full() -> Iterator[Callable[[], None]]:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite can be told how large it may become")

    def fill() -> None:
        # So that it has no room in itself.
        tell_database("VACUUM")
        tell_database("PRAGMA max_page_count = 1")

    yield fill
    tell_database("PRAGMA max_page_count = 1073741823")


@pytest.fixture
def read_only() -> Iterator[Callable[[], None]]:
    off, on = {
        "sqlite": ("PRAGMA query_only = off", "PRAGMA query_only = on"),
        "postgresql": ("SET default_transaction_read_only = off", "SET default_transaction_read_only = on"),
    }[connection.vendor]
    yield lambda: tell_database(on)
    tell_database(off)


@pytest.fixture
def upload(bob: User, token_for: Callable[..., str]) -> Callable[[], Any]:
    headers = {"authorization": f"Bearer {token_for(bob, Scope.UPLOAD)}"}
    client = Client()
    # Large enough that the database needs more room for it.
    content = session("s1", calls=300)
    return lambda: client.post(UPLOAD, content, content_type="application/x-ndjson", headers=headers)


@pytest.fixture
def make_token(bob: User) -> Callable[[], Any]:
    client = Client(raise_request_exception=False)
    client.force_login(bob)
    form = {"name": "n" * 60, "scopes": ["upload"]}
    return lambda: client.post(reverse("accounts:tokens"), form)


def assert_refused(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == code
    assert "An operator makes" in error["hint"]
    assert int(answer["Retry-After"]) > 0


class TestUploads:
    def test_a_full_disk(self, full: Callable[[], None], upload: Callable[[], Any], own_data_folder: Path):
        full()
        assert_refused(upload(), 507, "disk_full")
        assert not SessionTranscript.objects.exists()
        assert not list(own_data_folder.rglob("*.zst"))

    def test_a_disk_that_can_only_be_read(self, read_only: Callable[[], None], upload: Callable[[], Any]):
        read_only()
        assert_refused(upload(), 503, "read_only")

    @pytest.mark.parametrize(
        ("number", "status", "code"), [(errno.ENOSPC, 507, "disk_full"), (errno.EROFS, 503, "read_only")]
    )
    def test_the_spool_folder(
        self, number: int, status: int, code: str, upload: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ):
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("telemetry.files.spool.tempfile.NamedTemporaryFile", refuse)
        assert_refused(upload(), status, code)

    def test_it_goes_on(self, read_only: Callable[[], None], upload: Callable[[], Any]):
        read_only()
        upload()
        tell_database(
            "PRAGMA query_only = off"
            if connection.vendor == "sqlite"
            else "RESET default_transaction_read_only"
        )
        assert upload().status_code == 201

    def test_another_error_of_the_system_is_a_failure(
        self, upload: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ):
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr("telemetry.files.spool.tempfile.NamedTemporaryFile", refuse)
        assert upload().status_code == 500


class TestPages:
    def test_a_disk_that_can_only_be_read(self, read_only: Callable[[], None], make_token: Callable[[], Any]):
        read_only()
        answer = make_token()
        assert answer.status_code == 503
        text = answer.content.decode()
        assert "<h1>The server can only read its disk at the moment, so nothing was changed.</h1>" in text
        assert "An operator makes the data folder and the database writable again" in text
        assert not AccessToken.objects.exists()

    def test_a_full_disk(self, full: Callable[[], None], make_token: Callable[[], Any]):
        full()
        answers = [make_token() for _ in range(40)]
        # The first ones may find room in what the database has already.
        assert {answer.status_code for answer in answers} in ({507}, {302, 507})
        assert "disk is full, so nothing was changed.</h1>" in answers[-1].content.decode()

    def test_pages_that_only_read_come_up(self, read_only: Callable[[], None], bob: User, client: Client):
        client.force_login(bob)
        read_only()
        assert client.get("/marketplace/").status_code == 200
        assert client.get(reverse("accounts:tokens")).status_code == 200

    @pytest.mark.parametrize("least", [0, 1 << 60])
    def test_the_front_page_of_the_admin(self, alice: User, client: Client, settings: Any, least: int):
        settings.MIN_FREE_BYTES = least
        client.force_login(alice)
        text = client.get("/admin/").content.decode()
        assert " free " in text
        assert ("nearly full" in text) == bool(least)
        assert ("make room, or lower AGNES_MIN_FREE_BYTES" in text) == bool(least)

"""Over https: passwords, redirects, and servers that hang or die."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from marketplace.git.errors import (
    AccessDenied,
    AddressMoved,
    ConnectionBroke,
    HostUnreachable,
    RepositoryNotFound,
    TookTooLong,
)
from marketplace.tests.git.conftest import Fetch
from marketplace.tests.git.servers import GitServer
from marketplace.tests.repositories import Repository

TOKEN = "s3cret-t0ken"


@pytest.fixture
def commit(repository: Repository) -> str:
    return repository.commit({f"file{number}": os.urandom(3000).hex() for number in range(60)})


def url_of(server: GitServer) -> str:
    return server.url("kits/.git")


class TestPasswords:
    def test_a_public_repository_needs_none(self, server: GitServer, commit: str, fetching: Fetch):
        assert fetching(url_of(server)) == commit
        assert not any("Authorization" in headers for _, headers in server.seen)

    def test_without_one_it_says_so_and_how_to_give_one(
        self, server: GitServer, commit: str, fetching: Fetch
    ):
        server.token = TOKEN
        with pytest.raises(AccessDenied, match="needs a password") as refused:
            fetching(url_of(server))
        assert "AGNES_GIT_TOKEN_" in refused.value.hint

    def test_with_the_token_it_is_fetched(self, server: GitServer, commit: str, fetching: Fetch):
        server.token = TOKEN
        assert fetching(url_of(server), token=TOKEN) == commit

    def test_a_wrong_token_is_refused_and_not_quoted(self, server: GitServer, commit: str, fetching: Fetch):
        server.token = TOKEN
        with pytest.raises(AccessDenied) as refused:
            fetching(url_of(server), token="wr0ng")
        assert "wr0ng" not in str(refused.value) + refused.value.hint

    def test_the_token_stands_in_no_argument_list_and_no_file(
        self, server: GitServer, commit: str, fetching: Fetch, fetched: Path, monkeypatch: pytest.MonkeyPatch
    ):
        server.token = TOKEN
        started: list[object] = []
        popen = subprocess.Popen

        def note(args: list[str], **options: object) -> object:
            started.append(args)
            return popen(args, **options)  # type: ignore[call-overload]

        monkeypatch.setattr(subprocess, "Popen", note)
        fetching(url_of(server), token=TOKEN)
        sent = next(headers["Authorization"] for _, headers in server.seen if "Authorization" in headers)
        stored = b"".join(path.read_bytes() for path in fetched.rglob("*") if path.is_file())
        for secret in (TOKEN, sent.removeprefix("Basic ")):
            assert secret not in str(started)
            assert secret.encode() not in stored
        assert started


class TestRedirects:
    @pytest.fixture
    def elsewhere(self, server: GitServer, start_server: Callable[[], GitServer]) -> GitServer:
        """Where `server` points to."""
        other = start_server()
        server.redirect_to = other.url("").rstrip("/")
        return other

    def test_the_token_never_follows_one(
        self, server: GitServer, elsewhere: GitServer, commit: str, fetching: Fetch
    ):
        with pytest.raises(AddressMoved, match="another address"):
            fetching(url_of(server), token=TOKEN)
        assert any("Authorization" in headers for _, headers in server.seen)
        assert elsewhere.seen == []

    def test_a_public_repository_may_have_moved(
        self, server: GitServer, elsewhere: GitServer, commit: str, fetching: Fetch
    ):
        assert fetching(url_of(server)) == commit

    def test_but_not_to_another_protocol(
        self, server: GitServer, commit: str, fetching: Fetch, tmp_path: Path
    ):
        for target in (f"file://{tmp_path}/repositories", "http://127.0.0.1:1"):
            server.redirect_to = target
            with pytest.raises((AddressMoved, ConnectionBroke)):
                fetching(url_of(server))


class TestBadServers:
    def test_one_that_hangs_is_left_after_the_time_limit(
        self, server: GitServer, commit: str, fetching: Fetch
    ):
        server.hangs = True
        began = monotonic()
        with pytest.raises(TookTooLong) as refused:
            fetching(url_of(server), seconds=1)
        assert monotonic() - began < 10
        assert "MARKETPLACE_FETCH_SECONDS" in refused.value.hint
        assert children_of_this_process() == []

    @pytest.mark.parametrize("after", [0, 1000, 100_000])
    def test_one_that_dies_in_the_middle(self, server: GitServer, commit: str, fetching: Fetch, after: int):
        server.dies_after = after
        with pytest.raises(ConnectionBroke, match="connection broke"):
            fetching(url_of(server))
        server.dies_after = None
        assert fetching(url_of(server)) == commit

    def test_one_that_is_not_there(self, server: GitServer, commit: str, fetching: Fetch):
        server.stop()
        with pytest.raises(HostUnreachable):
            fetching(url_of(server))

    def test_one_whose_certificate_nobody_trusts(
        self, server: GitServer, commit: str, fetching: Fetch, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.delenv("GIT_SSL_CAINFO")
        with pytest.raises(HostUnreachable, match="certificate"):
            fetching(url_of(server))

    def test_one_without_the_repository(self, server: GitServer, commit: str, fetching: Fetch):
        with pytest.raises(RepositoryNotFound, match="no repository"):
            fetching(server.url("nothing.git"))

    def test_a_claim_that_was_lost_ends_it(self, server: GitServer, fetched: Path):
        from marketplace.git.addresses import read_address
        from marketplace.git.fetching import fetch
        from marketplace.git.running import Limits

        class Lost(Exception):
            pass

        def keep_alive() -> None:
            raise Lost

        server.hangs = True
        with pytest.raises(Lost):
            fetch(fetched, read_address(url_of(server)), "", "", Limits(monotonic() + 60, 10**8, keep_alive))
        assert children_of_this_process() == []


def children_of_this_process() -> list[str]:
    """Names of git's processes that this one started and that still run."""
    listing = subprocess.run(["ps", "-eo", "ppid=,comm="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 1) for line in listing.splitlines())
    return [name for parent, name in rows if int(parent) == os.getpid() and name.startswith("git")]

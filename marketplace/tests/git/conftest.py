from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest

from marketplace.git.addresses import read_address
from marketplace.git.fetching import fetch
from marketplace.git.running import Limits
from marketplace.tests.git.servers import GitServer, make_certificate

Fetch = Callable[..., str]


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    """Where `fetching` fetches into."""
    return tmp_path / "fetched" / "kits.git"


@pytest.fixture
def fetching(fetched: Path) -> Fetch:
    """`fetching(url, ref="main", token="t", seconds=1)` is the commit that was fetched."""

    def call(
        url: str, ref: str = "", token: str = "", *, seconds: float = 60, folder_bytes: int = 10**8
    ) -> str:
        return fetch(fetched, read_address(url), ref, token, Limits(monotonic() + seconds, folder_bytes))

    return call


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def start_server(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], GitServer]]:
    """Servers of the repositories below `repositories/`, trusted as an operator's own would be."""
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
    servers: list[GitServer] = []

    def start() -> GitServer:
        servers.append(GitServer(tmp_path / "repositories", certificate))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(start_server: Callable[[], GitServer]) -> GitServer:
    return start_server()

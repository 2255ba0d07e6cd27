"""`git http-backend` as a child for one request, which can read one repository and nothing else."""

import logging
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryFile
from threading import BoundedSemaphore, Timer
from typing import Self

from django.conf import settings

from marketplace.git.errors import GitUnusable
from marketplace.git.running import kill_group, require_git
from marketplace.serving.errors import FetchesBusy

log = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 16
HEAD_BYTES = 16_384
WAIT_SECONDS = 30
_CONFIG = {
    # The data folder may belong to another user than the one of this process, as in a container.
    "safe.directory": "*",
    "http.receivepack": "false",
    "http.getanyfile": "false",
    "pack.threads": "1",
    "core.hooksPath": "/dev/null",
}
# Each takes a thread of the web server for as long as its client reads.
_places = BoundedSemaphore(settings.GIT_FETCHES_AT_ONCE)


@dataclass(frozen=True)
class Request:
    """`service` is what follows the repository in the address; a body is there where it is a POST."""

    service: str
    protocol: str
    body: bytes | None = None
    content_type: str = ""


class Answer:
    """Status, headers, and an iterator over the body. Close it: `held` is closed then, and the child ends."""

    def __init__(self, headers: dict[str, str], output: BufferedReader, held: ExitStack) -> None:
        self.headers = headers
        self.status = int(headers.pop("Status", "200").split()[0])
        self._output = output
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        # A child that is killed in the middle leaves a pack that is cut short, which git notices.
        while chunk := self._output.read1(CHUNK_BYTES):
            yield chunk

    def close(self) -> None:
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def answer(repository: Path, request: Request, held: ExitStack) -> Answer:
    """What it holds is taken over from `held`. Raises FetchesBusy, GitUnusable."""
    require_git()
    held.enter_context(_place())
    process = held.enter_context(_child(repository, request))
    assert isinstance(process.stdout, BufferedReader)
    return Answer(dict(_head(process.stdout)), process.stdout, held.pop_all())


def _head(output: BufferedReader) -> Iterator[tuple[str, str]]:
    left = HEAD_BYTES
    while line := output.readline(left):
        left -= len(line)
        if not line.strip():
            return
        name, _, value = line.decode("latin-1").partition(":")
        yield name.strip(), value.strip()
    raise GitUnusable("git http-backend gave no answer.", "Install the whole package git, and fetch again.")


@contextmanager
def _child(repository: Path, request: Request) -> Iterator["subprocess.Popen[bytes]"]:
    with TemporaryFile() as body:
        body.write(request.body or b"")
        body.seek(0)
        process = subprocess.Popen(
            ["git", "http-backend"],
            env=_environment(repository, request),
            cwd=repository,
            stdin=body,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    timer = Timer(settings.GIT_FETCH_SECONDS, _give_up, (process,))
    timer.daemon = True
    timer.start()
    try:
        yield process
    finally:
        timer.cancel()
        kill_group(process)
        assert process.stdout is not None
        process.stdout.close()


def _give_up(process: "subprocess.Popen[bytes]") -> None:
    log.warning("A fetch took longer than %s seconds and was ended.", settings.GIT_FETCH_SECONDS)
    kill_group(process)


def _environment(repository: Path, request: Request) -> Mapping[str, str]:
    """Nothing in it is from the address or from this process, but for the place of programs."""
    config = dict(enumerate(_CONFIG.items()))
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(repository),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": str(len(config)),
        **{f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in config.items()},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in config.items()},
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": request.protocol,
        "PATH_INFO": f"/{repository.name}/{request.service}",
        "REQUEST_METHOD": "GET" if request.body is None else "POST",
        "QUERY_STRING": "service=git-upload-pack" if request.body is None else "",
        "CONTENT_TYPE": request.content_type,
        "CONTENT_LENGTH": str(len(request.body or b"")),
    }


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise FetchesBusy
    try:
        yield
    finally:
        _places.release()

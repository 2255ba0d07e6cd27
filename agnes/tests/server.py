"""A real server for tests: `manage.py start` (or `make run`) in a process of its own, on a free port."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Self

import httpx

ROOT = Path(__file__).resolve().parent.parent.parent
START = (sys.executable, "manage.py", "start")
READY = "Ctrl-C stops it."
EMAIL = re.compile(r"^Sign in as +(\S+)$", re.MULTILINE)
PASSWORD = re.compile(r"^Password +(\S+) +\(shown this once\)$", re.MULTILINE)


class Server:
    def __init__(
        self, environment: Mapping[str, str], *, command: Sequence[str] = START, folder: Path = ROOT
    ) -> None:
        self.command = command
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        bind = {"AGNES_BIND": f"127.0.0.1:{self.port}", "PYTHONUNBUFFERED": "1"}
        self.environment = {**environment, **bind}
        self.output = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    def start(self, *, seconds: float = 60) -> None:
        self.output = ""
        self.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        wait_until(lambda: READY in self.output or self.process.poll() is not None, seconds)
        if READY not in self.output:
            self._end()
            raise AssertionError(f"The server did not start:\n{self.output}")

    def stop(self, *, seconds: float = 60) -> int:
        """Ctrl-C as a terminal sends it: to the whole foreground group. Returns the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            return self.process.wait(seconds)
        finally:
            self._end()

    def password(self) -> str | None:
        """The password, if the last start printed one."""
        match = PASSWORD.search(self.output)
        return match[1] if match else None

    def email(self) -> str:
        match = EMAIL.search(self.output)
        assert match, self.output
        return match[1]

    @contextmanager
    def signed_in(self, email: str, password: str) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=30) as client:
            client.get("/admin/login/").raise_for_status()
            token = client.cookies["csrftoken"]
            form = {"username": email, "password": password, "csrfmiddlewaretoken": token}
            client.post("/admin/login/", data=form, headers={"Referer": f"{self.url}/admin/login/"})
            assert "sessionid" in client.cookies, "the sign-in was refused"
            yield client

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        self.reader.join(10)


def environment_without_agnes() -> dict[str, str]:
    """This process's environment without what would point a server to another database or data folder."""
    kept = re.compile(r"PATH|HOME|LANG|LC_.*|TMPDIR|PIP_.*|(?i:.*_proxy)|SSL_.*|REQUESTS_.*")
    return {name: value for name, value in os.environ.items() if kept.fullmatch(name)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def descendants(pid: int) -> dict[int, str]:
    """Every process below this one, by its id: its command line."""
    parents = {int(folder.name): _parent(folder) for folder in Path("/proc").glob("[0-9]*")}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {child: _read_proc(child, "cmdline").replace("\0", " ") for child in found - {pid}}


def is_alive(pid: int) -> bool:
    fields = _stat_fields(_read_proc(pid, "stat"))
    return bool(fields) and fields[0] != "Z"


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = monotonic() + seconds
    while not condition() and monotonic() < deadline:
        sleep(0.05)


def _parent(folder: Path) -> int:
    fields = _stat_fields(_read_proc(int(folder.name), "stat"))
    return int(fields[1]) if fields else 0


def _stat_fields(stat: str) -> list[str]:
    """State, parent and so on; the name before them may hold anything."""
    return stat.rpartition(")")[2].split()


def _read_proc(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""

"""The real web server and the real task worker on the test's own database and data folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from django.db import connection

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 30


def environment_of(settings: Any, **more: str) -> dict[str, str]:
    """What another process needs to work on this test's world."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "agnes.settings",
        "AGNES_DATA_DIR": str(settings.DATA_DIR),
        "DATABASE_URL": _database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "TOKEN_PEPPER": settings.TOKEN_PEPPER,
        "PROCESSOR_CLAIM_SECONDS": "2",
        "LOG_LEVEL": "WARNING",
        **more,
    }


def _database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
        f"/{database['NAME']}"
    )


class Server:
    """A process group of its own that can be killed with everything in it, and started again."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.command = command
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *self.command],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        """kill -9 of the process and of all its children, which are of its group."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def web_server(settings: Any) -> tuple[Server, str]:
    """The web server on a free port of this machine, not yet started, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = ["-m", "gunicorn", "agnes.wsgi", "--bind", address, "--threads", "8", "--log-level", "error"]
    return Server(command, environment_of(settings)), f"http://{address}"


def task_worker(settings: Any) -> Server:
    return Server(["manage.py", "qcluster"], environment_of(settings, AGNES_WORKER_PROCESSES="1"))


def wait_until_up(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/admin/login/", timeout=2)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{url} did not come up")

"""The real web server and the real task worker on the test's own database and data folder."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connection

ROOT = Path(__file__).resolve().parents[3]


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

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9 of the process and of all its children, which are of its group."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def web_server(settings: Any, application: str = "agnes.wsgi") -> tuple[Server, str]:
    """The web server on a free port of this machine, not yet started, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = ["-m", "gunicorn", "--config", "python:agnes.gunicorn_config", application]
    return Server(command, environment_of(settings, AGNES_BIND=address)), f"http://{address}"


def task_worker(settings: Any, command: Sequence[str] = ("manage.py", "qcluster")) -> Server:
    return Server([*command], environment_of(settings, AGNES_WORKER_PROCESSES="1"))

"""A machine of an installation that has several: web server and task worker, as the services in deploy/ run
them, on a data folder of their own. Database and bucket are all that it shares with others."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from agnes.tests.server import ROOT, wait_until
from telemetry.tests.kills.servers import task_worker, web_server

START_SECONDS = 60
ANSWER_SECONDS = 120


class Machine:
    """PostgreSQL is told its name with every connection."""

    def __init__(self, name: str, folder: Path, settings: Any, shared: Mapping[str, str]) -> None:
        self.name = name
        self.folder = folder
        self.web, self.url = web_server(settings)
        self.worker = task_worker(settings)
        for service in (self.web, self.worker):
            database = f"{service.environment['DATABASE_URL']}?application_name={name}"
            service.environment |= {**shared, "AGNES_DATA_DIR": str(folder), "DATABASE_URL": database}
        self.http = httpx.Client(base_url=self.url, follow_redirects=True, timeout=ANSWER_SECONDS)

    def __enter__(self) -> Self:
        """Nothing is there but the settings."""
        self.folder.mkdir(mode=0o700)
        self._manage("collectstatic", "--no-input")
        self.worker.start()
        self.web.start()
        wait_until(self._answers, START_SECONDS)
        assert self._answers(), f"machine {self.name} did not start"
        return self

    def __exit__(self, *exception: object) -> None:
        """As its plug is pulled."""
        self.web.kill()
        self.worker.kill()
        self.http.close()

    def throw_away(self) -> None:
        self.__exit__()
        shutil.rmtree(self.folder)

    def ask(self, method: str, path: str, token: str, content: bytes | None = None) -> httpx.Response:
        """The API."""
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.request(method, f"/api/{path}", headers=headers, content=content)

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def _manage(self, *command: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.web.environment,
            check=True,
            capture_output=True,
            timeout=START_SECONDS,
        )

    def _answers(self) -> bool:
        try:
            return self.http.get("/livez").is_success
        except httpx.TransportError:
            return False

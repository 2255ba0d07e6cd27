"""The platform that came of the playbook, seen from outside: its pages, its API, its commands."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from agnes.tests.acceptance.machine import EmptyMachine, Shell
from agnes.tests.acceptance.proxy import HOST
from agnes.tests.server import wait_until

ADMIN = "you@example.com"
PATIENCE = 60


class Platform:
    def __init__(self, machine: EmptyMachine, operator: Shell, address: str, *, playbook: Path) -> None:
        self.machine, self.operator, self.address = machine, operator, address
        operator.follow(playbook)
        self.token = operator.run("echo $AGNES_TOKEN")
        self.password = self._password()
        self._cookies: dict[str, str] = {}

    def said(self, command: str) -> str:
        """What the step with that command printed."""
        return next(step.output for step in self.operator.steps if command in step.text)

    def api(self, path: str, *, method: str = "GET", token: str = "", **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.request(
            method, f"{self.address}/api/{path}", headers=headers, timeout=60, trust_env=False, **options
        )

    def page(self, path: str) -> str:
        """As the admin's browser gets it."""
        return self.download(path).decode()

    def download(self, path: str) -> bytes:
        answer = self._browser("GET", path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.content

    def submit(self, path: str, form: dict[str, str]) -> None:
        """A form of the admin, which answers with the next page."""
        answer = self._browser("POST", path, data=form)
        assert answer.status_code == 302, (path, answer.status_code, answer.text)

    def person(self, email: str) -> str:
        """Make somebody an account, as an admin does under *People*; their token."""
        self.submit("/admin/accounts/user/add/", {"email": email, "name": "", "usable_password": "false"})
        return self.token_of(email, "upload", "read", "marketplace")

    def token_of(self, email: str, *scopes: str) -> str:
        chosen = " ".join(f"--scope {scope}" for scope in scopes)
        return self.operator.run(f"manage createtoken {email} {chosen} 2> /dev/null")

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Of the database itself."""
        file = self.machine.folder / "var/lib/agnes/agnes.sqlite3"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return database.execute(statement, values).fetchall()

    def tick_seconds(self) -> int:
        """Between two scheduled looks at what waits."""
        [(minutes,)] = self.rows("SELECT minutes FROM django_q_schedule WHERE name = 'agnes: process usage'")
        return int(minutes) * 60

    def events(self, **filters: str) -> list[dict[str, Any]]:
        """All that the export has."""
        answer = self.api("admin/usage/export", params={"format": "json", **filters})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()
        return rows

    def wait_for_events(self, session_id: str, number: int) -> None:
        """The task worker extracts and publishes by itself."""
        wait_until(lambda: sum(row["session_id"] == session_id for row in self.events()) >= number, PATIENCE)
        assert sum(row["session_id"] == session_id for row in self.events()) == number

    def _password(self) -> str:
        found = re.search(
            r"^Password \(shown only now\): (\S+)$", self.said("manage seed_admin"), re.MULTILINE
        )
        assert found, self.said("manage seed_admin")
        return found[1]

    def _browser(self, method: str, path: str, data: dict[str, str] | None = None) -> httpx.Response:
        """The cookies are for https alone, which only the server in front speaks: they are sent by hand."""
        if not self._cookies:
            self._sign_in()
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"Referer": f"https://{HOST}{path}", "Cookie": cookies}
        form = {**data, "csrfmiddlewaretoken": self._cookies["csrftoken"]} if data else None
        return httpx.request(
            method, f"{self.address}{path}", data=form, headers=headers, timeout=60, trust_env=False
        )

    def _sign_in(self) -> None:
        self._cookies = dict(httpx.get(f"{self.address}/admin/login/", trust_env=False).cookies)
        answer = self._browser("POST", "/admin/login/", {"username": ADMIN, "password": self.password})
        assert "sessionid" in answer.cookies, answer.text
        self._cookies |= dict(answer.cookies)

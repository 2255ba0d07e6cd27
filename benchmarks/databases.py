"""How much one machine takes on SQLite, and on PostgreSQL: uploads a second, and pages meanwhile.

    python -m benchmarks.databases [--database-url postgres://…/an_empty_database] [--seconds 20]
                                   [--clients 1 4 16] [--bytes 100000]

For each database it starts `manage.py start` (the web server and the task worker) with a data folder of its
own. For each number of clients these upload transcripts, each a new one, as fast as they are answered, while
one reader asks for pages. The worker extracts and publishes meanwhile. Fails where an answer is 500 or worse,
but for 503, which asks the client to come again and is counted.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.upload import OWNER, ROOT, _configure, _server, transcript

PAGES = ("/marketplace/", "/admin/", "/admin/telemetry/sessiontranscript/", "/api/marketplace/items")
IDLE_SECONDS = 5.0
VARIETY = 40


@dataclass(frozen=True)
class Load:
    """What was measured with so many clients at once; times in seconds. No clients: at rest."""

    clients: int
    uploads_a_second: float
    upload_p95: float
    page_median: float
    page_p95: float
    busy: int


def main() -> None:
    options = _options()
    if options.measure:
        loads = list(_measure(options.seconds, options.clients, options.bytes))
        print(json.dumps([asdict(load) for load in loads]))
        return
    table = Table(title=f"Transcripts of {options.bytes / 1e3:.0f} kB, the worker running")
    for column in (
        "database", "clients", "uploads/s", "upload p95, s", "page median, s", "page p95, s", "503",
    ):  # fmt: skip
        table.add_column(column, justify="right" if column != "database" else "left")
    for name, url in (("SQLite", ""), ("PostgreSQL", options.database_url)):
        for load in _measured(url) if url or name == "SQLite" else ():
            table.add_row(
                name if not load.clients else "",
                str(load.clients or "none"),
                f"{load.uploads_a_second:.1f}",
                f"{load.upload_p95:.2f}",
                f"{load.page_median:.3f}",
                f"{load.page_p95:.3f}",
                str(load.busy),
            )
    Console().print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--bytes", type=int, default=100_000)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measured(database_url: str) -> list[Load]:
    """In a process of its own, since settings are read once."""
    command = [sys.executable, "-m", "benchmarks.databases", *sys.argv[1:], "--measure"]
    secrets = {"SECRET_KEY": "x" * 50, "TOKEN_PEPPER": "x" * 50} if database_url else {}
    environment = {**os.environ, "DATABASE_URL": database_url, **secrets}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [Load(**load) for load in json.loads(done.stdout.splitlines()[-1])]


def _measure(seconds: float, clients: Sequence[int], size: int) -> Iterator[Load]:
    with tempfile.TemporaryDirectory(prefix="agnes-bench-") as folder:
        _configure(Path(folder))
        os.environ["AGNES_LAKE_URL"] = str(Path(folder, "lake"))
        texts = [transcript(number, size) for number in range(VARIETY)]
        with _server(Path(folder)) as url:
            numbers = itertools.count()
            yield _load(url, 0, IDLE_SECONDS, texts, numbers)
            for many in clients:
                yield _load(url, many, seconds, texts, numbers)


def _load(
    url: str, clients: int, seconds: float, texts: Sequence[bytes], numbers: "itertools.count[int]"
) -> Load:
    uploads: list[float] = []
    pages: list[float] = []
    answers: Counter[int] = Counter()
    until = time.monotonic() + seconds

    def upload() -> None:
        with httpx.Client(base_url=url, headers=_headers(), timeout=120) as client:
            while time.monotonic() < until:
                number = next(numbers)
                content = _as_another(texts[number % VARIETY], number % VARIETY, number)
                began = time.monotonic()
                answers[client.post("/api/upload/sessions", content=content).status_code] += 1
                uploads.append(time.monotonic() - began)

    def read() -> None:
        with httpx.Client(base_url=url, cookies=_cookies(), timeout=120) as client:
            for page in itertools.cycle(PAGES):
                if time.monotonic() >= until:
                    return
                began = time.monotonic()
                answers[-client.get(page).raise_for_status().status_code] += 1
                pages.append(time.monotonic() - began)

    threads = [threading.Thread(target=it) for it in (*(upload for _ in range(clients)), read)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong := {status: count for status, count in answers.items() if status >= 500 and status != 503}:
        raise SystemExit(f"Answers: {wrong}")
    return Load(
        clients,
        (answers[201] + answers[200]) / (time.monotonic() - began),
        _p95(uploads),
        statistics.median(pages),
        _p95(pages),
        answers[503],
    )


def _as_another(content: bytes, was: int, number: int) -> bytes:
    """The same transcript under new ids, so that it is no copy of the other."""
    for begins in (b'"session-%d', b'"toolu_%d_', b'"uuid":"%d-'):
        content = content.replace(begins % was, begins % (VARIETY + number))
    return content.replace(b'"msg_', b'"msg_%d_' % number)


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else 0.0


def _headers() -> dict[str, str]:
    from accounts import tokens
    from accounts.models import Scope, User

    owner = User.objects.get(email=OWNER)
    return {"Authorization": f"Bearer {tokens.issue(owner, name='benchmark', scopes=[Scope.UPLOAD])[1]}"}


def _cookies() -> dict[str, str]:
    from django.conf import settings
    from django.test import Client

    from accounts.models import User

    client = Client()
    client.force_login(User.objects.get(email=OWNER))
    return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}


if __name__ == "__main__":
    main()

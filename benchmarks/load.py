"""A thousand people in five minutes: uploads, pages, an export and questions, against the real server.

    python -m benchmarks.load [--people 1000] [--minutes 5] [--bytes 500000]

Each person uploads 4 transcripts and looks at 3 pages, spread at random over the time; once there is an
export, and five questions are asked, which a local server answers in the model's place. Starts `manage.py
start` with a data folder of its own on this machine, and ends with it. Fails where an answer is a 5xx,
where pages take 4 times as long as in an idle server (95th percentile), or where anything is lost.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from agnes.tests.server import Server, environment_without_agnes
from benchmarks.table import print_table

UPLOADS_EACH, PAGES_EACH, QUESTIONS = 4, 3, 5
# Threads that send: more than the server answers at once, so that it has what it can take.
SENDERS = 48
IDLE_PAGES = 150
TEMPLATES = 8
AT_MOST = 4
ACKNOWLEDGED = {200, 201}
PATIENCE_SECONDS = 900
REQUEST_SECONDS = 120
ADMIN = "bench@example.com"
SQL = "SELECT tool_name, count(*) AS calls FROM usage_events GROUP BY tool_name ORDER BY calls DESC"
PAGES = ("/marketplace/", "/marketplace/stack/", "/tokens/")
ADMIN_PAGES = ("/admin/", "/admin/telemetry/session/")


@dataclass(frozen=True)
class Person:
    token: str
    cookie: str
    is_admin: bool


@dataclass
class Answers:
    """What came back by kind: statuses, and seconds."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def note(self, kind: str, status: int, seconds: float) -> None:
        self.statuses.setdefault(kind, Counter())[status] += 1
        self.seconds.setdefault(kind, []).append(seconds)

    def p95(self, kind: str) -> float:
        return statistics.quantiles(self.seconds[kind], n=20)[-1]

    def median(self, kind: str) -> float:
        return statistics.median(self.seconds[kind])


def main() -> None:
    options = _options()
    # A page's answer is to be noticed while an upload is sent.
    sys.setswitchinterval(0.001)
    from telemetry.tests.ask.messages_api import Say, messages_api

    with (
        tempfile.TemporaryDirectory(prefix="agnes-bench-") as folder,
        messages_api(Say(SQL)) as model,
        Server(_environment(Path(folder), model.url)) as server,
    ):
        people = _make_people(options.people)
        load = Load(server.url, people, options.bytes)
        idle = load.look_around(IDLE_PAGES)
        load.run(options.minutes * 60)
        waited = _wait_until_processed()
        problems = [*load.problems(idle), *_lost(load.acknowledged, options.people * UPLOADS_EACH)]
    _print(options, load, idle, waited)
    for problem in problems:
        print(problem)
    if problems:
        raise SystemExit(1)
    print("No 5xx, nothing lost, nothing twice.")


class Load:
    def __init__(self, url: str, people: list[Person], size: int) -> None:
        self.people = people
        self.files = [_template(number, size) for number in range(TEMPLATES)]
        self.answers = Answers()
        self.chance = random.Random(1)
        self.client = httpx.Client(
            base_url=url, timeout=REQUEST_SECONDS, limits=httpx.Limits(max_connections=SENDERS)
        )

    def look_around(self, count: int) -> Answers:
        """Pages one after another, before there is any load. The first ones fill caches."""
        for _ in range(20):
            self._look(self.chance.choice(self.people))
        self.answers = Answers()
        for _ in range(count):
            self._look(self.chance.choice(self.people))
        idle, self.answers = self.answers, Answers()
        return idle

    def run(self, seconds: float) -> None:
        """Everything at its moment, or as soon after it as a sender is free."""
        began = time.monotonic()
        with ThreadPoolExecutor(SENDERS) as pool:
            for due, act in self._plan(seconds):
                time.sleep(max(0.0, began + due - time.monotonic()))
                pool.submit(act)

    def _plan(self, seconds: float) -> list[tuple[float, Callable[[], None]]]:
        plan: list[tuple[float, Callable[[], None]]] = []
        for number, person in enumerate(self.people):
            for upload in range(UPLOADS_EACH):
                plan.append((self._moment(seconds), self._uploading(person, number, upload)))
            for _ in range(PAGES_EACH):
                plan.append((self._moment(seconds), lambda person=person: self._look(person)))  # type: ignore[misc]
        plan.append((seconds / 2, self._export))
        plan += [(seconds * (number + 1) / (QUESTIONS + 1), self._ask) for number in range(QUESTIONS)]
        return sorted(plan, key=lambda planned: planned[0])

    def _moment(self, seconds: float) -> float:
        return self.chance.uniform(0, seconds)

    def _uploading(self, person: Person, number: int, upload: int) -> Callable[[], None]:
        def act() -> None:
            template = (number + upload) % TEMPLATES
            content = self.files[template].replace(
                b'"session-%d"' % template, b'"session-%d-%d"' % (number, upload)
            )
            self._send("upload", "POST", "/api/upload/sessions", person, content=content)

        return act

    def _look(self, person: Person) -> None:
        pages = (*PAGES, *ADMIN_PAGES) if person.is_admin else PAGES
        self._send("page", "GET", self.chance.choice(pages), person, by_token=False)

    def _export(self) -> None:
        self._send("export", "GET", "/api/admin/usage/export?format=csv", self.people[0])

    def _ask(self) -> None:
        question = {"question": "Which tools are used most?"}
        self._send("question", "POST", "/api/admin/usage/ask", self.people[0], json=question)

    def _send(
        self,
        kind: str,
        method: str,
        path: str,
        person: Person,
        *,
        by_token: bool = True,
        content: bytes | None = None,
        json: object = None,
    ) -> None:
        known = {"Authorization": f"Bearer {person.token}"} if by_token else {"Cookie": person.cookie}
        started = time.monotonic()
        try:
            answer = self.client.request(method, path, headers=known, content=content, json=json)
            status = answer.status_code
        except httpx.TransportError as error:
            print(f"{kind}: {type(error).__name__}: {error}")
            status = 0
        self.answers.note(kind, status, time.monotonic() - started)

    @property
    def acknowledged(self) -> int:
        return sum(self.answers.statuses["upload"][status] for status in ACKNOWLEDGED)

    def problems(self, idle: Answers) -> Iterator[str]:
        for kind, statuses in self.answers.statuses.items():
            if set(statuses) - ACKNOWLEDGED:
                yield f"{kind}: statuses {dict(statuses)} (0: no answer)"
        if self.answers.p95("page") >= AT_MOST * idle.p95("page"):
            yield f"Pages took {AT_MOST} times as long as in an idle server, or longer."


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--bytes", type=int, default=500_000, help="of a transcript, on the average")
    return parser.parse_args()


def _environment(folder: Path, model_url: str) -> dict[str, str]:
    """For the server, and for this process, which makes the people and counts in the end."""
    settings = {
        "AGNES_DATA_DIR": str(folder),
        "AGNES_MIN_FREE_BYTES": "0",
        "ANTHROPIC_API_KEY": "none",
        "ANTHROPIC_BASE_URL": model_url,
        "DEBUG": "false",
        "DJANGO_SETTINGS_MODULE": "agnes.settings",
        "LOG_LEVEL": "WARNING",
        "SEED_ADMIN_EMAIL": ADMIN,
    }
    os.environ.pop("DATABASE_URL", None)
    os.environ |= settings
    return environment_without_agnes() | settings


def _make_people(count: int) -> list[Person]:
    """The first is the admin; each has a token and is signed in."""
    import django

    django.setup()
    from accounts.models import User

    User.objects.bulk_create(User(email=f"person{number}@bench.example") for number in range(count - 1))
    return [_signed_in(user) for user in User.objects.order_by("pk")[:count]]


def _signed_in(user: object) -> Person:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from accounts.models import Scope, User
    from accounts.tokens import issue

    assert isinstance(user, User)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    scopes = [Scope.UPLOAD, Scope.ADMIN] if user.is_superuser else [Scope.UPLOAD]
    token = issue(user, name="benchmark", scopes=scopes)[1]
    return Person(token, f"{settings.SESSION_COOKIE_NAME}={session.session_key}", user.is_superuser)


def _template(number: int, size: int) -> bytes:
    """From a fifth of the average size to nine fifths."""
    from benchmarks.upload import transcript

    return transcript(number, size * (2 * number + 1) // TEMPLATES)


def _wait_until_processed() -> float:
    from telemetry.models import SessionTranscript, UsageDirtyDay

    started = time.monotonic()
    while SessionTranscript.objects.pending("usage").exists() or UsageDirtyDay.objects.exists():
        if time.monotonic() - started > PATIENCE_SECONDS:
            break
        time.sleep(0.5)
    return time.monotonic() - started


def _lost(acknowledged: int, sent: int) -> Iterator[str]:
    from django.core.files.storage import default_storage

    from benchmarks.upload import TOOL_CALLS
    from telemetry.models import SessionTranscript, SessionTranscriptPart, UsageEvent

    stored, events = SessionTranscript.objects.count(), UsageEvent.objects.count()
    if not acknowledged <= stored <= sent:
        yield f"{stored} transcripts are stored: {acknowledged} of {sent} were acknowledged."
    if events != stored * TOOL_CALLS:
        yield f"{events} events instead of {stored * TOOL_CALLS}."
    parts = SessionTranscriptPart.objects.select_related("transcript")
    if missing := sum(not default_storage.exists(part.storage_key) for part in parts.iterator()):
        yield f"{missing} files are missing."


def _print(options: argparse.Namespace, load: Load, idle: Answers, waited: float) -> None:
    answers = load.answers
    ratio = answers.p95("page") / idle.p95("page")
    failed = sum(
        count for statuses in answers.statuses.values() for status, count in statuses.items() if status >= 500
    )
    rows = [("answers 5xx", str(failed), "0")]
    rows.append(("pages, idle: median, p95", f"{idle.median('page'):.3f} s, {idle.p95('page'):.3f} s", ""))
    for kind, seconds in sorted(answers.seconds.items()):
        figure = f"{len(seconds)}: {answers.median(kind):.3f} s, {max(seconds):.3f} s"
        if len(seconds) > 20:
            figure = f"{len(seconds)}: {answers.median(kind):.3f} s, {answers.p95(kind):.3f} s"
        rows.append((f"{kind}: median, p95 (of few: longest)", figure, ""))
    rows.append(("pages, p95 under load / idle", f"{ratio:.1f}", f"under {AT_MOST}"))
    rows.append(("until all is processed, after the last", f"{waited:.0f} s", ""))
    print_table(f"{options.people} people in {options.minutes:g} minutes", rows)


if __name__ == "__main__":
    main()

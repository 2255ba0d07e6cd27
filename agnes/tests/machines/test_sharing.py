"""Several machines, each with web server, task worker and a data folder of its own, share the work on one
PostgreSQL and one bucket: nothing is done twice, all show the same, and any of them can be thrown away."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command

from accounts.models import Scope, User
from agnes.tests.machines import ledger
from agnes.tests.machines.conftest import NewMachine
from agnes.tests.machines.machine import Machine
from agnes.tests.server import wait_until
from conftest import PASSWORD
from telemetry.models import (
    SessionProcessorState,
    SessionTranscript,
    UsageDirtyDay,
    UsageEvent,
    WithheldSession,
)
from telemetry.processors.processing import process
from telemetry.processors.registry import PROCESSORS
from telemetry.tests.figures import usage_of
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.processing.test_runner import session
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PATIENCE_SECONDS = 120
# The queue is polled every second: one machine would have to be first every time.
WAVES = 40
# What a data folder may hold beside what is being received: all of it is made again where it is missing.
MADE_AGAIN = {"static", "spool", "lake-cache"}
# What the database says, too: kept for the day on which an older backup is restored.
FOR_BACKUPS = {"erasures.ndjson", "erasures.lock"}


@dataclass
class Team:
    """Bob and Charlie upload, Alice is the admin. `sent`: the content of each session, by owner and name."""

    alice: User
    uploaders: tuple[User, User]
    tokens: dict[int, str]
    sent: dict[tuple[int, str], bytes] = field(default_factory=dict)
    numbers: Any = field(default_factory=count)

    def upload_wave(self, size: int, *machines: Machine) -> None:
        """New sessions, and one of before that has grown, all at once and to each machine in turn."""
        new = [(number, 1 + number % 5) for number in (next(self.numbers) for _ in range(size))]
        grown = [(number // 2, 9) for number, _ in new[:1] if number]
        with ThreadPoolExecutor(4) as pool:
            for done in [
                pool.submit(self._upload, machines[place % len(machines)], number, calls)
                for place, (number, calls) in enumerate([*new, *grown])
            ]:
                done.result()

    def _upload(self, machine: Machine, number: int, calls: int) -> None:
        owner = self.uploaders[number % 2]
        content = session(f"s{number}", calls=calls, at=number * 3_000)
        answer = machine.ask("POST", "upload/sessions", self.tokens[owner.pk], content)
        assert answer.is_success, answer.text
        self.sent[owner.pk, f"s{number}"] = content


@pytest.fixture
def team(alice: User, bob: User, charlie: User, token_for: Callable[..., str]) -> Team:
    # As a server hashes it, and quicker.
    alice.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)
    alice.save()
    tokens = {person.pk: token_for(person, Scope.UPLOAD) for person in (bob, charlie)}
    return Team(alice, (bob, charlie), {**tokens, alice.pk: token_for(alice, Scope.ADMIN)})


def settle() -> None:
    """Wait until the workers have nothing left to do."""
    wait_until(_is_settled, PATIENCE_SECONDS)
    assert _is_settled()


def _is_settled() -> bool:
    pending = any(SessionTranscript.objects.pending(name).exists() for name in PROCESSORS)
    being_removed = WithheldSession.objects.filter(cleaned_at=None).exists()
    return not pending and not being_removed and not UsageDirtyDay.objects.exists()


def upload_until_all_have_worked(team: Team, size: int, *machines: Machine) -> None:
    names = {machine.name for machine in machines}
    for _ in range(WAVES):
        team.upload_wave(size, *machines)
        time.sleep(0.5)
        if names <= ledger.machines():
            return
    raise AssertionError(f"only {ledger.machines()} did any work")


def assert_each_was_done_once() -> None:
    times = ledger.times()
    assert set(times.values()) == {1}, [done for done in times if times[done] > 1]
    for row in SessionTranscript.objects.all():
        assert all((name, row.session_file, row.revision) in times for name in PROCESSORS)


def assert_none_was_begun_twice() -> None:
    assert set(SessionProcessorState.objects.values_list("attempts", "last_error")) == {(1, None)}


def assert_all_give_all(team: Team, *machines: Machine, format: str = "csv") -> None:
    """Whichever machine took a transcript, each gives it back; exports are the same bytes."""
    for transcript in SessionTranscript.objects.all():
        content = team.sent[transcript.owner_id, transcript.session_id]
        path = f"admin/users/{transcript.owner_id}/sessions/{transcript.session_file}/download"
        for machine in machines:
            assert machine.ask("GET", path, team.tokens[team.alice.pk]).content == content
    path = f"admin/usage/export?format={format}"
    first, *others = [machine.ask("GET", path, team.tokens[team.alice.pk]) for machine in machines]
    assert first.status_code == 200, first.text
    assert [other.content for other in others] == [first.content] * len(others)
    assert format != "csv" or first.content.count(b"\n") == 1 + UsageEvent.objects.count()


def sign_in(machine: Machine, email: str) -> httpx.Cookies:
    """For all machines: they have the same name in front of them."""
    place = "/admin/login/"
    machine.http.get(place)
    form = {"username": email, "password": PASSWORD, "csrfmiddlewaretoken": machine.http.cookies["csrftoken"]}
    machine.http.post(place, data=form, headers={"Referer": f"{machine.url}{place}"})
    assert "sessionid" in machine.http.cookies, "the sign-in was refused"
    return machine.http.cookies


def assert_shows(machine: Machine, cookies: httpx.Cookies) -> None:
    """The page of a transcript, with its styles."""
    machine.http.cookies.update(cookies)
    transcript = SessionTranscript.objects.order_by("pk")[0]
    page = machine.http.get(f"/admin/telemetry/sessiontranscript/{transcript.session_file}/read/")
    assert page.status_code == 200
    assert "Bash" in page.text
    styles = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
    assert styles
    assert {machine.http.get(style).status_code for style in styles} == {200}


def assert_nothing_lasts_in(machine: Machine) -> None:
    """No transcript, no lake, no secret."""
    found = {path.relative_to(machine.folder).parts[0] for path in machine.files()}
    assert found <= MADE_AGAIN | FOR_BACKUPS
    assert not [path for path in machine.files() if path.name.endswith(".jsonl.zst")]


def assert_bucket_has(bucket: Any, transcripts: int) -> None:
    assert len(list(bucket.objects.filter(Prefix="some/prefix/transcripts/"))) == transcripts


def make_private(team: Team, machine: Machine) -> None:
    """The first session of the first uploader."""
    owner, name = next(iter(team.sent))
    answer = machine.ask("DELETE", f"sessions/{name}", team.tokens[owner])
    # 202 where a worker is to remove the rest of it.
    assert answer.is_success, answer.text
    del team.sent[owner, name]


def assert_as_one_machine_computes(team: Team) -> None:
    """This process, when all others are gone."""
    by_many = [usage_of(person) for person in team.uploaders], stored()
    assert stored() == expected()
    assert in_lake() == in_database()
    call_command("usage_reprocess", verbosity=0)
    assert process("usage", wait=True).processed == len(team.sent)
    assert ([usage_of(person) for person in team.uploaders], stored()) == by_many


@pytest.mark.sample
def test_a_new_machine_takes_the_place_of_one(new_machine: NewMachine, team: Team, bucket: Any):
    a, b = new_machine("a"), new_machine("b")
    upload_until_all_have_worked(team, 6, a, b)
    settle()
    assert_each_was_done_once()
    assert_all_give_all(team, a, b)
    cookies = sign_in(a, team.alice.email)
    for machine in (a, b):
        assert_shows(machine, cookies)
        assert_nothing_lasts_in(machine)
    b.throw_away()
    c = new_machine("c")
    upload_until_all_have_worked(team, 6, a, c)
    make_private(team, c)
    settle()
    assert_each_was_done_once()
    assert_none_was_begun_twice()
    assert_all_give_all(team, a, c)
    assert_shows(c, cookies)
    assert_bucket_has(bucket, len(team.sent))
    for machine in (a, c):
        assert_nothing_lasts_in(machine)
        machine.throw_away()
    assert_as_one_machine_computes(team)


def test_a_machine_is_lost_while_it_works(new_machine: NewMachine, team: Team, bucket: Any):
    """With hundreds of sessions."""
    a, b = new_machine("a"), new_machine("b")
    upload_until_all_have_worked(team, 100, a, b)
    team.upload_wave(100, a, b)
    assert SessionTranscript.objects.pending("usage").exists()
    b.throw_away()
    c = new_machine("c")
    upload_until_all_have_worked(team, 100, a, c)
    settle()
    assert_each_was_done_once()
    assert_all_give_all(team, a, c, format="parquet")
    assert_bucket_has(bucket, len(team.sent))
    for machine in (a, c):
        machine.throw_away()
    assert_as_one_machine_computes(team)

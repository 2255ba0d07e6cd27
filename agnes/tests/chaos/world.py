"""What people upload, and what becomes of it where nobody disturbs it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import Scope, User
from accounts.tokens import issue
from telemetry import tasks
from telemetry.attribution.writing import Belonging, Key, replace_attribution
from telemetry.maintenance import pruning, reprocess
from telemetry.models import SessionTranscript, UsageDirtyDay
from telemetry.tests.builders import (
    START,
    assistant_line,
    moment,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.tests.figures import upload, usage_of
from telemetry.tests.kills.test_kills_in_maintenance import wait_until_leases_have_expired
from telemetry.tests.rollups.oracle import stored

PASSWORD = "correct horse battery staple"
RETENTION_DAYS = 61
# New ones are in the window of a week, also when a long run passes midnight; old ones are in none.
NEW, OLD = timedelta(days=3), timedelta(days=100)
SESSIONS = 12
SIZES = (2, 9, 30)
KIT = {Key("kits/tidy", "tidy:rows"): Belonging("skill", "tidy:rows")}

Figures = dict[str, Any]


@dataclass(frozen=True)
class Cast:
    """Bob and Charlie upload, Alice is the admin. Tokens by the person's id."""

    alice: User
    uploaders: tuple[User, User]
    tokens: dict[int, str]


def people() -> Cast:
    alice = User.objects.create_superuser("alice@example.com", PASSWORD, name="Alice")
    bob, charlie = (
        User.objects.create_user(f"{name}@example.com", PASSWORD, name=name) for name in ("bob", "charlie")
    )
    scopes = {alice: [Scope.ADMIN], bob: [Scope.UPLOAD], charlie: [Scope.UPLOAD]}
    tokens = {person.pk: issue(person, name="chaos", scopes=of)[1] for person, of in scopes.items()}
    return Cast(alice, (bob, charlie), tokens)


@dataclass(frozen=True)
class Sent:
    """One file that a person uploads: `whose` is a place in the cast's uploaders."""

    whose: int
    session_id: str
    content: bytes


def old_sessions() -> list[Sent]:
    """To be pruned."""
    return [Sent(number % 2, f"old{number}", _session(f"old{number}", 4, OLD, number)) for number in range(4)]


def new_sessions() -> list[Sent]:
    """Each grows twice, and some are forked."""
    return [*_grown(), *_forks()]


def last_of(sent: list[Sent]) -> dict[tuple[int, str], bytes]:
    """What must be there in the end: of each session the longest file."""
    return {(it.whose, it.session_id): it.content for it in sorted(sent, key=lambda it: len(it.content))}


def _grown() -> Iterator[Sent]:
    for number in range(SESSIONS):
        for calls in SIZES:
            yield Sent(number % 2, f"s{number}", _session(f"s{number}", calls, NEW, number))


def _forks() -> Iterator[Sent]:
    for number in range(4):
        origin = _session(f"s{number}", 7, NEW, number)
        fork = origin.replace(f'"sessionId":"s{number}"'.encode(), f'"sessionId":"fork{number}"'.encode())
        yield Sent(number % 2, f"fork{number}", fork)


def _session(name: str, calls: int, ago: timedelta, number: int) -> bytes:
    """Calls of a tool with their results, and of a skill that is somebody's."""
    began = (
        datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0) - ago - START
    ).total_seconds()
    began += number * 5_000
    lines = [user_line("Hello", sessionId=name, uuid=f"{name}-0", timestamp=moment(began))]
    for call in range(calls):
        ident = f"{name}-{call + 1}"
        common: dict[str, Any] = {"sessionId": name, "timestamp": moment(began + call * 10)}
        skilled = call % 3 == 1
        block = (
            tool_use("Skill", f"toolu-{ident}", skill="tidy:rows")
            if skilled
            else tool_use("Bash", f"toolu-{ident}")
        )
        lines.append(assistant_line([block], message_id=f"msg-{ident}", uuid=ident, **common))
        result = tool_result(f"toolu-{ident}", "ok", is_error=call % 7 == 3)
        lines.append(user_line(result, uuid=f"{ident}-r", **common))
    return transcript_bytes(lines)


def begin(cast: Cast) -> None:
    """A marketplace, and what was there before."""
    replace_attribution("curated", {"skills": KIT})
    for sent in old_sessions():
        upload(cast.uploaders[sent.whose], sent.content)
    settle()


def settle() -> None:
    """What the task worker does by the clock, until nothing is left to do."""
    while True:
        wait_until_leases_have_expired()
        tasks.process_pending()
        if not _something_is_left():
            return


def _something_is_left() -> bool:
    pending = any(SessionTranscript.objects.pending(name).exists() for name in ("usage", "verification"))
    under_way = reprocess.is_under_way() or pruning.is_under_way()
    return pending or under_way or UsageDirtyDay.objects.exists()


def figures(cast: Cast) -> Figures:
    """All totals, without what differs from one world to another: ids of people and of rows."""
    names = {person.pk: person.email for person in cast.uploaders}
    rollups = stored()
    rollups["usage_user_daily"] = [
        (row[0], names[row[1]], *row[2:]) for row in sorted(rollups["usage_user_daily"])
    ]
    return {person.email: usage_of(person) for person in cast.uploaders} | {"rollups": rollups}


def undisturbed() -> Figures:
    """An empty world goes through the same, in this process and without a kill."""
    cast = people()
    begin(cast)
    for sent in new_sessions():
        upload(cast.uploaders[sent.whose], sent.content)
    settle()
    tasks.prune_usage()
    settle()
    return figures(cast)

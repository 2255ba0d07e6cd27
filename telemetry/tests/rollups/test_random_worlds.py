"""Uploads, growth, forks, removals, crashes, days that pass: the roll-ups are as if made from nothing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from telemetry.days import today
from telemetry.dirty_days import mark_dirty, stored_days
from telemetry.models import (
    CommandAttribution,
    LakeSnapshot,
    McpServerAttribution,
    PublishingLease,
    PublishingState,
    SessionProcessorClaim,
    SessionProcessorState,
    SessionTranscript,
    SkillAttribution,
    UsageDirtyDay,
    UsageEvent,
    UsageMessage,
    UsageSessionSummary,
)
from telemetry.processors.processing import process
from telemetry.processors.runner import run
from telemetry.publishing import publish, rebuild_all
from telemetry.tests.builders import (
    Line,
    assistant_line,
    command_line,
    moment,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.tests.figures import upload
from telemetry.tests.lake.reading import in_database, in_lake
from telemetry.tests.rollups.conftest import NOW, Clock
from telemetry.tests.rollups.oracle import TABLES, expected, stored

DAY = 86_400
EXTRACTED: tuple[type[Model], ...] = (UsageEvent, UsageMessage, UsageSessionSummary, SessionProcessorState)
FORGOTTEN: tuple[type[Model], ...] = (
    *EXTRACTED,
    LakeSnapshot,
    UsageDirtyDay,
    SessionTranscript,
    SessionProcessorClaim,
    PublishingState,
    PublishingLease,
    SkillAttribution,
    CommandAttribution,
    McpServerAttribution,
)
TURNS = ("Bash", "Read", "Skill", "mcp__plugin_tidy_db__query", "command", "talk")


class Death(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class Step:
    name: str
    value: Any = None


@st.composite
def sessions(draw: st.DrawFn, number: int) -> list[Line]:
    """Turns of all kinds, on days that lie in and outside of the windows, or without any time."""
    name = f"s{number}"
    timed = draw(st.integers(0, 9)) > 0
    at = draw(st.sampled_from([0, 1, 6, 7, 29, 30, 59])) * DAY + draw(st.sampled_from([0, 50_000]))
    lines: list[Line] = []
    for turn in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(TURNS))
        times = (at, at := at + draw(st.sampled_from([5, 3600, DAY])))
        asked, answered = (moment(time) if timed else None for time in times)
        lines += _turn(name, f"{name}-{turn}", kind, asked, answered, draw(st.booleans()))
    return lines


def _turn(
    session: str, ident: str, kind: str, at: str | None, answered: str | None, failed: bool
) -> list[Line]:
    where = {"sessionId": session, "timestamp": at}
    if kind == "command":
        command = command_line("tidy:clean", uuid=f"{ident}-c", **where)
        body = user_line("do it", uuid=f"{ident}-m", parentUuid=f"{ident}-c", isMeta=True, **where)
        return [command, body]
    asked = user_line("go on", uuid=f"{ident}-u", **where)
    message: dict[str, Any] = {"message_id": f"msg-{ident}", **where}
    block = tool_use(kind, id=f"toolu-{ident}", **({"skill": "lint"} if kind == "Skill" else {}))
    # The message's second line comes later, maybe on another day, and has the tokens that count.
    more: dict[str, Any] = {"usage": {"input_tokens": 5, "output_tokens": 50}, "timestamp": answered}
    return [
        asked,
        assistant_line("so", uuid=f"{ident}-a", **message),
        assistant_line("so" if kind == "talk" else [block], uuid=f"{ident}-b", **{**message, **more}),
        user_line(tool_result(f"toolu-{ident}", is_error=failed), uuid=f"{ident}-r", **where),
    ]


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Files and what is done to them, in any order."""
    files = [draw(sessions(number)) for number in range(draw(st.integers(1, 3)))]
    for number in range(draw(st.integers(0, 2))):
        origin = draw(st.sampled_from(files))
        cut = draw(st.integers(1, len(origin)))
        name = draw(st.sampled_from([f"fork{number}", f"a{number}"]))
        own = [] if draw(st.booleans()) else draw(sessions(7 + number))
        files.append([line | {"sessionId": name} for line in (*origin[:cut], *own)])
    steps = []
    for lines in files:
        owner = draw(st.sampled_from(["bob", "charlie"]))
        for end in {draw(st.integers(1, len(lines))), len(lines)}:
            steps.append(Step("upload", (owner, transcript_bytes(lines[:end]))))
    others = st.one_of(
        st.builds(Step, st.sampled_from(["run", "process", "publish"])),
        st.builds(Step, st.just("remove"), st.tuples(st.integers(0, 9), st.booleans())),
        st.builds(Step, st.just("die in processing"), st.integers(1, 60)),
        st.builds(Step, st.just("die in publishing"), st.integers(1, 30)),
        st.builds(Step, st.just("days pass"), st.sampled_from([1, 6, 23, 31])),
    )
    steps += draw(st.lists(others, max_size=8))
    return list(draw(st.permutations(steps)))


@pytest.mark.django_db
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories())
def test_what_was_published_bit_by_bit_is_what_is_made_from_nothing(
    clock: Clock, history: list[Step]
) -> None:
    clock.now = NOW
    forget_everything()
    attribute()
    for step in history:
        do(step, clock)
        if is_clean():
            assert stored() == expected()
            assert in_lake()["usage_user_daily"] == in_database()["usage_user_daily"]
    process("usage")
    assert is_clean()
    published = stored()
    assert published == expected()
    assert in_lake() == in_database()
    for table in TABLES:
        table.objects.all().delete()
    rebuild_all()
    assert stored() == published
    assert in_lake() == in_database()


def do(step: Step, clock: Clock) -> None:
    match step:
        case Step("upload", (name, content)):
            upload(User.objects.get_or_create(email=f"{name}@example.com")[0], content)
        case Step("run"):
            run("usage")
        case Step("process"):
            process("usage")
        case Step("publish"):
            publish()
        case Step("remove", (number, for_privacy)):
            remove(number, for_privacy)
        case Step("die in processing", statements):
            with dying(statements):
                process("usage")
            clock.move(minutes=2)
        case Step("die in publishing", statements):
            run("usage")
            with dying(statements):
                publish()
            clock.move(minutes=2)
        case Step("days pass", days):
            clock.now += timedelta(days=days)


def is_clean() -> bool:
    """Whether the publisher would find nothing to do."""
    return not UsageDirtyDay.objects.exists() and PublishingState.objects.filter(windows_day=today()).exists()


def remove(number: int, for_privacy: bool) -> None:
    """One of the transcripts, and all that was made of it."""
    transcripts = list(SessionTranscript.objects.order_by("session_file"))
    if not transcripts:
        return
    transcript = transcripts[number % len(transcripts)]
    with transaction.atomic():
        mark_dirty(stored_days(session_file=transcript.session_file), purge=for_privacy)
        for model in EXTRACTED:
            model._default_manager.filter(session_file=transcript.session_file).delete()
        transcript.delete()


@contextmanager
def dying(statements: int) -> Iterator[None]:
    """The process dies at the nth statement; if there are fewer, it lives. All that the database sees of it
    afterwards is that its transaction ends."""
    left = statements

    def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal left
        left -= 1
        if left > 0 or (left < 0 and sql.startswith(("ROLLBACK", "RELEASE"))):
            return run(sql, params, many, context)
        raise Death

    try:
        with connection.execute_wrapper(execute):
            yield
    except Death:
        pass


def forget_everything() -> None:
    models: tuple[type[Model], ...] = (*FORGOTTEN, *TABLES)
    for model in models:
        model._default_manager.all().delete()
    shutil.rmtree(django_settings.LAKE_URL, ignore_errors=True)


def attribute() -> None:
    tidy = {"source": "curated", "ref_id": "market/tidy"}
    CommandAttribution.objects.create(
        identifier="tidy:clean", component_kind="command", canonical_name="clean", **tidy
    )
    McpServerAttribution.objects.create(
        identifier="mcp__plugin_tidy_db__", component_kind="mcp_server", canonical_name="db", **tidy
    )
    SkillAttribution.objects.create(
        identifier="lint", source="flea", ref_id="17", component_kind="skill", canonical_name="lint"
    )

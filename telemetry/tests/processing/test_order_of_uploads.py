"""Any order of uploads, repeats, growing prefixes and forks gives identical rows."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from telemetry.models import (
    SessionProcessorState,
    SessionTranscript,
    UsageEvent,
    UsageMessage,
    UsageSessionSummary,
)
from telemetry.tests.builders import (
    assistant_line,
    moment,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.tests.figures import processed, upload, usage_of

Lines = list[dict[str, Any]]


def history(session: str, prefix: str, turns: int, start: float) -> Lines:
    """A session of so many turns: prompt, a message on two lines with a call, its result."""
    lines: Lines = []
    for turn in range(turns):
        at = start + turn * 30
        ident = f"{prefix}-{turn}"
        shared = {"sessionId": session}
        message_id = f"msg-{ident}"
        usage = {"input_tokens": 5, "output_tokens": 2 + turn}
        lines += [
            user_line("go on", uuid=f"{ident}-u", timestamp=moment(at), **shared),
            assistant_line(
                "so",
                message_id=message_id,
                usage=usage,
                uuid=f"{ident}-a",
                timestamp=moment(at + 1),
                **shared,
            ),
            assistant_line(
                [tool_use("Bash", id=f"toolu-{ident}")],
                message_id=message_id,
                usage={"input_tokens": 5, "output_tokens": 20 + turn},
                uuid=f"{ident}-b",
                timestamp=moment(at + 2),
                **shared,
            ),
            user_line(
                tool_result(f"toolu-{ident}", is_error=turn % 3 == 1),
                uuid=f"{ident}-r",
                timestamp=moment(at + 3),
                **shared,
            ),
        ]
    return lines


def copied(lines: Lines, session: str) -> Lines:
    """A fork: the same records under another session id."""
    return [line | {"sessionId": session} for line in lines]


@st.composite
def worlds(draw: st.DrawFn) -> list[Lines]:
    """The final files of one person: sessions, forks of their beginnings, forks of forks, a diverged twin."""
    sessions: list[Lines] = []
    for number in range(draw(st.integers(1, 3))):
        start = draw(st.sampled_from([0.0, 1000.0, 50.0]))
        sessions.append(history(f"s{number}", f"s{number}", draw(st.integers(1, 4)), start))
    for number in range(draw(st.integers(0, 3))):
        origin = draw(st.sampled_from(sessions))
        cut = draw(st.integers(1, len(origin)))
        name = draw(st.sampled_from([f"f{number}", f"a{number}", "s0"]))
        own = history(name, f"f{number}", draw(st.integers(0, 2)), 5000.0 + number)
        sessions.append(copied(origin[:cut], name) + own)
    return sessions


@st.composite
def uploads(draw: st.DrawFn) -> tuple[list[bytes], list[bytes | None]]:
    """The final files; and a series that ends with the same files: growing prefixes and repeats among them,
    in any order, None = a run of the processor."""
    files = [transcript_bytes(lines) for lines in draw(worlds())]
    series: list[bytes | None] = list(files)
    for content in files:
        lines = content.splitlines(keepends=True)
        for _ in range(draw(st.integers(0, 2))):
            series.append(b"".join(lines[: draw(st.integers(1, len(lines)))]))
    series += draw(st.lists(st.sampled_from(files), max_size=2))
    series += [None] * draw(st.integers(0, 3))
    return files, draw(st.permutations(series))


@pytest.mark.django_db
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(uploads())
def test_any_order_gives_identical_rows(case: tuple[list[bytes], list[bytes | None]]) -> None:
    files, series = case
    forget_everything()
    straight, shuffled = people()
    for content in files:
        upload(straight, content)
    for step in series:
        if step is None:
            processed()
        else:
            upload(shuffled, step)
    processed()
    assert usage_of(shuffled) == usage_of(straight)
    assert_totals_agree_with_events(shuffled)


def people() -> tuple[User, User]:
    straight, _ = User.objects.get_or_create(email="straight@example.com")
    shuffled, _ = User.objects.get_or_create(email="shuffled@example.com")
    return straight, shuffled


def forget_everything() -> None:
    for model in (UsageEvent, UsageMessage, UsageSessionSummary, SessionProcessorState, SessionTranscript):
        model.objects.all().delete()


def assert_totals_agree_with_events(owner: User) -> None:
    summaries = UsageSessionSummary.objects.filter(user=owner)
    assert sum(summaries.values_list("events", flat=True)) == UsageEvent.objects.filter(user=owner).count()
    messages = UsageMessage.objects.filter(user=owner)
    assert sum(summaries.values_list("assistant_messages", flat=True)) == messages.count()
    assert sum(summaries.values_list("output_tokens", flat=True)) == sum(
        messages.values_list("output_tokens", flat=True)
    )

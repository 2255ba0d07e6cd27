"""Whatever the order of uploads, repeats, growing files and forks: the same live parts."""

import itertools
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from telemetry.intake.storing import store_transcript
from telemetry.models import SessionTranscriptPart
from telemetry.tests.builders import assistant_line, moment, transcript_bytes

pytestmark = pytest.mark.django_db

_people = itertools.count()


def conversation(name: str, forked_at: int, **fields: Any) -> bytes:
    """Eight lines, of which the first few are the same under every name."""
    lines = [
        assistant_line(
            uuid=f"{'trunk' if number < forked_at else name}-{number}",
            message_id=f"m-{number}",
            timestamp=moment(number),
            **fields,
        )
        for number in range(8)
    ]
    return transcript_bytes(lines)


CONVERSATIONS = [
    conversation("trunk", 8),
    conversation("early", 2),
    conversation("late", 6),
    conversation("unrelated", 0),
    conversation("other", 3, sessionId="another-session"),
    conversation("agent", 3, agentId="a1"),
]
FIRST_LINE = max(raw.index(b"\n") + 1 for raw in CONVERSATIONS)

files = st.sampled_from(CONVERSATIONS).flatmap(
    lambda raw: st.integers(FIRST_LINE, len(raw)).map(lambda length: raw[:length])
)


def live_parts_after(uploads: Iterable[bytes]) -> list[tuple[str, str, str, int]]:
    owner = User.objects.create_user(f"person{next(_people)}@example.com")
    for raw in uploads:
        store_transcript(owner, [raw])
    parts = SessionTranscriptPart.objects.live().filter(transcript__owner=owner)
    return sorted(parts.values_list("transcript__session_id", "transcript__agent_id", "sha256", "raw_bytes"))


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    st.lists(files, min_size=1, max_size=8).flatmap(
        lambda made: st.tuples(st.just(made), st.permutations(made))
    )
)
def test_any_order_gives_the_same_live_parts(orders):
    one, other = orders
    live = live_parts_after(one)
    assert live == live_parts_after([*other, *one])
    longest = {raw for raw in one if not any(raw != longer and longer.startswith(raw) for longer in one)}
    assert sorted(size for *_, size in live) == sorted(len(raw) for raw in longest)


def test_times_do_not_depend_on_the_order():
    spans = set()
    for uploads in itertools.permutations(CONVERSATIONS[:3]):
        owner = User.objects.create_user(f"person{next(_people)}@example.com")
        for raw in uploads:
            store_transcript(owner, [raw])
        transcript = owner.transcripts.get()
        spans.add((transcript.first_at, transcript.last_at, transcript.client_version))
    assert len(spans) == 1

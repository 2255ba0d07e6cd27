import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.tests.builders import (
    Line,
    assistant_line,
    command_line,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.tests.transcripts.helpers import events_of
from telemetry.tests.transcripts.strategies import LINES
from telemetry.transcripts import event_log
from telemetry.transcripts.extracting import extract
from telemetry.transcripts.figures import Event, Evidence


def fields_of(event: Event) -> str:
    return repr(event)


def call_and_answer(id_: str, name: str = "Bash", *, is_error: bool = False) -> list[Line]:
    return [
        assistant_line(tool_use(name, id_)),
        user_line(tool_result(id_, "Exit code 1", is_error=is_error)),
    ]


class TestManyEvents:
    """Where a transcript has so many that they do not stay in memory."""

    @pytest.fixture(autouse=True)
    def few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(event_log, "HELD_EVENTS", 2)

    def test_all_are_there(self):
        lines = [line for number in range(20) for line in call_and_answer(f"t{number}")]
        assert {event.identity for event in events_of(*lines)} == {f"t{number}" for number in range(20)}

    def test_none_counts_twice(self):
        lines = [line for number in range(9) for line in call_and_answer(f"t{number}")]
        again = [line for number in range(9) for line in call_and_answer(f"t{number}", is_error=True)]
        events = events_of(*lines, *again)
        assert len(events) == 9
        assert {event.error_kind for event in events} == {"none"}

    def test_late_answers_reach_their_calls(self):
        calls = [assistant_line(tool_use("Bash", f"t{number}")) for number in range(9)]
        answers = [user_line(tool_result(f"t{number}", "Exit code 1", is_error=True)) for number in range(9)]
        assert {event.error_kind for event in events_of(*calls, *answers)} == {"exit_code"}

    def test_late_evidence_reaches_its_skill(self):
        path = "Base directory for this skill: /h/plugins/cache/acme/toolbox/1.0.0/skills/x"
        body = user_line(path, isMeta=True, sourceToolUseID="skill")
        others = [line for number in range(9) for line in call_and_answer(f"t{number}")]
        events = events_of(*call_and_answer("skill", "Skill"), *others, body)
        assert [event.evidence for event in events if event.evidence] == [
            Evidence("acme", "toolbox", "1.0.0")
        ]

    def test_late_times_reach_their_calls(self):
        lines = [line | {"timestamp": None} for number in range(9) for line in call_and_answer(f"t{number}")]
        events = events_of(*lines, command_line("clear"))
        assert len({event.occurred_ms for event in events}) == 1
        assert events[0].occurred_ms is not None

    def test_ids_may_hold_anything(self):
        ids = [f"\ud800\0{number}" for number in range(9)]
        lines = [json.dumps(line) for id_ in ids for line in call_and_answer(id_)]
        assert sorted(event.identity for event in events_of(*lines)) == ids


@given(st.lists(LINES, max_size=12))
def test_few_and_many_give_the_same(lines: list[Line]):
    content = transcript_bytes(json.dumps(fields) for fields in lines)
    with pytest.MonkeyPatch.context() as patched:
        expected = sorted(map(fields_of, extract([[content]]).events))
        patched.setattr(event_log, "HELD_EVENTS", 1)
        assert sorted(map(fields_of, extract([[content]]).events)) == expected

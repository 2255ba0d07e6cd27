import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.transcripts import message_log
from telemetry.transcripts.figures import UsageMessage
from telemetry.transcripts.message_log import MessageLog


def piece(key: str, output_tokens: int, model: str = "m", occurred_ms: int | None = 1) -> UsageMessage:
    return UsageMessage(key, model, output_tokens, output_tokens, 0, 0, occurred_ms, "")


def log_of(*pieces: UsageMessage) -> MessageLog:
    log = MessageLog()
    for one in pieces:
        log.add(one)
    return log


class TestManyMessages:
    """Where a transcript has so many that they do not stay in memory."""

    @pytest.fixture(autouse=True)
    def few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(message_log, "HELD_MESSAGES", 2)

    def test_all_are_there_once(self):
        log = log_of(*(piece(f"m{number}", number) for number in range(9)))
        assert len(log) == 9
        assert sorted(message.key for message in log) == [f"m{number}" for number in range(9)]

    def test_a_late_piece_is_joined(self):
        log = log_of(piece("a", 5), piece("b", 1), piece("c", 1), piece("a", 7, "late"), piece("a", 6))
        first = next(message for message in log if message.key == "a")
        assert (first.model, first.output_tokens, len(log)) == ("late", 7, 3)

    def test_reading_twice_gives_the_same(self):
        log = log_of(piece("a", 5), piece("b", 1), piece("a", 7))
        assert list(log) == list(log)

    def test_a_key_that_no_file_can_hold_stays(self):
        log = log_of(piece("\ud800", 1), piece("b", 1), piece("c", 1))
        assert {message.key for message in log} == {"\ud800", "b", "c"}

    def test_what_waits_for_a_time_stays_and_gets_it(self):
        untimed = piece("a", 1, occurred_ms=None)
        log = log_of(untimed, piece("b", 1), piece("c", 1), piece("d", 1))
        untimed.occurred_ms = 9
        assert {message.key: message.occurred_ms for message in log}["a"] == 9


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3), st.sampled_from("xyz"))),
    st.integers(1, 4),
)
def test_how_many_are_held_changes_nothing(pieces: list[tuple[str, int, str]], held: int) -> None:
    def messages() -> list[UsageMessage]:
        log = log_of(*(piece(key, output, model) for key, output, model in pieces))
        return sorted(log, key=lambda message: message.key)

    expected = messages()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(message_log, "HELD_MESSAGES", held)
        assert messages() == expected

"""A file without records that may not be kept."""

import json

from hypothesis import given
from hypothesis import strategies as st

from telemetry.tests.builders import (
    Line,
    assistant_line,
    line,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.transcripts.fingerprints import message_hash, record_hash, tool_call_hash
from telemetry.transcripts.redacting import without_records

GONE = frozenset({record_hash("gone"), message_hash("msg-gone"), tool_call_hash("toolu-gone")})


def left_of(*lines: Line | bytes | str) -> bytes:
    return b"".join(without_records([transcript_bytes(lines)], GONE))


class TestRecords:
    def test_they_go_and_the_rest_stays_as_it_is(self):
        kept = json.dumps(user_line("stays"), indent=None, separators=(" , ", " : "))
        assert left_of(user_line("no", uuid="gone"), kept) == kept.encode() + b"\n"

    def test_of_any_kind(self):
        assert left_of(line("system", uuid="gone"), line("attachment", uuid="gone")) == b""

    def test_another_piece_of_a_message_goes_with_it(self):
        assert left_of(assistant_line("so", message_id="msg-gone")) == b""

    def test_a_copied_call_goes_and_so_does_its_answer(self):
        call = assistant_line(tool_use("Bash", id="toolu-gone"))
        answer = user_line(tool_result("toolu-gone", "what it said"))
        assert left_of(call, answer) == b""

    def test_a_line_of_several_goes_if_one_does(self):
        both = json.dumps(user_line("a")) + json.dumps(user_line("b", uuid="gone"))
        assert left_of(both) == b""


class TestWhatMayQuote:
    def test_lines_that_are_no_core_record_go(self):
        assert left_of({"type": "summary", "summary": "what was said"}, {"type": "queue-operation"}) == b""

    def test_what_cannot_be_read_goes(self):
        assert left_of("{broken", b"\xff\xfe", "[1]", "") == b""

    def test_a_last_line_that_is_still_written_goes(self):
        whole = transcript_bytes([user_line("a")])
        assert b"".join(without_records([whole, whole[:-9]], GONE)) == whole

    def test_a_last_line_that_lacks_only_its_end_stays(self):
        whole = transcript_bytes([user_line("a")])
        assert b"".join(without_records([whole + whole[:-1]], GONE)) == whole + whole[:-1]


LINES = st.lists(
    st.sampled_from(
        [
            transcript_bytes([user_line("a", uuid="kept")]),
            transcript_bytes([user_line("ü" * 50, uuid="gone")]),
            transcript_bytes([assistant_line(tool_use("Bash", id="toolu-gone"))]),
            b"{broken\n",
            b"\n",
        ]
    ),
    max_size=8,
)


@given(lines=LINES, cut=st.integers(0, 2000), size=st.integers(1, 300))
def test_the_beginning_of_a_file_gives_the_beginning_of_the_whole(lines: list[bytes], cut: int, size: int):
    """However it is cut into chunks."""
    raw = b"".join(lines)
    chunks = [raw[start : start + size] for start in range(0, len(raw), size)]
    whole = b"".join(without_records(chunks, GONE))
    assert whole.startswith(b"".join(without_records([raw[:cut]], GONE)))
    assert b"gone" not in whole
    assert whole.count(b"kept") == raw.count(b"kept")

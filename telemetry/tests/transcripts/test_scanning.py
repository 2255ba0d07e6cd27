import json
from typing import Any

import pytest

from telemetry.tests.builders import (
    SESSION,
    Line,
    assistant_line,
    line,
    moment,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.tests.transcripts.helpers import AnyLine
from telemetry.transcripts import scanning
from telemetry.transcripts.scanning import NotATranscript, Scan, scan
from telemetry.transcripts.values import iso_ms


def scan_of(*lines: AnyLine) -> Scan:
    return scan([transcript_bytes(lines)])


def refusal_of(content: bytes) -> tuple[str, int | None]:
    with pytest.raises(NotATranscript) as error:
        scan([content])
    return str(error.value), error.value.line


class TestKey:
    def test_it_is_in_the_lines(self):
        found = scan_of(user_line(), assistant_line())
        assert (found.session_id, found.agent_id) == (SESSION, "")
        found = scan_of(user_line(agentId="a1"))
        assert (found.session_id, found.agent_id) == (SESSION, "a1")

    def test_the_most_frequent_wins(self):
        found = scan_of(*[user_line(sessionId=id_, agentId=id_) for id_ in "abb"])
        assert (found.session_id, found.agent_id) == ("b", "b")

    def test_of_two_the_one_seen_first(self):
        found = scan_of(*[user_line(sessionId=id_, agentId=id_) for id_ in "baab"])
        assert (found.session_id, found.agent_id) == ("b", "b")

    def test_copies_of_a_record_vote(self):
        records = [
            user_line(sessionId="a", uuid="u"),
            user_line(sessionId="b", uuid="u"),
            user_line(sessionId="b"),
        ]
        assert scan_of(*records).session_id == "b"

    @pytest.mark.parametrize("agent_id", ["", None, 7, " "])
    def test_no_agent_is_a_vote_for_the_main_transcript(self, agent_id: object):
        mine = [user_line() | {"agentId": agent_id} for _ in range(2)]
        assert scan_of(*mine, user_line(agentId="a1")).agent_id == ""

    def test_only_user_and_assistant_records_vote(self):
        others = [line(type_, sessionId="x", agentId="y") for type_ in ("system", "attachment", "progress")]
        found = scan_of(*others, *others, user_line(sessionId="a"))
        assert (found.session_id, found.agent_id) == ("a", "")

    def test_ids_are_cleaned(self):
        text = json.dumps(user_line(sessionId=" a\ud800\0" + "x" * 300, agentId="b\n"))
        found = scan_of(text)
        assert found.session_id == "a\ufffd\ufffd" + "x" * 252
        assert found.agent_id == "b"


class TestSpan:
    def test_it_is_that_of_user_and_assistant_records(self):
        times = [(user_line, 5), (assistant_line, 9), (user_line, 3)]
        lines: list[Line] = [make(timestamp=moment(seconds)) for make, seconds in times]
        found = scan_of(line("system", timestamp=moment(0)), *lines, line("progress", timestamp=moment(99)))
        assert (iso_ms(found.first_ms), iso_ms(found.last_ms)) == (moment(3), moment(9))

    def test_copies_stretch_it(self):
        record = user_line(uuid="u")
        assert iso_ms(scan_of(record, record | {"timestamp": moment(7)}).last_ms) == moment(7)

    def test_without_a_time_there_is_none(self):
        found = scan_of(user_line() | {"timestamp": 7})
        assert (found.first_ms, found.last_ms) == (None, None)

    def test_the_client_version_is_the_first_there_is(self):
        found = scan_of(user_line(version=None), user_line(version="2"), user_line(version="3"))
        assert found.client_version == "2"

    def test_it_counts_lines(self):
        found = scan([transcript_bytes([user_line(), b"oops", b""]) + b'{"cut'])
        assert (found.lines, found.malformed_lines, found.truncated_tail) == (2, 1, True)


class TestRefusals:
    @pytest.mark.parametrize("content", [b"", b"\n\r\n ", b"\xef\xbb\xbf"])
    def test_an_empty_file(self, content: bytes):
        assert refusal_of(content) == ("the file is empty", None)

    @pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0", b"\0" * 1000])
    def test_a_binary_file(self, content: bytes):
        assert refusal_of(content) == ("the file is binary, not text", 1)

    @pytest.mark.parametrize("content", [b"oops", b"<html>\n</html>\n"])
    def test_a_file_that_is_not_json(self, content: bytes):
        message, number = refusal_of(content)
        assert (message, number) == ("no line of the file is JSON", 1)

    @pytest.mark.parametrize(
        ("content", "kind", "line_number"),
        [
            (b'[{"type":"user"}]', "list", 1),
            (b'\n[{"type":"user"}]\n', "list", 2),
            (b"oops\n[]\n", "list", 2),
            (b"null\n", "value", 1),
            (b'"text"', "value", 1),
        ],
    )
    def test_json_that_is_no_object_is_called_what_it_is(self, content: bytes, kind: str, line_number: int):
        assert refusal_of(content) == (f"the line is a JSON {kind}, not an object", line_number)

    def test_the_line_is_the_first_malformed_one(self):
        assert refusal_of(b"\n\noops\n")[1] == 3

    def test_stream_json_output(self):
        lines: list[dict[str, Any]] = [
            {"type": "system", "subtype": "init", "session_id": "s"},
            {"type": "assistant", "message": {"id": "m"}, "session_id": "s", "uuid": "u"},
            {"type": "result", "session_id": "s"},
        ]
        message, number = refusal_of(transcript_bytes([b"", *lines]))
        assert "stream-json" in message
        assert number == 2

    @pytest.mark.parametrize(
        "lines",
        [
            [{"type": "started", "key": "x"}],
            [line("system"), line("attachment"), line("progress")],
            [user_line(uuid="")],
            [user_line(sessionId=None)],
            [user_line() | {"sessionId": 7}],
            [user_line() | {"type": "human"}],
            [b"[1]", b"{}"],
        ],
    )
    def test_a_file_without_a_user_or_assistant_record(self, lines: list[AnyLine]):
        message, number = refusal_of(transcript_bytes(lines))
        assert "no line of the file is a user or assistant line" in message
        assert number == 1

    def test_one_good_record_among_rubbish_makes_a_transcript(self):
        assert scan_of(b"oops", b"[1]", {"type": "new", "session_id": "x"}, user_line()).session_id == SESSION


class TestLimits:
    """No real transcript comes near them: here they are small."""

    @pytest.mark.parametrize("rubbish", [b"{}", b"oops", b"1"])
    def test_so_many_lines(self, rubbish: bytes, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(scanning, "MAX_LINES", 3)
        lines: list[AnyLine] = [user_line(), rubbish, rubbish]
        assert scan_of(*lines).lines == 3
        assert refusal_of(transcript_bytes([*lines, rubbish]))[1] == 4

    def test_so_many_records_also_on_one_line(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(scanning, "MAX_RECORDS", 3)
        assert scan_of(user_line(), b"{}{}").lines == 2
        message, number = refusal_of(transcript_bytes([user_line(), b"{}{}{}"]))
        assert "more records" in message
        assert number == 2

    def test_so_many_calls_also_in_one_record(self, monkeypatch: pytest.MonkeyPatch):
        """A record, its message and each of its calls take a hash."""
        monkeypatch.setattr(scanning, "MAX_HASHES", 10)
        calls = [tool_use("Bash") for _ in range(12)]
        assert len(scan_of(assistant_line(calls[:8]), user_line()).fingerprint) == 11
        message, number = refusal_of(transcript_bytes([assistant_line(calls), user_line()]))
        assert "tool calls" in message
        assert number == 1

    def test_blank_lines_count_as_lines_of_the_file(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(scanning, "MAX_LINES", 100)
        assert scan_of(*[b""] * 99, user_line()).lines == 1
        for blank in (b"", b" ", b"\r"):
            assert refusal_of(transcript_bytes([user_line(), *[blank] * 100]))[1] == 101

    @pytest.mark.parametrize("rubbish", [b"oops", b"1", b"{"])
    def test_so_many_damaged_lines(self, rubbish: bytes, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(scanning, "MAX_MALFORMED_LINES", 3)
        assert scan_of(user_line(), *[rubbish] * 3, user_line()).malformed_lines == 3
        message, number = refusal_of(transcript_bytes([user_line(), *[rubbish] * 4, user_line()]))
        assert message == "more than 3 lines of the file are damaged"
        assert number == 5

    def test_ids_beyond_so_many_are_not_counted(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(scanning, "MAX_IDS", 2)
        names = ["a", "b", "c", "c", "c", "b"]
        assert scan_of(*(user_line(sessionId=name, agentId=name) for name in names)).session_id == "b"
        assert scan_of(*(user_line(agentId=name) for name in names)).agent_id == "b"

import json
from typing import Any

import pytest

from telemetry.tests.builders import Line, assistant_line, line, moment, transcript_bytes, user_line
from telemetry.tests.transcripts.helpers import AnyLine
from telemetry.transcripts.values import timestamp_ms
from telemetry.transcripts.verifying import DETAILS_PER_KIND, OTHER_DETAILS, Finding, verify

RECEIVED_MS = timestamp_ms("2026-05-02T12:00:00Z") or 0


def findings_of(*lines: AnyLine) -> list[Finding]:
    return verify([[transcript_bytes(lines)]], received_ms=RECEIVED_MS)


class TestFindings:
    def test_a_transcript_as_it_should_be_has_none(self):
        first = user_line(uuid="u")
        assert findings_of(first, assistant_line(parentUuid="u"), {"type": "summary", "summary": "x"}) == []

    def test_malformed_lines_and_an_incomplete_last_one(self):
        content = transcript_bytes([user_line(), b"oops", b"[1]"]) + b'{"cut'
        found = verify([[content]], received_ms=RECEIVED_MS)
        assert found == [Finding("malformed_line", "", 2), Finding("truncated_tail", "", 1)]

    @pytest.mark.parametrize(("type_", "detail"), [("new-kind", "new-kind"), (7, ""), (None, ""), ("", "")])
    def test_unknown_line_types(self, type_: object, detail: str):
        assert findings_of({"type": type_}, {"type": type_}) == [Finding("unknown_line_type", detail, 2)]

    def test_unknown_keys(self):
        assert findings_of(user_line(newKey=1), assistant_line(newKey=2)) == [
            Finding("unknown_key", "newKey", 2)
        ]
        assert findings_of({"type": "mode", "newKey": 1}) == []

    def test_unknown_block_types(self):
        blocks = [{"type": "hologram"}, {"type": "text"}, {"type": 7}, None, "x"]
        expected = [Finding("unknown_block_type", "", 1), Finding("unknown_block_type", "hologram", 1)]
        assert findings_of(assistant_line(blocks)) == expected

    @pytest.mark.parametrize("changes", [{"uuid": None}, {"sessionId": ""}])
    def test_records_without_their_ids(self, changes: dict[str, Any]):
        assert findings_of(user_line() | changes) == [Finding("incomplete_record", "user", 1)]

    @pytest.mark.parametrize("timestamp", [None, 7, "now"])
    def test_records_without_a_time(self, timestamp: object):
        assert findings_of(line("system") | {"timestamp": timestamp}) == [
            Finding("no_timestamp", "system", 1)
        ]

    def test_times_later_than_a_day_after_the_upload(self):
        tomorrow = moment(2 * 86_400)
        assert findings_of(user_line(timestamp=tomorrow)) == []
        assert findings_of(user_line(timestamp=moment(3 * 86_400))) == [Finding("clock_skew", "user", 1)]

    def test_parents_that_are_nowhere(self):
        lines = [
            user_line(parentUuid="gone"),
            assistant_line(parentUuid="gone"),
            user_line(parentUuid="away"),
        ]
        assert findings_of(*lines) == [Finding("missing_part", "parent lines", 2)]

    def test_parents_may_stand_in_any_line_of_any_part(self):
        later, earlier = user_line(parentUuid="p"), line("progress", uuid="p")
        parts = [[transcript_bytes([record])] for record in (later, earlier)]
        assert verify(parts, received_ms=RECEIVED_MS) == []

    def test_only_some_details_of_a_kind_are_kept(self):
        found = findings_of(*[{"type": f"t{number:03}"} for number in range(100)])
        assert len(found) == DETAILS_PER_KIND + 1
        assert found[0] == Finding("unknown_line_type", OTHER_DETAILS, 100 - DETAILS_PER_KIND)

    def test_details_can_be_stored(self):
        found = findings_of(json.dumps({"type": "\ud800\0" + "x" * 300}))
        assert found == [Finding("unknown_line_type", "\ufffd\ufffd" + "x" * 253, 1)]


ODD: list[bytes] = [b"9" * 5000, b"[" * 900 + b"]" * 900, b'"\xff"', b'"\\ud800"', b"{}", b"1e999"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("key", ["type", "uuid", "sessionId", "parentUuid", "timestamp", "message", "newKey"])
def test_odd_values_stop_nothing(key: str, odd: bytes):
    fields: Line = user_line() | {key: "ODD"}
    record = json.dumps(fields).encode().replace(b'"ODD"', odd)
    kinds = {finding.kind for finding in findings_of(record, {"type": "new-kind"})}
    assert "unknown_line_type" in kinds

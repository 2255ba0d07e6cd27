import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from telemetry.tests.transcripts.strategies import LINES
from telemetry.transcripts.records import Record, decode_record, lenient_record, plain, text_of


def comparable(record: Record) -> Record:
    """With the content of its blocks as plain values, which is what a lenient record has there."""
    for block in record.blocks:
        block.content = plain(block.content)
    return record


@given(LINES)
def test_both_ways_of_decoding_give_the_same_record(fields: dict[str, Any]):
    line = json.dumps(fields)
    try:
        fast = decode_record(line)
    except (msgspec.DecodeError, RecursionError):
        return
    assert comparable(fast) == comparable(lenient_record(json.loads(line)))


class TestLenientRecords:
    @pytest.mark.parametrize("name", ["type", "uuid", "sessionId", "cwd", "timestamp", "entrypoint"])
    @pytest.mark.parametrize("value", [7, 1.5, True, ["x"], {"x": 1}, None])
    def test_a_text_of_another_type_counts_as_absent(self, name: str, value: object):
        assert getattr(lenient_record({name: value, "version": "2"}), name) is None

    @pytest.mark.parametrize("value", [1, "true", "", [True], None])
    def test_only_true_is_true(self, value: object):
        assert lenient_record({"isMeta": value}).isMeta is None
        assert lenient_record({"isMeta": True}).isMeta is True

    @pytest.mark.parametrize("value", [7, "x", None, {"type": "text"}])
    def test_blocks_that_are_no_objects_keep_their_place(self, value: object):
        record = lenient_record({"message": {"content": [[value], {"type": "tool_use"}]}})
        assert [block.type for block in record.blocks] == [None, "tool_use"]

    @pytest.mark.parametrize("name", ["message", "attachment", "origin"])
    @pytest.mark.parametrize("value", [7, "x", ["x"], True])
    def test_an_object_of_another_type_counts_as_absent(self, name: str, value: object):
        assert getattr(lenient_record({name: value}), name) is None

    def test_one_odd_field_takes_nothing_from_the_others(self):
        record = lenient_record(
            {"cwd": 7, "message": {"model": [], "id": "m", "usage": {"input_tokens": "x"}}}
        )
        assert record.message is not None
        assert (record.cwd, record.message.id, record.message.model) == (None, "m", None)


class TestText:
    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ("Hello", "Hello"),
            ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
            ([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": ""}], "a\n"),
            ([7, None, "x", ["y"], {"type": "text", "text": "a"}], "a"),
            ([{"type": "thinking", "text": "x"}, {"text": "y"}, {"type": "text", "text": 7}], ""),
            ([], ""),
            ({"type": "text", "text": "x"}, ""),
            (None, ""),
            (7, ""),
        ],
    )
    def test_it_is_that_of_the_text_blocks(self, content: object, text: str):
        assert lenient_record({"message": {"content": content}}).text == text
        assert text_of(content) == text

    def test_there_is_none_without_a_message(self):
        assert lenient_record({"message": None}).text == ""
        assert lenient_record({}).text == ""


class TestPlain:
    @pytest.mark.parametrize(
        ("raw", "value"),
        [
            (b'["a"]', ["a"]),
            (b'"\xff"', "\ufffd"),
            (b'"\\ud800"', "\ud800"),
            (b"1" * 4000, int("1" * 4000)),
            (b"[1e999]", [float("inf")]),
            (b"[" * 100_000 + b"]" * 100_000, None),
        ],
    )
    def test_it_is_the_value(self, raw: bytes, value: object):
        assert plain(msgspec.Raw(raw)) == value

    def test_integers_that_python_refuses_stop_nothing(self):
        assert plain(msgspec.Raw(b'["a",' + b"1" * 100_000 + b"]"))[0] == "a"

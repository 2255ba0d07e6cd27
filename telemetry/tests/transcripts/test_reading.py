import json
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.tests.builders import line, transcript_bytes, user_line
from telemetry.tests.transcripts.helpers import reader_of
from telemetry.transcripts import reading
from telemetry.transcripts.reading import RecordReader, TooManyLines

A, B = b'{"uuid":"a"}', b'{"uuid":"b"}'


def uuids_and_counts(content: bytes) -> tuple[list[str | None], int, int]:
    """The uuids of the records, the lines, and the malformed ones of them."""
    records, reader = reader_of(content)
    return [record.uuid for record in records], reader.lines, reader.malformed_lines


class TestLines:
    def test_a_byte_order_mark_is_dropped(self):
        assert uuids_and_counts(b"\xef\xbb\xbf" + A + b"\n") == (["a"], 1, 0)

    def test_only_the_first_byte_order_mark_is_one(self):
        assert uuids_and_counts(b"\xef\xbb\xbf\xef\xbb\xbf" + A + b"\n") == ([], 1, 1)
        assert uuids_and_counts(A + b"\n\xef\xbb\xbf" + B + b"\n") == (["a"], 2, 1)

    def test_a_carriage_return_is_white_space(self):
        assert uuids_and_counts(A + b"\r\n" + B + b"\r\n") == (["a", "b"], 2, 0)
        assert uuids_and_counts(A + b"\r" + B + b"\n") == (["a", "b"], 1, 0)

    @pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
    def test_unicode_line_ends_end_no_line(self, separator: str):
        text = json.dumps({"uuid": f"a{separator}b"}, ensure_ascii=False)
        assert uuids_and_counts(text.encode() + b"\n") == ([f"a{separator}b"], 1, 0)

    @pytest.mark.parametrize("separator", [b"\x0c", b"\x0b", "\u2028".encode()])
    def test_between_documents_they_are_no_white_space(self, separator: bytes):
        assert uuids_and_counts(A + separator + B + b"\n") == (["a"], 1, 1)

    def test_blank_lines_are_not_counted(self):
        assert uuids_and_counts(b"\n \t\r\n" + A + b"\n\n \r") == (["a"], 1, 0)

    def test_a_line_of_other_white_space_is_malformed(self):
        assert uuids_and_counts(b"\x0c\n" + A + b"\n") == (["a"], 2, 1)

    @pytest.mark.parametrize("blank", [b"", b" ", b"\r", b"\t \r"])
    @pytest.mark.parametrize("chunk_bytes", [1, 7, 1000])
    def test_runs_of_blank_lines_are_passed_over_and_numbered(self, blank: bytes, chunk_bytes: int):
        blanks = (blank + b"\n") * 50
        content = blanks + A + b"\n" + blanks + b"oops\n" + blanks + B + b"\n" + blanks + blank
        reader = RecordReader(cut(content, chunk_bytes))
        assert [(record.uuid, reader.line_number) for record in reader] == [("a", 51), ("b", 153)]
        assert (reader.lines, reader.first_malformed_line, reader.truncated_tail) == (3, 102, False)

    def test_a_line_that_begins_blank_is_no_blank_line(self):
        assert uuids_and_counts(b"\n  \n  " + A + b"\n \x0c\n") == (["a"], 2, 1)

    def test_an_empty_file_has_no_lines(self):
        assert uuids_and_counts(b"") == ([], 0, 0)
        assert uuids_and_counts(b"\xef\xbb\xbf") == ([], 0, 0)

    def test_the_line_number_is_that_of_the_file(self):
        reader = RecordReader([A + b"\n\n" + A + B + b"\noops\n" + A + b"\n" + B])
        assert [reader.line_number for _ in reader] == [1, 3, 3, 5, 6]
        assert reader.first_malformed_line == 4


class TestDocuments:
    @pytest.mark.parametrize("space", [b"", b" ", b"\t\r "])
    def test_two_on_a_line_are_two_records(self, space: bytes):
        assert uuids_and_counts(A + space + B + b"\n") == (["a", "b"], 1, 0)

    @pytest.mark.parametrize("other", [b"7", b"[1]", b'"text"', b"null", b"true"])
    def test_what_is_no_object_is_skipped_and_reading_goes_on(self, other: bytes):
        assert uuids_and_counts(A + b" " + other + b" " + B + b"\n") == (["a", "b"], 1, 1)
        assert uuids_and_counts(other + b"\n" + B + b"\n") == (["b"], 2, 1)

    @pytest.mark.parametrize("broken", [b"{", b"}", b'{"uuid":', b"oops", b",", b"\0", b"\xff"])
    def test_reading_of_a_line_stops_at_what_is_not_json(self, broken: bytes):
        assert uuids_and_counts(A + broken + B + b"\n" + B + b"\n") == (["a", "b"], 2, 1)

    @pytest.mark.parametrize(
        "line_",
        [
            b'{"uuid":"a","x":NaN}',
            b'{"uuid":"a","x":Infinity}',
            b'{"uuid":"a","x":-Infinity}',
            b'{"uuid":"a","content":[NaN]}',
            b'{"uuid":"a","x":"\x01"}',
            b'{"uuid":"a\tb"}',
            b'{"uuid":"a","x":"\x00"}',
            b'{"uuid":"a","x\x1f":1}',
            b'{"uuid":"a","x":"\\q"}',
            b'{"uuid":"a","x":01}',
            b'{"uuid":"a","x":1.}',
            b'{"uuid":"a","x":[1,]}',
            b"{'uuid':'a'}",
        ],
    )
    def test_json_is_strict(self, line_: bytes):
        assert uuids_and_counts(line_ + b"\n" + B + b"\n") == (["b"], 2, 1)
        assert uuids_and_counts(b" 7 " + line_ + b"\n" + B + b"\n") == (["b"], 2, 1)

    def test_of_repeated_keys_the_last_wins(self):
        assert uuids_and_counts(b'{"uuid":"x","uuid":"a"}\n{"uuid":7,"uuid":"b"}\n') == (["a", "b"], 2, 0)
        assert uuids_and_counts(b'{"uuid":"a","uuid":7}\n') == ([None], 1, 0)


class TestText:
    @pytest.mark.parametrize("bytes_", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"])
    def test_bytes_that_are_not_utf_8_are_replaced(self, bytes_: bytes):
        replaced = bytes_.decode("utf-8", "replace")
        assert uuids_and_counts(b'{"uuid":"a' + bytes_ + b'"}\n') == ([f"a{replaced}"], 1, 0)
        assert uuids_and_counts(b'{"uuid":"a","other":"' + bytes_ + b'"}\n') == (["a"], 1, 0)
        assert uuids_and_counts(b'{"uuid":"a","' + bytes_ + b'":1}\n') == (["a"], 1, 0)

    @pytest.mark.parametrize("escape", ["\\ud800", "\\udfff", "\\ud800\\ud800", "\\u0000"])
    def test_escaped_lone_surrogates_and_nul_are_allowed(self, escape: str):
        text = json.loads(f'"{escape}"')
        assert uuids_and_counts(f'{{"uuid":"{escape}"}}\n'.encode()) == ([text], 1, 0)
        assert uuids_and_counts(f'{{"uuid":"a","{escape}":["{escape}"]}}\n'.encode()) == (["a"], 1, 0)

    def test_escaped_pairs_are_one_character(self):
        assert uuids_and_counts(b'{"uuid":"\\ud83d\\ude00"}\n') == (["😀"], 1, 0)


def nested(levels: int, place: bytes) -> bytes:
    """An object in which `levels` levels are nested, the object itself being one."""
    lists = b"[" * (levels - 1) + b"]" * (levels - 1)
    return b'{"uuid":"a",' + place + b":" + lists + b"}\n" + B + b"\n"


class TestSizes:
    @pytest.mark.parametrize("place", [b'"unknown"', b'"content"', b'"message"', b'"timestamp"'])
    def test_256_levels_are_read(self, place: bytes):
        assert uuids_and_counts(nested(256, place)) == (["a", "b"], 2, 0)

    @pytest.mark.parametrize("place", [b'"unknown"', b'"content"', b'"message"', b'"timestamp"'])
    def test_more_than_10_000_levels_are_malformed(self, place: bytes):
        assert uuids_and_counts(nested(10_001, place)) == (["b"], 2, 1)
        assert uuids_and_counts(nested(200_000, place)) == (["b"], 2, 1)

    @pytest.mark.parametrize("digits", [20, 400, 4_000, 100_000])
    @pytest.mark.parametrize("place", [b'"unknown"', b'"content"', b'"timestamp"'])
    def test_integers_may_be_of_any_length(self, digits: int, place: bytes):
        number = b"9" * digits
        whole = b'{"uuid":"a",' + place + b":-" + number + b"}"
        assert uuids_and_counts(whole + b"\n" + B + b"\n") == (["a", "b"], 2, 0)
        assert uuids_and_counts(whole) == (["a"], 1, 0)
        assert uuids_and_counts(whole + B + b"\n") == (["a", "b"], 1, 0)

    def test_huge_fractions_are_numbers(self):
        assert uuids_and_counts(b'{"uuid":"a","content":1e999}\n') == (["a"], 1, 0)

    @pytest.mark.parametrize("chunk_bytes", [1, 7, 100])
    def test_a_line_over_the_limit_is_malformed_and_the_rest_is_read(self, monkeypatch, chunk_bytes: int):
        monkeypatch.setattr(reading, "MAX_LINE_BYTES", 100)
        too_long = b'{"uuid":"' + b"x" * 300 + b'"}'
        content = A + b"\n" + too_long + b"\n" + B + b"\n"
        reader = RecordReader(cut(content, chunk_bytes))
        assert [record.uuid for record in reader] == ["a", "b"]
        assert (reader.lines, reader.malformed_lines) == (3, 1)

    @pytest.mark.parametrize("chunk_bytes", [1, 7, 14])
    def test_a_line_of_the_limit_is_read(self, monkeypatch, chunk_bytes: int):
        monkeypatch.setattr(reading, "MAX_LINE_BYTES", len(A))
        reader = RecordReader(cut(A + b"\n" + B, chunk_bytes))
        assert [record.uuid for record in reader] == ["a", "b"]

    def test_a_file_without_a_line_end_is_not_held_in_memory(self, monkeypatch):
        monkeypatch.setattr(reading, "MAX_LINE_BYTES", 1000)
        (batch,) = reading.split_lines(b"x" * 400 for _ in range(100))
        assert batch == [b"x" * 1000]


def cut(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


class TestLastLine:
    @pytest.mark.parametrize(
        "tail", [b'{"uuid":"c', b'{"uuid":"c"}oops', b'{"uuid":"c"} 7', b"7", b"[]", b"\xff", b'{"x":NaN}']
    )
    def test_what_does_not_parse_wholly_into_objects_is_ignored(self, tail: bytes):
        records, reader = reader_of(A + b"\n" + tail)
        assert [record.uuid for record in records] == ["a"]
        assert (reader.lines, reader.malformed_lines, reader.truncated_tail) == (1, 0, True)
        assert reader.first_malformed_line is None

    @pytest.mark.parametrize("tail", [B, B + b"\r", b" " + B, B + B, b'{"uuid":"b","x":"\xff"}'])
    def test_whole_objects_count_without_a_line_end(self, tail: bytes):
        records, reader = reader_of(A + b"\n" + tail)
        assert {record.uuid for record in records} == {"a", "b"}
        assert (reader.lines, reader.malformed_lines, reader.truncated_tail) == (2, 0, False)

    def test_a_line_end_makes_it_a_malformed_line(self):
        assert uuids_and_counts(A + b'\n{"uuid":"c\n') == (["a"], 2, 1)


class TestChunks:
    CONTENT = (
        b"\xef\xbb\xbf"
        + transcript_bytes([user_line("ä\u2028"), b"", line("system"), b'{"uuid":"c"}{"uuid":"d"}\r', b"no"])
        + b'{"uuid":"e"}\n\n{"uuid":"cut'
    )

    def test_they_may_end_anywhere(self):
        whole, reader = reader_of(self.CONTENT)
        assert len(whole) == 5
        for position in range(len(self.CONTENT) + 1):
            other = RecordReader([self.CONTENT[:position], b"", self.CONTENT[position:]])
            assert list(other) == whole
            assert (other.lines, other.malformed_lines, other.truncated_tail) == (
                reader.lines,
                reader.malformed_lines,
                reader.truncated_tail,
            )

    @given(st.lists(st.integers(0, len(CONTENT))))
    def test_and_be_of_any_number_and_size(self, cuts: list[int]):
        borders = [0, *sorted(cuts), len(self.CONTENT)]
        chunks = [self.CONTENT[start:end] for start, end in pairwise(borders)]
        assert list(RecordReader(chunks)) == reader_of(self.CONTENT)[0]


@given(st.binary(max_size=200))
def test_no_bytes_at_all_stop_the_reading(content: bytes):
    records, reader = reader_of(content + b"\n" + A + b"\n")
    assert records[-1].uuid == "a"
    assert reader.lines >= reader.malformed_lines


class TestHostileLines:
    """A line that would take a hundred times its size in memory is malformed, and costs little."""

    @pytest.mark.parametrize(
        "line",
        [
            b"{}" * 5_000,
            b'{"type":"user","message":{"content":[' + b"{}," * 600_000 + b"{}]}}",
            b'{"type":"user","message":{"content":[' + b"[]," * 600_000 + b"[]]}}",
        ],
        ids=["documents", "blocks", "lists"],
    )
    def test_it_is_malformed_and_the_rest_is_read(self, line: bytes):
        reader = RecordReader([line + b"\n" + b'{"type":"user"}\n'])
        tracemalloc.start()
        count = sum(1 for _ in reader)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert reader.malformed_lines == 1
        assert reader.lines == 2
        assert count <= 1001
        assert peak < len(line) * 3 + 1_000_000

    def test_many_documents_within_reason_are_read(self):
        reader = RecordReader([b"{}" * 1000 + b"\n"])
        assert (sum(1 for _ in reader), reader.malformed_lines) == (1000, 0)

    def test_too_many_lines_stop_a_reader_that_was_told_so(self):
        with pytest.raises(TooManyLines):
            list(RecordReader([b"\n" * 11], line_limit=10))

from datetime import UTC, datetime

import pytest

from telemetry.transcripts.values import (
    MAX_TOKENS,
    bare,
    clean,
    from_ms,
    iso_ms,
    timestamp_ms,
    token_count,
)

TEN_O_CLOCK = 1_777_629_600_000


class TestTimestamps:
    @pytest.mark.parametrize(
        ("text", "milliseconds"),
        [
            ("2026-05-01T10:00:00Z", 0),
            ("2026-05-01T10:00:00", 0),
            ("2026-05-01T10:00:00.5Z", 500),
            ("2026-05-01T10:00:00.25", 250),
            ("2026-05-01T10:00:00.123Z", 123),
            ("2026-05-01T10:00:00.1239Z", 123),
            ("2026-05-01T10:00:00.123999999999999999Z", 123),
            ("2026-05-01T12:00:00+02:00", 0),
            ("2026-05-01T05:30:00.007-04:30", 7),
        ],
    )
    def test_it_reads_every_form(self, text: str, milliseconds: int):
        assert timestamp_ms(text) == TEN_O_CLOCK + milliseconds

    @pytest.mark.parametrize(
        "text",
        [
            None,
            "",
            "yesterday",
            "2026-05-01",
            "2026-05-01 10:00:00Z",
            "2026-05-01T10:00Z",
            "2026-05-01T10:00:00z",
            "2026-05-01T10:00:00.Z",
            "2026-05-01T10:00:00,5Z",
            "2026-05-01T10:00:00+0200",
            "2026-05-01T10:00:00+02",
            "2026-05-01T10:00:00Z\n",
            " 2026-05-01T10:00:00Z",
            "20260501T100000Z",
            "2026-02-30T10:00:00Z",
            "2026-13-01T10:00:00Z",
            "2026-05-01T25:00:00Z",
            "2026-05-01T10:00:61Z",
            "2026-05-01T10:00:00+25:00",
            "\uff12\uff10\uff12\uff16-05-01T10:00:00Z",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999Z",
            "1970-01-01T00:30:00+01:00",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "10000-01-01T00:00:00Z",
        ],
    )
    def test_anything_else_counts_as_missing(self, text: str | None):
        assert timestamp_ms(text) is None

    def test_it_takes_the_whole_range(self):
        assert timestamp_ms("1970-01-01T00:00:00.000Z") == 0
        assert timestamp_ms("1969-12-31T23:00:00-01:00") == 0
        assert iso_ms(timestamp_ms("9999-12-31T23:59:59.9999Z")) == "9999-12-31T23:59:59.999Z"

    def test_they_come_back_as_moments_and_texts(self):
        assert from_ms(TEN_O_CLOCK + 7) == datetime(2026, 5, 1, 10, 0, 0, 7000, tzinfo=UTC)
        assert from_ms(None) is None
        assert iso_ms(TEN_O_CLOCK + 7) == "2026-05-01T10:00:00.007Z"
        assert iso_ms(None) == "-"


class TestNames:
    @pytest.mark.parametrize("value", [None, 7, True, ["x"], {"x": "y"}, "", " \t\n"])
    def test_what_is_no_text_is_empty(self, value: object):
        assert clean(value) == ""

    def test_they_are_trimmed_and_cut(self):
        assert clean("\u2003 Bash\r\n") == "Bash"
        assert clean(" " * 300 + "x" * 300) == "x" * 255
        assert clean("é" * 256) == "é" * 255

    def test_they_keep_inner_space_and_case(self):
        assert clean("My  Tool") == "My  Tool"

    def test_nul_and_lone_surrogates_are_replaced(self):
        assert clean("a\0b") == "a\ufffdb"
        assert clean("a\ud800b\udfff") == "a\ufffdb\ufffd"
        assert clean("\0") == "\ufffd"
        assert clean("😀") == "😀"

    @pytest.mark.parametrize(
        ("value", "name"),
        [
            ("/review", "review"),
            (" /review ", "review"),
            ("/ review", "review"),
            ("//review", "/review"),
            ("review/", "review/"),
            ("/", ""),
            (None, ""),
        ],
    )
    def test_bare_drops_one_leading_slash(self, value: object, name: str):
        assert bare(value) == name


class TestTokenCounts:
    @pytest.mark.parametrize("value", [0, 1, MAX_TOKENS])
    def test_integers_count(self, value: int):
        assert token_count(value) == value

    @pytest.mark.parametrize("value", [None, -1, MAX_TOKENS + 1, 10**4000, 1.0, 1.5, "5", True, [5], {}])
    def test_anything_else_is_zero(self, value: object):
        assert token_count(value) == 0

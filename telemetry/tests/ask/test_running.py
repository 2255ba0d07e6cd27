"""Statements on a real lake, each in a process of its own."""

import hashlib
import itertools
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from telemetry.ask.errors import QueryFailed, QueryRejected, QueryTooHeavy
from telemetry.ask.prompt.notes import VIEWS
from telemetry.ask.running import WALL_SECONDS, run_statement
from telemetry.tests.ask.test_validating import OWN, SHARED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lake")]
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
# One for memory, one for the planner's and the engine's time each.
SAMPLES = ("SELECT repeat('x', 2000000000)", "SELECT list_transform(range(1000000000), lambda x: x)")
BOMBS = [one["sql"] for one in [*OWN, *SHARED] if one["layer"] in ("process", "any")]


def _marks(sql: str) -> Any:
    return pytest.mark.sample if sql in SAMPLES else ()


EVENTS = [
    {"id": f"id-{number}", "occurred_at": AT + timedelta(hours=number), "tool_name": tool}
    for number, tool in enumerate(["Bash", "Bash", "Read"])
]


@pytest.fixture
def checksums(settings: Any) -> Iterator[None]:
    """Nothing in the lake is changed."""
    before = sums(Path(settings.LAKE_URL))
    yield
    assert before
    assert sums(Path(settings.LAKE_URL)) == before


def sums(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


class TestAnswers:
    def test_rows_and_columns(self) -> None:
        answer = run_statement("SELECT tool_name, count(*) AS n FROM usage_events GROUP BY 1 ORDER BY 1")
        assert answer.columns == ["tool_name", "n"]
        assert answer.rows == [["Bash", 2], ["Read", 1]]
        assert not answer.truncated

    def test_values_are_as_json_has_them(self) -> None:
        answer = run_statement(
            "SELECT min(occurred_at), DATE '2026-05-01', 1.5::DECIMAL(4, 2), 'nan'::DOUBLE, [1, NULL], "
            "{'a': ['ž']}, INTERVAL 90 MINUTE, 0.1234567890123456789 FROM usage_events"
        )
        assert answer.rows == [
            [
                "2026-05-01T08:00:00+00:00",
                "2026-05-01",
                1.5,
                "nan",
                "[1, null]",
                '{"a": ["ž"]}',
                "1:30:00",
                "0.1234567890123456789",
            ]
        ]

    def test_large_numbers_and_none(self) -> None:
        assert run_statement("SELECT 9007199254740993, 3, NULL, true").rows == [
            ["9007199254740993", 3, None, True]
        ]

    def test_a_repeated_column_gets_a_number(self) -> None:
        assert run_statement("SELECT 1 AS n, 2 AS n, 3 AS n").columns == ["n", "n_2", "n_3"]

    def test_too_many_rows_are_cut(self) -> None:
        answer = run_statement("SELECT * FROM range(5000)")
        assert (len(answer.rows), answer.truncated) == (1000, True)

    def test_long_cells_and_wide_answers_are_cut(self) -> None:
        answer = run_statement("SELECT repeat('x', 100000) FROM range(1000)")
        assert len(answer.rows[0][0]) == 2000
        assert answer.truncated
        assert len(json.dumps(answer.rows)) < 1_100_000

    def test_every_view_can_be_read(self) -> None:
        counts = ", ".join(f"(SELECT count(*) FROM {view})" for view in VIEWS)
        assert run_statement(f"SELECT {counts}").rows == [[3, 0, 0, 0, 0, 0]]

    def test_too_many_columns_are_refused(self) -> None:
        with pytest.raises(QueryFailed, match="too many columns") as error:
            run_statement(
                "SELECT * FROM (PIVOT (FROM range(4000)) ON repeat('x', 9) || range USING count(*))"
            )
        assert "too many columns" in error.value.told


class TestWalls:
    def test_a_refused_statement_says_which_rule(self) -> None:
        with pytest.raises(QueryRejected) as error:
            run_statement("SELECT * FROM read_text('/etc/passwd')")
        assert error.value.rule == "table_function"

    def test_an_error_of_the_engine_names_no_path(self) -> None:
        with pytest.raises(QueryFailed, match="tool_nam") as error:
            run_statement("SELECT tool_nam FROM usage_events")
        assert "parquet" not in error.value.message

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT tool_name::INT FROM usage_events",
            "SELECT strptime(tool_name, '%Y') FROM usage_events",
        ],
    )
    def test_a_model_is_told_no_value_of_a_row(self, sql: str) -> None:
        """People are: they may see it."""
        with pytest.raises(QueryFailed) as error:
            run_statement(sql)
        assert "Bash" in error.value.message
        assert error.value.told
        assert "Bash" not in error.value.told

    def test_what_passes_the_parsers_cannot_write(
        self, checksums: None, settings: Any, monkeypatch: Any
    ) -> None:
        """The kernel stands behind them."""
        monkeypatch.setattr("telemetry.ask.validating.first_parser.validate_text", lambda sql, views: True)
        monkeypatch.setattr("telemetry.ask.running._START", _WITHOUT_SECOND_PARSER)
        [file] = Path(settings.LAKE_URL, "usage_events").rglob("*.parquet")
        statement = f"COPY (SELECT 1 FROM usage_events) TO '{file}' (USE_TMP_FILE false)"
        with pytest.raises(QueryFailed, match="ermission"):
            run_statement(statement)

    def test_what_the_engine_prints_is_no_part_of_the_answer(self, monkeypatch: Any) -> None:
        """How far it is, when a query takes more than two seconds."""
        monkeypatch.setattr("telemetry.ask.running._START", _PRINT_PROGRESS)
        assert run_statement("SELECT 1").rows == [[1]]

    def test_the_process_has_nothing_of_the_servers_environment(self, monkeypatch: Any) -> None:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret")
        monkeypatch.setattr("telemetry.ask.running._START", _TELL_THE_ENVIRONMENT)
        assert sorted(run_statement("SELECT 1").rows[0][0]) == ["LC_ALL", "PATH"]

    @pytest.mark.slow
    @pytest.mark.parametrize("sql", [pytest.param(sql, marks=_marks(sql)) for sql in BOMBS])
    def test_bombs_end_and_leave_nothing(self, sql: str, checksums: None) -> None:
        before = children()
        with suppress(QueryTooHeavy, QueryFailed):
            assert run_statement(sql).truncated
        assert children() == before

    def test_the_time_of_a_statement_begins_with_its_check(self, monkeypatch: Any) -> None:
        hours = itertools.count(step=3600)
        monkeypatch.setattr("telemetry.ask.running.monotonic", lambda: next(hours))
        with pytest.raises(QueryTooHeavy):
            run_statement("SELECT 1")

    def test_what_the_engine_cannot_stop_is_ended(self, checksums: None) -> None:
        """By its process, whose limits are below ten seconds; this is one with less."""
        assert WALL_SECONDS < 10
        before = children()
        with pytest.raises(QueryTooHeavy):
            run_statement(SAMPLES[1], seconds=1)
        assert children() == before


_WITHOUT_SECOND_PARSER = """
import sys; sys.path.insert(0, sys.argv[1])
from telemetry.ask import worker
worker.validate_tree = lambda *args, **options: None
worker.main()
"""
_PRINT_PROGRESS = """
import os, sys; sys.path.insert(0, sys.argv[1])
from telemetry.ask import worker
worker.validate_tree = lambda *args, **options: os.write(1, b"50%")
worker.main()
"""
_TELL_THE_ENVIRONMENT = """
import json, os
print(json.dumps({"columns": ["names"], "rows": [[list(os.environ)]], "truncated": False, "duration_ms": 0,
                  "is_confined": True}))
"""


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()

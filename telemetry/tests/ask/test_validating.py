"""Statements that only read, and those that do anything else (docs/ASK.md)."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import duckdb
import pytest

from telemetry.ask.validating.first_parser import validate_text
from telemetry.ask.validating.functions import allowed_functions, denied_functions
from telemetry.ask.validating.names import CATALOG_VIEWS, check_cte_name
from telemetry.ask.validating.rejection import Rejected
from telemetry.ask.validating.second_parser import validate_tree
from telemetry.ask.validating.text import with_plain_spaces

EXAMPLES = Path(__file__).resolve().parents[4] / "shared" / "ask" / "sql_examples.jsonl"
VIEWS = {
    "usage_events",
    "usage_messages",
    "usage_session_summary",
    "usage_tool_daily",
    "usage_plugin_daily",
    "usage_component_daily",
}


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


OWN = read(Path(__file__).with_name("statements.jsonl"))
SHARED = read(EXAMPLES)


@pytest.fixture(scope="module")
def connection() -> Any:
    with duckdb.connect(":memory:") as connection:
        yield connection


def verdict(connection: Any, sql: str) -> str:
    """`allow`, or the rule that refused it."""
    try:
        has_pivot = validate_text(sql, VIEWS)
        validate_tree(connection, sql, VIEWS, has_pivot=has_pivot)
    except Rejected as rejected:
        return rejected.rule
    return "allow"


def wrong(connection: Any, examples: list[dict[str, Any]]) -> list[tuple[str, str]]:
    verdicts = [(verdict(connection, one["sql"]), one) for one in examples if one["layer"] == "validator"]
    return [
        (found, one["sql"]) for found, one in verdicts if (found == "allow") != (one["expect"] == "allow")
    ]


class TestStatements:
    @pytest.mark.skipif(not SHARED, reason="the shared examples are not here")
    def test_the_shared_ones(self, connection: Any) -> None:
        assert wrong(connection, SHARED) == []

    def test_our_own(self, connection: Any) -> None:
        assert wrong(connection, OWN) == []

    def test_there_are_enough(self) -> None:
        verdicts = [one["expect"] for one in OWN]
        assert verdicts.count("reject") >= 150
        assert verdicts.count("allow") >= 100


class TestFunctions:
    def test_each_of_the_installed_duckdb_is_decided(self, connection: Any) -> None:
        installed = {
            row[0].casefold()
            for row in connection.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
        }
        assert not installed - allowed_functions() - denied_functions()

    def test_none_is_decided_twice(self) -> None:
        assert not allowed_functions() & denied_functions()

    def test_none_that_is_denied_hides_in_a_pivot(self, connection: Any) -> None:
        """DuckDB shows no tree of one whose columns come from rows."""
        statements = [
            f"PIVOT usage_tool_daily {form.format(f'{name}(source)')}"
            for name in denied_functions()
            for form in ("ON {} USING count(*)", "ON source USING max({})")
        ]
        assert [sql for sql in statements if verdict(connection, sql) == "allow"] == []

    @pytest.mark.parametrize("name", ["setval", "read_csv", "query", "sleep_ms", "current_setting"])
    def test_those_with_effects_are_denied(self, name: str) -> None:
        assert name in denied_functions()


class TestNames:
    def test_no_view_of_the_catalog_may_be_a_name_of_with(self, connection: Any) -> None:
        views = {row[0] for row in connection.execute("SELECT view_name FROM duckdb_views()").fetchall()}
        for view in views:
            with pytest.raises(Rejected):
                check_cte_name(view, VIEWS)
        assert views >= CATALOG_VIEWS


class TestSpaces:
    def test_those_of_duckdb_are_ours(self, connection: Any) -> None:
        """Else a word could hide behind one that only DuckDB takes for a space."""
        for number in (*range(0x80, 0xD800), *range(0xE000, 0x30000)):
            space = chr(number)
            if unicodedata.category(space) not in ("Zs", "Zl", "Zp", "Cf", "Cc"):
                continue
            [(told,)] = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT{space}1"]).fetchall()
            assert (with_plain_spaces(space) == " ") == ('"VALUE_CONSTANT"' in told), hex(number)

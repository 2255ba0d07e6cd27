"""Whatever stands in a cell, in every format it comes out as it went in."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from telemetry.export.datasets import Dataset
from telemetry.export.process import ExportProcess
from telemetry.tests.export import lakes
from telemetry.tests.export.conftest import build_events, event
from telemetry.tests.lake.small_lakes import schema_of

pytestmark = pytest.mark.django_db

HOSTILE = [
    "",
    " ",
    'a "quoted" word',
    '"',
    '""',
    "a,b;c\td",
    "line\nline\r\nline\rline\n",
    "'; DROP TABLE usage_events; --",
    "=1+1",
    "NULL",
    "null",
    "\\N",
    "\\",
    "\0 and after it",
    "\x01\x1f\x7f",
    "\ufeffmark",
    "\ufffd for half a pair",
    "e\u0301 \u202e \u2028 \u2029",
    "👩‍👩‍👧‍👦 \U0001d54f",
    "]\n}",
    "x" * 1_000_000,
    None,
]
AT = datetime(2026, 5, 1, 10, 0, 0, 7000, tzinfo=UTC)
EXTRACTED_AT = AT.replace(microsecond=123_456)


@pytest.fixture
def hostile() -> None:
    build_events(*(event(number, tool_name=text, cwd=text) for number, text in enumerate(HOSTILE)))


def read_csv(body: bytes) -> list[dict[str, str]]:
    csv.field_size_limit(10_000_000)
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


class TestHostileText:
    def test_csv(self, get, hostile):
        body = get().body
        assert [row["tool_name"] for row in read_csv(body)] == [text or "" for text in HOSTILE]

    def test_csv_by_others(self, get, hostile, tmp_path: Path):
        file = tmp_path / "export.csv"
        file.write_bytes(get().body)
        frame = polars.read_csv(file, infer_schema=False, empty_string_is_null=False)
        assert [text or "" for text in frame["tool_name"].to_list()] == [text or "" for text in HOSTILE]
        options = "all_varchar = true, max_line_size = 10000000, parallel = false, new_line = '\\r\\n'"
        found = duckdb.execute(f"SELECT tool_name FROM read_csv('{file}', {options})").fetchall()
        assert [text or "" for (text,) in found] == [text or "" for text in HOSTILE]

    def test_csv_tells_null_from_an_empty_text(self, get, tmp_path: Path):
        build_events(event(0, tool_name=None), event(1, tool_name=""))
        file = tmp_path / "export.csv"
        file.write_bytes(get().body)
        found = duckdb.execute(f"SELECT tool_name FROM read_csv('{file}', allow_quoted_nulls = false)")
        assert found.fetchall() == [(None,), ("",)]

    def test_json(self, get, hostile):
        rows = json.loads(get(format="json").body)
        assert [row["tool_name"] for row in rows] == HOSTILE

    def test_ndjson(self, get, hostile):
        lines = get(format="ndjson").body.split(b"\n")
        assert lines.pop() == b""
        assert [json.loads(line)["cwd"] for line in lines] == HOSTILE

    def test_parquet(self, get, hostile, tmp_path: Path):
        file = tmp_path / "export.parquet"
        file.write_bytes(get(format="parquet").body)
        assert pq.read_table(file)["tool_name"].to_pylist() == HOSTILE
        assert polars.read_parquet(file)["cwd"].to_list() == HOSTILE
        found = duckdb.execute(f"SELECT cwd FROM '{file}'").fetchall()
        assert [text for (text,) in found] == HOSTILE


class TestCsv:
    def test_its_bytes(self, get):
        build_events(
            event(
                0,
                tool_name="",
                cwd=None,
                model='a "b"',
                is_error=None,
                occurred_at=AT,
                extracted_at=EXTRACTED_AT,
            )
        )
        body = get().body
        header, line, end = body.split(b"\r\n")
        assert end == b""
        assert header.startswith(b"id,session_id,")
        assert line == (
            b'id-00000,x,x,x,0,x,x,x,x,"",x,x,x,x,false,,x,x,x,x,x,x,x,x,"a ""b""",,x,x,'
            b"2026-05-01T10:00:00.007000Z,0,2026-05-01T10:00:00.123456Z"
        )

    def test_cells_that_are_formulas_can_be_neutralised(self, get):
        texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "\n=1", "1-1", "", None, "'=1", " =1"]
        build_events(*(event(number, tool_name=text) for number, text in enumerate(texts)))
        safe = [row["tool_name"] for row in read_csv(get(spreadsheet_safe="1").body)]
        dangerous = ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\r=1", "'\n=1"]
        assert safe == [*dangerous, "1-1", "", "", "'=1", " =1"]
        assert [row["tool_name"] for row in read_csv(get(spreadsheet_safe="0").body)][:2] == ["=1+1", "+1"]

    def test_numbers_are_left_alone(self, get):
        lakes.build({Dataset.SESSIONS: [{"active_seconds": Decimal("-1.5"), "events": -1}]})
        [row] = read_csv(get(dataset="sessions", spreadsheet_safe="1").body)
        assert (row["active_seconds"], row["events"]) == ("-1.500", "-1")

    def test_safe_is_for_csv_only(self, get):
        answer = get(spreadsheet_safe="1", format="json")
        assert list(answer.json()["error"]["fields"]) == ["spreadsheet_safe"]


class TestNothing:
    @pytest.fixture(autouse=True)
    def an_empty_lake(self) -> None:
        lakes.build({})

    def test_csv_is_the_header(self, get):
        [header] = get().body.splitlines()
        assert header.startswith(b"id,session_id,")

    def test_json_is_an_empty_array(self, get):
        assert json.loads(get(format="json").body) == []
        assert get(format="ndjson").body == b""

    @pytest.mark.parametrize("dataset", Dataset)
    def test_parquet_has_the_whole_schema(self, get, dataset: Dataset, tmp_path: Path):
        file = tmp_path / "export.parquet"
        file.write_bytes(get(dataset=dataset, format="parquet").body)
        schema = pq.read_schema(file)
        assert pq.read_metadata(file).num_rows == 0
        expected = schema_of(dataset.table)
        assert schema.names == list(dataset.table.columns)
        assert [schema.field(name).type for name in schema.names] == [
            expected.field(name).type for name in schema.names
        ]
        assert polars.read_parquet(file).columns == schema.names


class TestParquet:
    def test_it_is_typed_zstd_in_row_groups(self, get, tmp_path: Path):
        rows = 130_000
        build_events(*(event(0, id=f"{number:09}", occurred_at=AT) for number in range(rows)))
        file = tmp_path / "export.parquet"
        file.write_bytes(get(format="parquet").body)
        metadata = pq.read_metadata(file)
        assert (metadata.num_rows, metadata.num_row_groups) == (rows, 7)
        assert {metadata.row_group(0).column(number).compression for number in range(30)} == {"ZSTD"}
        table = pq.read_table(file)
        assert table.schema.field("occurred_at").type == pa.timestamp("us", "UTC")
        assert table.schema.field("is_error").type == pa.bool_()
        assert table["id"].to_pylist() == [f"{number:09}" for number in range(rows)]

    def test_its_row_groups_are_the_same_where_it_begins_again(self, command, monkeypatch):
        """Days a little smaller than a group are one each, or are put together."""
        first = date(2026, 5, 1)
        rows = [
            {"day": first + timedelta(days=day), "tool_name": f"{number:09}"}
            for day in range(7)
            for number in range(19_000)
        ]
        lakes.build({Dataset.TOOL_DAILY: rows})
        options = ("--dataset=tool_daily", "--format=parquet")
        whole = command(*options)
        begin = ExportProcess.begin
        monkeypatch.setattr(
            ExportProcess, "begin", lambda process, plan: begin(process, replace(plan, is_frugal=True))
        )
        assert command(*options) == whole

    def test_days_and_decimals_are_that(self, get, tmp_path: Path):
        lakes.build({Dataset.SESSIONS: [{"active_seconds": Decimal("1.125")}], Dataset.TOOL_DAILY: [{}]})
        file = tmp_path / "export.parquet"
        file.write_bytes(get(dataset="sessions", format="parquet").body)
        assert pq.read_table(file)["active_seconds"].to_pylist() == [Decimal("1.125")]
        file.write_bytes(get(dataset="tool_daily", format="parquet").body)
        assert pq.read_table(file)["day"].to_pylist() == [date(2026, 6, 1)]


def test_json_has_types(get):
    build_events(event(0, is_error=None, is_builtin=True, user_id=7, occurred_at=AT))
    [row] = json.loads(get(format="json").body)
    found = [row[name] for name in ("is_error", "is_builtin", "user_id", "occurred_at")]
    assert found == [None, True, 7, "2026-05-01T10:00:00.007000Z"]

"""The readers' door on small lakes of its own: order, types, limits."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from telemetry.errors import LakeChanged
from telemetry.lake.door import connect
from telemetry.lake.snapshot import Snapshot
from telemetry.lake.tables import TABLES
from telemetry.tests.lake.small_lakes import DAY, EVENTS, create, event, snapshot_of, write

DAYS = [DAY, DAY + timedelta(days=1), DAY + timedelta(days=2)]
MEMORY = "200MB"


@pytest.fixture
def lake(tmp_path: Path) -> str:
    """Three days and one without a time, published in no order."""
    url = str(tmp_path / "lake")
    create(url, EVENTS)
    write(url, EVENTS, [event(number, DAYS[2]) for number in range(10)], DAYS[2])
    write(url, EVENTS, [event(number, None) for number in range(5)], None)
    write(url, EVENTS, [event(number, DAYS[0]) for number in range(10)], DAYS[0])
    write(url, EVENTS, [event(number, DAYS[1]) for number in range(20_000)], DAYS[1])
    return url


@pytest.fixture
def empty_lake(tmp_path: Path) -> str:
    url = str(tmp_path / "lake")
    for table in TABLES:
        create(url, table)
    return url


@pytest.fixture
def events(lake: str) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(snapshot_of(lake, EVENTS), memory_limit=MEMORY) as connection:
        yield connection


class TestRows:
    def test_they_come_in_order_without_a_sort(self, lake: str, events: duckdb.DuckDBPyConnection):
        rows = events.execute("SELECT epoch_ms(occurred_at), id FROM usage_events").fetchall()
        with_time = [row for row in rows if row[0]]
        assert with_time == sorted(with_time)
        assert len(with_time) == 20_020
        assert [row[1] for row in rows[20_020:]] == [event(number, None)["id"] for number in range(5)]
        assert len(list(Path(lake).glob("usage_events/day=*/*.parquet"))) == 4

    def test_they_are_those_of_the_snapshot(self, lake: str):
        before = snapshot_of(lake, EVENTS)
        write(lake, EVENTS, [], DAYS[1])
        with (
            connect(before, memory_limit=MEMORY) as old,
            connect(snapshot_of(lake, EVENTS), memory_limit=MEMORY) as new,
        ):
            assert _count(old) == 20_025
            assert _count(new) == 25

    def test_moments_are_in_utc(self, events: duckdb.DuckDBPyConnection):
        [(text,)] = events.execute("SELECT max(occurred_at)::VARCHAR FROM usage_events").fetchall()
        assert text == "2026-05-03 00:00:09+00"

    def test_a_snapshot_passes_through_json(self, lake: str):
        snapshot = snapshot_of(lake, EVENTS)
        assert Snapshot.from_json(snapshot.to_json()) == snapshot


class TestViews:
    def test_each_table_has_exactly_its_columns_and_types(self, empty_lake: str):
        with connect(snapshot_of(empty_lake, *TABLES), memory_limit=MEMORY) as connection:
            for table in TABLES:
                described = connection.execute(f"DESCRIBE {table.name}").fetchall()
                assert [(row[0], row[1]) for row in described] == [
                    (name, _in_duckdb(kind)) for name, kind in table.columns.items()
                ]
                assert connection.execute(f"SELECT * FROM {table.name}").fetchall() == []

    def test_filled_tables_have_the_same_types_as_empty_ones(self, empty_lake: str):
        for table in TABLES:
            write(empty_lake, table, [{}])
        with connect(snapshot_of(empty_lake, *TABLES), memory_limit=MEMORY) as connection:
            for table in TABLES:
                described = connection.execute(f"DESCRIBE {table.name}").fetchall()
                assert [(row[0], row[1]) for row in described] == [
                    (name, _in_duckdb(kind)) for name, kind in table.columns.items()
                ]
                [row] = connection.execute(f"SELECT * FROM {table.name}").fetchall()
                day_of_rollup = table.moment == "day"
                assert [value for value in row if value is not None] == ([DAY] if day_of_rollup else [])

    def test_others_can_be_left_out(self, empty_lake: str):
        snapshot = snapshot_of(empty_lake, *TABLES).only("usage_events")
        with connect(snapshot, memory_limit=MEMORY) as connection:
            assert [row[0] for row in connection.execute("SHOW TABLES").fetchall()] == ["usage_events"]


class TestLock:
    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM glob('/*')",
            "COPY (SELECT 1) TO '{folder}/out.csv'",
            "COPY (SELECT 1) TO '{folder}/out.csv' (USE_TMP_FILE false)",
            "EXPORT DATABASE '{folder}/out'",
            "ATTACH '{folder}/other.duckdb'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SELECT * FROM read_parquet('http://127.0.0.1:9/x.parquet')",
            "SET enable_external_access = true",
            "SET allowed_paths = ['/etc/passwd']",
            "SET memory_limit = '100GB'",
            "SET temp_directory = '/'",
            "SELECT * FROM leaked",
        ],
    )
    def test_it_holds(self, events: duckdb.DuckDBPyConnection, tmp_path: Path, statement: str):
        leaked = {"a": [1]}
        with pytest.raises(duckdb.Error):
            events.execute(statement.format(folder=tmp_path))
        assert leaked
        assert not (tmp_path / "out.csv").exists()

    def test_copy_writes_to_a_pipe_that_was_allowed(self, lake: str):
        reading, writing = os.pipe()
        chunks: list[bytes] = []
        reader = threading.Thread(target=_read_all, args=(reading, chunks), daemon=True)
        reader.start()
        target = f"/dev/fd/{writing}"
        with connect(snapshot_of(lake, EVENTS), memory_limit=MEMORY, writes=[target]) as connection:
            connection.execute(
                f"COPY (SELECT id FROM usage_events) TO '{target}' (FORMAT csv, USE_TMP_FILE false)"
            )
        os.close(writing)
        reader.join(10)
        assert b"".join(chunks).count(b"\n") == 1 + 20_025


class TestMemory:
    BIG_SORT = (
        "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY md5(i::VARCHAR)) n FROM range({n}) t(i))"
    )

    def test_a_sort_may_spill_and_leaves_nothing(self, lake: str, tmp_path: Path):
        spill = tmp_path / "spill"
        with connect(snapshot_of(lake, EVENTS), memory_limit="60MB", threads=1, spill=spill) as connection:
            assert connection.execute(self.BIG_SORT.format(n=2_000_000)).fetchall() == [(2_000_000,)]
        assert list(spill.iterdir()) == []

    def test_it_does_not_fill_the_disk(self, lake: str, tmp_path: Path):
        with (
            connect(
                snapshot_of(lake, EVENTS), memory_limit="60MB", threads=1, spill=tmp_path, spill_limit="10MB"
            ) as connection,
            pytest.raises(duckdb.Error, match="max_temp_directory_size"),
        ):
            connection.execute(self.BIG_SORT.format(n=2_000_000))

    def test_without_a_folder_it_fails(self, lake: str):
        with (
            connect(snapshot_of(lake, EVENTS), memory_limit="60MB", threads=1) as connection,
            pytest.raises(duckdb.Error, match="Out of Memory"),
        ):
            connection.execute(self.BIG_SORT.format(n=2_000_000))


class TestGone:
    def test_files_that_went_away_are_said_so(self, lake: str):
        with pytest.raises(LakeChanged):
            _remove_while_reading(lake)

    def test_a_version_that_went_away_is_said_so(self, lake: str):
        snapshot = snapshot_of(lake, EVENTS)
        for file in Path(lake).glob("usage_events/_delta_log/*"):
            file.unlink()
        with pytest.raises(LakeChanged), connect(snapshot, memory_limit=MEMORY):
            pass

    def test_another_error_stays_what_it_is(self, lake: str):
        with (
            pytest.raises(duckdb.CatalogException),
            connect(snapshot_of(lake, EVENTS), memory_limit=MEMORY) as connection,
        ):
            connection.execute("SELECT * FROM nowhere")


def test_it_needs_no_django():
    code = "import sys, telemetry.lake.door, telemetry.lake.snapshot; print('django' in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (done.stdout.strip(), done.stderr) == ("False", "")


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    [(count,)] = connection.execute("SELECT count(*) FROM usage_events").fetchall()
    return int(count)


def _remove_while_reading(lake: str) -> None:
    with connect(snapshot_of(lake, EVENTS), memory_limit=MEMORY) as connection:
        assert _count(connection) == 20_025
        for file in Path(lake).glob("usage_events/day=2026-05-03/*.parquet"):
            file.unlink()
        connection.execute("SELECT max(tool_name) FROM usage_events").fetchall()


def _in_duckdb(kind: Any) -> str:
    return {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}.get(str(kind), str(kind))


def _read_all(descriptor: int, chunks: list[bytes]) -> None:
    while chunk := os.read(descriptor, 1 << 16):
        chunks.append(chunk)
    os.close(descriptor)

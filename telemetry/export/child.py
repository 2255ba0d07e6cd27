"""The process that reads the lake and writes the rows: `python -m telemetry.export.child CONTROL`.

The plan comes as one line on standard input. Standard output takes the rows and nothing else. The file
descriptor CONTROL takes one JSON object a line: {"rows": 7} before the first row, {"done": true} after the
last, or {"error": {...}}. Where neither of these two is told, it died. When standard input ends, nobody
wants the rows any more.

It is a process of its own, so that DuckDB's memory is given back with it, and so that it can be killed.
"""

import json
import os
import shutil
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import NoReturn

# What takes time to import is imported while the other end still finds out what to ask.
import deltalake  # noqa: F401
import duckdb

from accounts.errors import AgnesError
from telemetry.errors import LakeChanged
from telemetry.export.formats import FRUGAL_MEMORY_LIMIT
from telemetry.export.plan import Plan
from telemetry.lake.door import connect
from telemetry.lake.store_errors import reason_of

# The whole process stays under 512 MB: a little before, it gives up, and begins again as a frugal one.
MAX_MEMORY = 470_000_000
SECONDS_BETWEEN_LOOKS = 0.02
SPILL_LIMIT = "10GB"
MAX_THREADS = 4
OUTPUT = "/dev/fd/1"


def main(control: int) -> None:
    plan = Plan.from_json(sys.stdin.buffer.readline().decode())
    threading.Thread(target=_end_with_the_reader, args=[plan.spill], daemon=True).start()
    if not plan.is_frugal:
        threading.Thread(target=_end_before_memory_does, args=[control], daemon=True).start()
    try:
        _export(plan, control)
    except LakeChanged as error:
        cause = reason_of(error.__cause__ or error)
        _tell(control, error={"code": error.code, "in_copies": error.in_copies, "reason": cause})
    except AgnesError as error:
        told = {"code": error.code, "status": error.status, "message": error.message, "hint": error.hint}
        _tell(control, error=told)
    except duckdb.OutOfMemoryException as error:
        _tell(control, error={"out_of_memory": str(error)})
    except Exception:
        _tell(control, error={"reason": traceback.format_exc()})
    else:
        _tell(control, done=True)
    # Nothing here is worth tidying up.
    os._exit(0)


def _export(plan: Plan, control: int) -> None:
    with connect(
        plan.snapshot,
        memory_limit=FRUGAL_MEMORY_LIMIT if plan.is_frugal else plan.format.memory_limit,
        threads=_threads() if plan.format.is_parallel and not plan.is_frugal else 1,
        prefetch=not plan.is_frugal,
        spill=plan.spill,
        spill_limit=SPILL_LIMIT,
        writes=[OUTPUT],
    ) as connection:
        [(rows,)] = connection.execute(plan.count_query, plan.values).fetchall()
        _tell(control, rows=rows)
        connection.execute(plan.copy_statement(OUTPUT), plan.values)


def _threads() -> int:
    return min(_cores(), MAX_THREADS)


def _cores() -> int:
    """Those that this process may use, where the system (Linux) tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _tell(control: int, **message: object) -> None:
    os.write(control, json.dumps(message).encode() + b"\n")


def _end_with_the_reader(spill: str) -> NoReturn:
    """The other end keeps standard input open for as long as it lives and wants the rows."""
    while sys.stdin.buffer.read(1):
        pass
    shutil.rmtree(spill, ignore_errors=True)
    os._exit(1)


def _end_before_memory_does(control: int) -> NoReturn:
    """DuckDB's own limit leaves room for a second thread, which wide rows would fill."""
    while (taken := _memory()) < MAX_MEMORY:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    _tell(control, error={"out_of_memory": f"the process takes {taken} bytes"})
    os._exit(0)


def _memory() -> int:
    """In bytes, where the system (Linux) tells."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except FileNotFoundError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(int(sys.argv[1]))

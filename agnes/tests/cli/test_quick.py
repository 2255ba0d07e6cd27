"""What costs time at the start of a command is imported where it is used."""

import subprocess
import sys

import pytest

from agnes.tests.cli.machines import SECONDS, Machine
from agnes.tests.cli.scripted import Scripted

HEAVY = ("httpx", "duckdb", "rich", "webbrowser", "http.server", "platformdirs", "asyncio")
RUN = """
import sys
sys.argv = ["agnes", *sys.argv[1:]]
from agnes.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(" ".join(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments", [["push"], ["push", "--all", "--dry-run"], ["init"], ["snapshot", "list"]]
)
def test_a_push_with_nothing_to_do_imports_little(client: Machine, server: Scripted, arguments: list[str]):
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=client.workspace, env=client.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=SECONDS, check=True,
    )  # fmt: skip
    assert set(HEAVY) & set(done.stderr.split()) == set()

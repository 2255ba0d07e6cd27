"""Run one statement on the lake, in a process of its own that cannot harm anything."""

import json
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Collection
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from django.conf import settings

from telemetry.ask.errors import QueryFailed, QueryRejected, QueryTooHeavy
from telemetry.ask.prompt.notes import VIEWS
from telemetry.ask.validating.rejection import Rejected
from telemetry.errors import LakeChanged
from telemetry.lake.door import locate
from telemetry.lake.reading import check_damage, current_snapshot
from telemetry.lake.snapshot import Snapshot

log = logging.getLogger(__name__)

WALL_SECONDS = 8.0
_START = "import sys; sys.path.insert(0, sys.argv[1]); from telemetry.ask.worker import main; main()"
# A file of the lake is nobody's business.
_PATH = re.compile(r"(?:/[\w.=%+-]+){2,}/?")


@dataclass(frozen=True)
class Answer:
    """`rows` have a value for each column, in order; `as_of` as in the lake's snapshot."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    duration_ms: int
    as_of: str | None


def run_statement(sql: str, *, seconds: float = WALL_SECONDS) -> Answer:
    """Raises QueryRejected, QueryFailed, QueryTooHeavy, LakeNotBuilt, LakeChanged and LakeUnavailable."""
    with _Process(seconds) as process:
        # Its parser is large: nobody but who asks waits for it, and while the process starts.
        from telemetry.ask.validating.first_parser import validate_text

        try:
            has_pivot = validate_text(sql, VIEWS)
        except Rejected as rejected:
            raise QueryRejected(rejected.rule, rejected.text) from rejected
        snapshot = current_snapshot().only(*_named(sql))
        try:
            answer = process.ask(_asked(sql, snapshot, has_pivot))
        except LakeChanged as error:
            check_damage(snapshot, error)
            raise
    return Answer(**answer, as_of=snapshot.as_of)


def _named(sql: str) -> Collection[str]:
    """Views that the statement can mean: the others need not be opened."""
    folded = sql.casefold()
    return [view for view in VIEWS if view in folded]


def _asked(sql: str, snapshot: Snapshot, has_pivot: bool) -> dict[str, Any]:
    tables = [asdict(table) for table in snapshot.tables]
    return {
        "sql": sql,
        "views": list(VIEWS),
        "has_pivot": has_pivot,
        "paths": [dict(paths) for paths in locate(snapshot)],
        # Without the keys of its store: that process reads local files only.
        "snapshot": {"tables": tables, "storage_options": {}, "cache": None, "as_of": None},
    }


class _Process:
    """It starts at once, and is ended whatever happens; in `seconds` from now, at the latest."""

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds

    def __enter__(self) -> "_Process":
        # In isolation, with nothing of the server's environment.
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, str(settings.BASE_DIR)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._child.kill()
        self._child.communicate()

    def ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        left = self._ends - monotonic()
        try:
            output, _ = self._child.communicate(json.dumps(asked).encode(), timeout=left)
        except subprocess.TimeoutExpired as error:
            raise QueryTooHeavy from error
        try:
            answer = json.loads(output)
        except ValueError as error:
            log.warning("A question's process ended with %s.", _ending(self._child.returncode))
            raise QueryTooHeavy from error
        if not answer.pop("is_confined"):
            log.warning("This kernel has no Landlock: the process of a question could read and write files.")
        return _checked(answer)


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" not in answer:
        return answer
    kind, text = answer["error"]["kind"], answer["error"]["text"]
    if kind.startswith("rejected:"):
        raise QueryRejected(kind.removeprefix("rejected:"), text)
    if kind == "lake_changed":
        raise LakeChanged(in_copies=True)
    if kind == "too_heavy":
        raise QueryTooHeavy
    raise QueryFailed(_PATH.sub("…", text), _PATH.sub("…", answer["error"]["told"]))


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"

"""The process that reads the lake for one export (telemetry/export/child.py), from this end."""

import fcntl
import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.errors import AgnesError
from telemetry.errors import ExportFailed, LakeChanged
from telemetry.export.plan import Plan

log = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 20
HINT = "Start the export again; if it fails again, an operator finds the reason in the server's log."


class ExportProcess:
    """It starts at once, so that it is ready when the plan is. Close it, whatever happens."""

    def __init__(self) -> None:
        self.spill = Path(settings.SPOOL_DIR) / f"export-{secrets.token_hex(8)}"
        control, childs_end = os.pipe()
        try:
            # In a session of its own: Ctrl-C is for this process, which then ends that one.
            self._child = subprocess.Popen(
                [sys.executable, "-m", "telemetry.export.child", str(childs_end)],
                cwd=settings.BASE_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[childs_end],
                bufsize=0,
                start_new_session=True,
            )
        except BaseException:
            os.close(control)
            raise
        finally:
            os.close(childs_end)
        self._control = os.fdopen(control, "rb")
        self._enlarge_pipe()

    @property
    def pid(self) -> int:
        return self._child.pid

    def begin(self, plan: Plan) -> int:
        """How many rows there will be. Raises ExportFailed, LakeChanged."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(plan.to_json().encode() + b"\n")
        except BrokenPipeError:
            log.error("The process of an export did not start.")
        return int(self._hear("rows"))

    def read(self) -> bytes:
        """The next bytes; b"" after the last, once it is sure that they were all.

        Raises ExportFailed, LakeChanged.
        """
        assert self._child.stdout is not None
        chunk = os.read(self._child.stdout.fileno(), CHUNK_BYTES)
        if not chunk:
            self._hear("done")
        return chunk

    def close(self) -> None:
        """End it, and remove what it has left."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._control):
            assert pipe is not None
            pipe.close()
        shutil.rmtree(self.spill, ignore_errors=True)

    def _hear(self, word: str) -> Any:
        message = json.loads(self._control.readline() or b"{}")
        if word in message:
            return message[word]
        raise self._failure(message.get("error", {}))

    def _failure(self, error: dict[str, Any]) -> AgnesError:
        if error.get("code") == LakeChanged.code:
            changed = LakeChanged(in_copies=error["in_copies"])
            changed.__cause__ = OSError(error["reason"])
            return changed
        if "code" in error:
            return ExportFailed(error["message"], error["hint"], code=error["code"], status=error["status"])
        reason = error.get("reason") or f"it died, exit code {self._child.wait()}"
        log.error("The process of an export failed: %s", reason)
        return ExportFailed("The export failed: not all rows could be read or written.", HINT)

    def _enlarge_pipe(self) -> None:
        """Fewer turns between the two, where the system (Linux) allows it."""
        assert self._child.stdout is not None
        resize = getattr(fcntl, "F_SETPIPE_SZ", None)
        if resize is not None:
            try:
                fcntl.fcntl(self._child.stdout, resize, CHUNK_BYTES)
            except OSError:
                log.debug("The pipe of an export keeps its size.")

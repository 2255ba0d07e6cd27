"""The process that reads the lake for one export (telemetry/export/child.py), from this end."""

import fcntl
import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.errors import AgnesError
from telemetry.errors import ExportFailed, ExportTooWide, LakeChanged
from telemetry.export.plan import Plan
from telemetry.files.spool import EXPORT_PREFIX

log = logging.getLogger(__name__)

# Larger pieces leave holes in the memory of each thread that streams: a web process grew by 50 MB with 1 MiB.
CHUNK_BYTES = 1 << 18
PIPE_BYTES = 1 << 20
HINT = "Start the export again; if it fails again, an operator finds the reason in the server's log."


class ExportProcess:
    """It starts at once, so that it is ready when the plan is. Close it, whatever happens.

    Raises ExportFailed.
    """

    def __init__(self) -> None:
        self.spill = Path(settings.SPOOL_DIR) / f"{EXPORT_PREFIX}{secrets.token_hex(8)}"
        self._read_bytes = 0
        self._to_skip = 0
        self._start()

    def _start(self) -> None:
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
        except OSError as error:
            os.close(control)
            raise ExportFailed(f"The process of an export did not start: {error.strerror}.", HINT) from error
        finally:
            os.close(childs_end)
        self._control = os.fdopen(control, "rb")
        self._enlarge_pipe()

    def begin(self, plan: Plan) -> int:
        """How many rows there will be. Raises ExportFailed, LakeChanged."""
        self._plan = plan
        try:
            return self._count()
        except ExportTooWide:
            return self._begin_again()

    def read(self) -> bytes:
        """The next bytes; b"" after the last, once it is sure that they were all.

        Raises ExportFailed, LakeChanged.
        """
        while chunk := self._read():
            new = chunk[self._to_skip :]
            self._to_skip -= len(chunk) - len(new)
            if new:
                self._read_bytes += len(new)
                return new
        return b""

    def close(self) -> None:
        """End it, and remove what it has left."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._control):
            assert pipe is not None
            pipe.close()
        shutil.rmtree(self.spill, ignore_errors=True)

    def _count(self) -> int:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(self._plan.to_json().encode() + b"\n")
        except BrokenPipeError:
            log.error("The process of an export did not start.")
        return int(self._hear("rows"))

    def _read(self) -> bytes:
        assert self._child.stdout is not None
        while not (chunk := os.read(self._child.stdout.fileno(), CHUNK_BYTES)):
            try:
                self._hear("done")
                break
            except ExportTooWide:
                self._begin_again()
        return chunk

    def _begin_again(self) -> int:
        """With less memory, which takes longer. The same rows give the same bytes: those read are skipped.

        Raises ExportTooWide where it has no more than that already.
        """
        if self._plan.is_frugal:
            raise ExportTooWide
        log.info("An export of wide rows begins again with one thread.")
        self.close()
        self._to_skip = self._read_bytes
        self._start()
        return self.begin(replace(self._plan, is_frugal=True))

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
        if "out_of_memory" in error:
            log.warning("An export did not fit in memory: %s", error["out_of_memory"])
            return ExportTooWide()
        reason = error.get("reason") or f"it died, exit code {self._child.wait()}"
        log.error("The process of an export failed: %s", reason)
        return ExportFailed("The export failed: not all rows could be read or written.", HINT)

    def _enlarge_pipe(self) -> None:
        """Fewer turns between the two, where the system (Linux) allows it."""
        assert self._child.stdout is not None
        resize = getattr(fcntl, "F_SETPIPE_SZ", None)
        if resize is not None:
            try:
                fcntl.fcntl(self._child.stdout, resize, PIPE_BYTES)
            except OSError:
                log.debug("The pipe of an export keeps its size.")

"""Run a few child processes together: all of them until a signal comes, or until one ends by itself.

Every child gets a session of its own. Ctrl-C in a terminal reaches a whole process group, and a task queue
that gets the signal in its master and its workers at once hangs; here each child's first process gets one
SIGTERM.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

# No task runs longer than a minute, so this is patience enough; what is killed later is done again.
GRACE_SECONDS = 75.0
POLL_SECONDS = 0.1
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]

    def is_running(self) -> bool:
        return self.process.poll() is None

    def terminate(self) -> None:
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """The child and whatever it started; a process group outlives its first process."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait()


class Supervisor:
    def __init__(self, *, folder: Path, grace_seconds: float = GRACE_SECONDS) -> None:
        self.folder = folder
        self.grace_seconds = grace_seconds
        self.children: list[Child] = []
        self.stopping = False

    def run(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        is_ready: Callable[[], bool],
        on_ready: Callable[[], None],
    ) -> str:
        """Start the commands and watch them. Returns the name of a child that ended by itself, or ''.

        `on_ready` is called once, when `is_ready` first says so.
        """
        previous = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            for name, command in commands.items():
                self.children.append(self._start(name, command))
            return self._watch(is_ready, on_ready)
        finally:
            self._stop()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _start(self, name: str, command: Sequence[str]) -> Child:
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        return Child(name, process)

    def _watch(self, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> str:
        ready = False
        while not self.stopping:
            for child in self.children:
                if not child.is_running():
                    return child.name
            if not ready and is_ready():
                ready = True
                on_ready()
            time.sleep(POLL_SECONDS)
        return ""

    def _stop(self) -> None:
        for child in self.children:
            child.terminate()
        deadline = time.monotonic() + self.grace_seconds
        while time.monotonic() < deadline and any(child.is_running() for child in self.children):
            time.sleep(POLL_SECONDS)
        for child in self.children:
            child.kill()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True


def _end_with_parent() -> None:
    """On Linux a child gets SIGTERM when its parent is gone, kill -9 included, so nobody is orphaned."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

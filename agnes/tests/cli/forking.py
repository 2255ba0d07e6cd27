"""Runs of the command `agnes`, each in a process of its own, without the time that Python takes to begin.

A process that has imported the client forks for each run: own environment, folder, input and output, and an
exit code, as if it had been started anew. The suite starts hundreds.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[3]
LENGTH_BYTES = 4
FAULT = 70


class Commands:
    """It starts with the first run, and ends with this process."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def run(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], input: str, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
        ):
            stdin.write(input.encode())
            stdin.seek(0)
            wish = {"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}
            fds = [stdin.fileno(), stdout.fileno(), stderr.fileno()]
            code = self._ask(json.dumps(wish).encode(), fds, timeout)
            if code is None:
                raise subprocess.TimeoutExpired(["agnes", *arguments], timeout)
            told = []
            for file in (stdout, stderr):
                file.seek(0)
                told.append(file.read().decode())
        return subprocess.CompletedProcess(["agnes", *arguments], code, *told)

    def _ask(self, wish: bytes, fds: list[int], timeout: float) -> int | None:
        mine, theirs = socket.socketpair()
        with mine:
            with theirs:
                socket.send_fds(
                    self._server(), [len(wish).to_bytes(LENGTH_BYTES, "big")], [theirs.fileno(), *fds]
                )
            mine.sendall(wish)
            mine.settimeout(timeout)
            try:
                answer = mine.recv(16)
            except TimeoutError:
                return None
        return int(answer) if answer else None

    def _server(self) -> socket.socket:
        if self._socket is None:
            self._socket, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(theirs.fileno())],
                    cwd=ROOT,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                )
            atexit.register(self._end)
        return self._socket

    def _end(self) -> None:
        """It ends when nobody can ask it any more."""
        assert self._socket is not None
        self._socket.close()
        self._process.wait(10)


def serve(control: int) -> NoReturn:
    # What every command may need.
    import httpx  # noqa: F401

    import agnes.cli.main  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=control) as asked:
        while True:
            length, fds, _, _ = socket.recv_fds(asked, LENGTH_BYTES, 4)
            if not length:
                os._exit(0)
            if os.fork() == 0:
                asked.close()
                _answer(int.from_bytes(length, "big"), *fds)
            for each in fds:
                os.close(each)


def _answer(length: int, caller: int, *standard: int) -> NoReturn:
    """Between the server and the run, so that somebody waits for that."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=caller) as connection:
        wish = json.loads(connection.recv(length, socket.MSG_WAITALL))
        child = os.fork()
        if child == 0:
            connection.close()
            _run(wish, standard)
        _, status = os.waitpid(child, 0)
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(wish: dict[str, object], standard: Sequence[int]) -> NoReturn:
    code: object = FAULT
    try:
        for target, source in enumerate(standard):
            os.dup2(source, target)
            os.close(source)
        os.environ.clear()
        os.environ.update(wish["env"])  # type: ignore[call-overload]
        os.chdir(str(wish["cwd"]))
        sys.argv = ["agnes", *wish["arguments"]]  # type: ignore[misc]
        from agnes.cli.main import main

        main()
        code = 0
    except SystemExit as error:
        code = 0 if error.code is None else error.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    serve(int(sys.argv[1]))

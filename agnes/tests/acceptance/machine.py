"""An empty machine on which somebody follows the documents, line by line, in one shell.

What needs the outside world has stand-ins: `bin/` has systemd, users and pip; `proxy.py` is Caddy; a git
server and a model's API run in the test. Absolute paths lie below one folder. All else is real.
"""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from time import monotonic

from agnes.tests.server import ROOT, environment_without_agnes
from agnes.tests.test_docs import blocks_of

BIN = Path(__file__).parent / "bin"
FOLDERS = ("etc/systemd/system", "etc/caddy", "var/lib", "var/backups", "opt", "run", "home")
ABSOLUTE = ("/opt/agnes", "/var/lib/agnes", "/var/backups/agnes", "/etc/systemd", "/etc/caddy")
STEP_SECONDS = 180
END = "--- end of step"


@dataclass(frozen=True)
class Step:
    """A block of a page, as it was run."""

    page: str
    text: str
    output: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:6.1f} s  {self.page}: {self.text.splitlines()[0][:80]}"


@dataclass
class Shell:
    """One bash for all steps, so that variables and functions last. The first failure ends it."""

    environment: Mapping[str, str]
    folder: Path
    words: Mapping[str, str]
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            ["bash", "-eo", "pipefail", "-s"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def home(self) -> Path:
        return Path(self.environment["HOME"])

    @property
    def token(self) -> str:
        return self.environment["AGNES_TOKEN"]

    def follow(self, page: Path) -> None:
        """Every block of the page that is not marked."""
        for block in blocks_of(page):
            self.run(block.text, page=page.name)

    def run(self, text: str, *, page: str = "") -> str:
        """What it printed. Nothing that it runs reads from the shell's own input."""
        began = monotonic()
        assert self.process.stdin is not None
        self.process.stdin.write(f"{{\n{self._here(text)}\n}} < /dev/null\necho; echo '{END}'\n")
        self.process.stdin.flush()
        output = self._output(text)
        self.steps.append(Step(page, text, output, monotonic() - began))
        return output

    def end(self) -> None:
        """Also where a failure ended it already."""
        self.process.terminate()
        self.process.wait(30)

    def _here(self, text: str) -> str:
        for word, here in self.words.items():
            text = text.replace(word, here)
        return text

    def _output(self, text: str) -> str:
        lines: list[str] = []
        until = monotonic() + STEP_SECONDS
        while monotonic() < until:
            try:
                line = self.lines.get(timeout=0.5)
            except Empty:
                if self.process.poll() is None:
                    continue
                raise AssertionError(f"It failed:\n{text}\n{''.join(lines)}") from None
            if line == f"{END}\n":
                return "".join(lines).strip()
            lines.append(line)
        raise AssertionError(f"It did not end:\n{text}\n{''.join(lines)}")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)


class EmptyMachine:
    """`words` are what stands on the pages, and what it is here."""

    def __init__(self, folder: Path, *, port: int, words: Mapping[str, str], **variables: str) -> None:
        self.folder = folder
        for name in FOLDERS:
            (folder / name).mkdir(parents=True)
        self.words = {
            **words,
            "https://git.example.com/agnes.git": f"file://{_copy_of_the_checkout(folder / 'agnes.git')}",
            "http://127.0.0.1:8000": f"http://127.0.0.1:{port}",
            **{path: f"{folder}{path}" for path in ABSOLUTE},
        }
        self.variables = {
            **environment_without_agnes(),
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "MACHINE": str(folder),
            "SOURCE": str(ROOT),
            "PYTHON": sys.executable,
            "ENVIRONMENT": str(Path(sys.executable).parent.parent),
            "AGNES_BIND": f"127.0.0.1:{port}",
            "AGNES_DATA_DIR": f"{folder}/var/lib/agnes",
            "AGNES_PATIENCE": "10",
            **variables,
        }
        self.port = port

    def shell(self, home: str, **variables: str) -> Shell:
        """Of the operator, or of somebody else with a home and a machine of their own."""
        folder = self.folder / "home" / home
        folder.mkdir(parents=True, exist_ok=True)
        environment = {**self.variables, "HOME": str(folder), "AGNES_HOME": f"{folder}/agnes", **variables}
        return Shell(environment, folder, self.words)

    def end(self) -> None:
        """End the services, by their ids."""
        for unit in ("agnes-web", "agnes-worker"):
            if (self.folder / "run" / f"{unit}.pid").exists():
                subprocess.run([BIN / "systemctl", "stop", unit], env=self.variables, check=True, timeout=120)


def _copy_of_the_checkout(target: Path) -> Path:
    """As a repository of one commit: what is not committed yet is tested, too."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "-m", "x"]):
        subprocess.run(["git", *arguments], cwd=target, check=True, stdin=subprocess.DEVNULL)
    return target

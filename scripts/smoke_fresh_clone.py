"""A newcomer's first ten minutes: clone, `make run`, sign in with the printed password, look, Ctrl-C.

Runs the checkout's last commit in a temporary folder, with an environment, data and a port of its own:

    python -m scripts.smoke_fresh_clone
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from agnes.tests.server import ROOT, Server, descendants, environment_without_agnes, is_alive

INSTALL_SECONDS = 600
FIRST_START_SECONDS = 60
LATER_START_SECONDS = 20
PAGES_WITH_THE_DEMO = (
    "/admin/accounts/user/",
    "/admin/telemetry/sessiontranscript/",
    "/admin/telemetry/usageevent/",
    "/admin/telemetry/usagesessionsummary/",
)


def main() -> None:
    environment = environment_without_agnes()
    with tempfile.TemporaryDirectory(prefix="agnes-fresh-") as folder:
        clone = Path(folder, "agnes")
        run(["git", "clone", "--quiet", str(ROOT), str(clone)], ROOT, environment)
        run(["make", "install"], clone, environment)
        server = Server(environment, command=("make", "run"), folder=clone)
        password = visit(server, None, seconds=FIRST_START_SECONDS)
        visit(server, password, seconds=LATER_START_SECONDS)
    print("A fresh clone works.")


def visit(server: Server, password: str | None, *, seconds: float) -> str:
    """Start, look around, stop. Without a password, one must be printed; with one, none may be."""
    began = monotonic()
    server.start(seconds=seconds)
    print(f"make run: ready after {monotonic() - began:.1f} s\n{server.output}", flush=True)
    try:
        printed = server.password()
        require(
            bool(printed) != bool(password), "a password must be printed on the first start, and only then"
        )
        password = password or printed or ""
        look_around(server, password)
        processes = descendants(server.process.pid)
    finally:
        server.stop()
    print(server.output[-400:])
    require("Stopped." in server.output, "it did not say that it stopped")
    require(not any(is_alive(process) for process in processes), "a process outlived Ctrl-C")
    return password


def look_around(server: Server, password: str) -> None:
    """Find the demo: its people, and usage that was extracted from their transcripts."""
    with server.signed_in(server.email(), password) as client:
        for path in PAGES_WITH_THE_DEMO:
            response = client.get(path)
            require(response.status_code == 200, f"{path} answered {response.status_code}")
            require("@demo.example" in response.text, f"{path} shows nothing of the demo")


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    began = monotonic()
    subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=True, timeout=INSTALL_SECONDS
    )
    print(f"{' '.join(command[:2])}: {monotonic() - began:.1f} s", flush=True)


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(f"Fresh clone: {otherwise}.")


if __name__ == "__main__":
    main()

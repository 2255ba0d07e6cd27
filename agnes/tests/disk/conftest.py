"""A disk of its own for a real server: a file system in memory that is small, and can be made read-only."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agnes.tests.server import Server, environment_without_agnes

PASSWORD = "correct horse battery staple"
ADMIN = "alice@example.com"


@dataclass(frozen=True)
class Disk:
    folder: Path

    @property
    def filler(self) -> Path:
        return self.folder / "filler"

    def fill(self) -> None:
        """To the last byte."""
        for size in (1 << 16, 512):
            with self.filler.open("ab", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    def make_room(self) -> None:
        self.filler.unlink()

    def remount(self, how: str) -> None:
        """`ro` or `rw`. Nobody may have a file open to write."""
        mount("-o", f"remount,{how}", str(self.folder))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mount("-t", "tmpfs", "-o", "size=32m,mode=700", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"file systems cannot be mounted here, which takes root and Linux: {error}")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def server(disk: Disk) -> Server:
    """The whole of Agnes on that disk, not yet started."""
    return Server(
        environment_without_agnes()
        | {
            "AGNES_DATA_DIR": str(disk.folder),
            "AGNES_MIN_FREE_BYTES": "1000000",
            "SEED_ADMIN_EMAIL": ADMIN,
            "SEED_ADMIN_PASSWORD": PASSWORD,
        }
    )


@pytest.fixture
def manage(server: Server) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """`manage("doctor")` is a command of that installation, done."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [*server.command[:2], *arguments]
        return subprocess.run(
            command, cwd=server.folder, env=server.environment, capture_output=True, text=True, timeout=120
        )

    return run


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)

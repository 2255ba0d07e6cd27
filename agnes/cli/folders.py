"""Where the client keeps what, and files that only their owner may read.

AGNES_HOME puts everything into one folder; else each kind lies where the system has it.
"""

import os
import secrets
from pathlib import Path

from agnes.cli.errors import LocalTrouble

NAME = "agnes"
HOME = "AGNES_HOME"


def config_folder() -> Path:
    """Server, account, token."""
    return _folder("config")


def state_folder() -> Path:
    """What was pushed, what is private, the log."""
    return _folder("state")


def data_folder() -> Path:
    """Data sets that were pulled."""
    return _folder("data")


def make_folder(path: Path) -> Path:
    """Raises LocalTrouble."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def write_private(path: Path, text: str) -> None:
    """The whole file or the one of before, readable by its owner only. Raises LocalTrouble."""
    make_folder(path.parent)
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        try:
            write_new(made, text)
            os.replace(made, path)
        finally:
            made.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def write_new(path: Path, text: str, mode: int = 0o600) -> None:
    """Where nothing is yet, and no link to anywhere else. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_text(path: Path) -> str | None:
    """None where there is no such file. Raises LocalTrouble."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise LocalTrouble(f"{path} cannot be read: {error}.", "Mend or remove the file.") from error


def unwritable(path: Path, error: OSError) -> LocalTrouble:
    reason = error.strerror or str(error)
    return LocalTrouble(f"{path} cannot be written: {reason}.", "Make room, or give yourself the right to.")


def _folder(kind: str) -> Path:
    if home := os.environ.get(HOME):
        return Path(home).expanduser()
    # Not for each command: it takes a while to import.
    import platformdirs

    find = {
        "config": platformdirs.user_config_path,
        "state": platformdirs.user_state_path,
        "data": platformdirs.user_data_path,
    }[kind]
    return find(NAME, appauthor=False)

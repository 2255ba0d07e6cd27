"""Secrets that were made once and are kept in the data folder, readable by their owner only."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def why_unusable(folder: Path) -> str:
    """Why this process may not keep files in the folder; '' if it may.

    It is made if it is missing, and closed to others while it is empty and ours.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        return "it is no folder"
    except OSError as error:
        return error.strerror or str(error)
    if not os.access(folder, os.W_OK | os.X_OK):
        return "it is not writable"
    _close_while_empty(folder)
    return ""


def _close_while_empty(folder: Path) -> None:
    """One that was made beforehand, with the mode that mkdir gives it."""
    now = folder.stat()
    if now.st_uid == os.getuid() and now.st_mode & 0o077 and not any(folder.iterdir()):
        folder.chmod(0o700)


def read_or_make(path: Path) -> str:
    """Raises OSError, and ValueError for an empty file."""
    if not path.exists():
        _make(path)
    value = path.read_text().strip()
    if not value:
        raise ValueError("it is empty")
    return value


def replace(path: Path, value: str) -> None:
    """Whoever reads it sees the old one or the new one."""
    made = _beside(path)
    try:
        _write_durably(made, value)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def remove_leftovers(path: Path) -> None:
    """What was killed in `replace` left beside it. To be called while nobody else replaces it."""
    for left in path.parent.glob(f"{path.name}.{'[0-9a-f]' * 16}"):
        left.unlink(missing_ok=True)


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = _beside(path)
    try:
        _write_durably(made, secrets.token_urlsafe(48))
        # A link appears whole or not at all, and never replaces what another process made first.
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        made.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}")


def _write_durably(path: Path, text: str) -> None:
    """After a power cut, an empty secret would keep the server from starting."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())

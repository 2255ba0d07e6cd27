"""Which commits a person was shown a moment ago: a fetch takes several requests, and must end with the view
that it began with, though the stack has changed meanwhile.

Kept as empty files beside the repositories, where all processes of this machine see them.
"""

import shutil
import time
from pathlib import Path

from accounts.models import User
from marketplace.serving.repositories import served_folder

# A client asks for what it was shown at once.
SECONDS = 600


def note(user: User, commit: str, key: str) -> None:
    folder = _folder(user)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / f"{commit}.{key}").touch()


def key_of(user: User, commit: str) -> str | None:
    """The view in which this commit was shown."""
    since = time.time() - SECONDS
    for path in _folder(user).glob(f"{commit}.*"):
        if _touched(path) > since:
            return path.suffix.removeprefix(".")
    return None


def forget_person(user_id: int) -> None:
    shutil.rmtree(_shown_folder() / str(user_id), ignore_errors=True)


def forget(now: float | None = None) -> None:
    """What is over."""
    before = (now or time.time()) - SECONDS
    for path in _shown_folder().glob("*/*"):
        if _touched(path) < before:
            path.unlink(missing_ok=True)


def _shown_folder() -> Path:
    return served_folder() / "shown"


def _folder(user: User) -> Path:
    return _shown_folder() / str(user.pk)


def _touched(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0

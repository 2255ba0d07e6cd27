"""Who may ask now: a person one question at a time, all of Agnes a few.

Locks of files on this machine, and on PostgreSQL of its connection, for machines that share it: whatever
ends the process lets go of both.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path

from django.conf import settings
from django.db import connection

from telemetry.ask.errors import AskBusy
from telemetry.database.bulk import fetch

AT_ONCE = 2


@contextmanager
def turn_of(user_id: int | None) -> Iterator[None]:
    """None stands for who runs the server. Raises AskBusy."""
    with ExitStack() as held:
        if not _take(held, [f"person-{user_id}"]):
            raise AskBusy("A question of yours is being answered.", "Wait for its answer.")
        if not _take(held, [f"server-{number}" for number in range(AT_ONCE)]):
            raise AskBusy(
                f"{AT_ONCE} questions are being answered, as many as Agnes takes at once.",
                "Ask again in a few seconds.",
            )
        yield


def _take(held: ExitStack, names: list[str]) -> bool:
    """Whether one of these turns was free."""
    for name in names:
        with ExitStack() as both:
            if _lock_file(both, name) and _lock_in_database(both, name):
                held.enter_context(both.pop_all())
                return True
    return False


def _lock_file(held: ExitStack, name: str) -> bool:
    folder = Path(settings.SPOOL_DIR) / "ask"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    held.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_in_database(held: ExitStack, name: str) -> bool:
    """It is the connection's; for SQLite, which serves one machine, the files are enough."""
    if connection.vendor != "postgresql":
        return True
    number = _number(name)
    [(is_taken,)] = fetch("SELECT pg_try_advisory_lock(%s)", (number,))
    if is_taken:
        held.callback(fetch, "SELECT pg_advisory_unlock(%s)", (number,))
    return bool(is_taken)


def _number(name: str) -> int:
    """As the database names its locks: 64 bits."""
    return int.from_bytes(blake2b(f"ask {name}".encode(), digest_size=8).digest(), signed=True)

"""Who may ask now: a person one question at a time, the server a few.

Locks of files: whatever ends the process lets go of them.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings

from telemetry.ask.errors import AskBusy

AT_ONCE = 2


@contextmanager
def turn_of(user_id: int | None) -> Iterator[None]:
    """None stands for who runs the server. Raises AskBusy."""
    with ExitStack() as held:
        if not _take(held, [f"person-{user_id}"]):
            raise AskBusy("A question of yours is being answered.", "Wait for its answer.")
        if not _take(held, [f"server-{number}" for number in range(AT_ONCE)]):
            raise AskBusy(
                f"{AT_ONCE} questions are being answered, as many as the server takes at once.",
                "Ask again in a few seconds.",
            )
        yield


def _take(held: ExitStack, names: list[str]) -> bool:
    """Whether one of these locks was free."""
    folder = Path(settings.SPOOL_DIR) / "ask"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in names:
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        held.callback(os.close, descriptor)
        return True
    return False

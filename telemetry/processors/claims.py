"""One worker a person at a time: a claim that expires unless it is renewed."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from django.conf import settings

from telemetry.bulk import db_now, execute
from telemetry.errors import ClaimLost

_TAKE = """
INSERT INTO session_processor_claims AS claim (processor_name, user_id, holder, expires_at)
VALUES (%s, %s, %s, %s)
ON CONFLICT (processor_name, user_id) DO UPDATE SET
    holder = excluded.holder, expires_at = excluded.expires_at
WHERE claim.expires_at <= %s
"""
_RENEW = """
UPDATE session_processor_claims SET expires_at = %s
WHERE processor_name = %s AND user_id = %s AND holder = %s
"""
_RELEASE = "DELETE FROM session_processor_claims WHERE processor_name = %s AND user_id = %s AND holder = %s"


class Claim:
    """The right to process one person's transcripts with one processor."""

    def __init__(self, processor_name: str, user_id: int) -> None:
        self.processor_name = processor_name
        self.user_id = user_id
        self.holder = f"{socket.gethostname()[:24]}:{os.getpid()}:{secrets.token_hex(6)}"
        self._renewed = monotonic()

    def take(self) -> bool:
        """False where another worker has it."""
        values = (self.processor_name, self.user_id, self.holder, self._expiry(), db_now())
        return execute(_TAKE, values) == 1

    def renew(self) -> None:
        """Raises ClaimLost where it expired and another worker took it."""
        self._renewed = monotonic()
        if not execute(_RENEW, (self._expiry(), self.processor_name, self.user_id, self.holder)):
            raise ClaimLost("Another worker took over: this worker was slower than its claim lasts.")

    def keep_alive(self) -> None:
        """Renew when a third of the time has passed; cheap to call often."""
        if monotonic() - self._renewed > settings.PROCESSOR_CLAIM_SECONDS / 3:
            self.renew()

    def release(self) -> None:
        execute(_RELEASE, (self.processor_name, self.user_id, self.holder))

    def _expiry(self) -> str:
        return db_now(timedelta(seconds=settings.PROCESSOR_CLAIM_SECONDS))


@contextmanager
def claimed(processor_name: str, user_id: int) -> Iterator[Claim | None]:
    """The claim on a person, or None where another worker has it."""
    claim = Claim(processor_name, user_id)
    if not claim.take():
        yield None
        return
    try:
        yield claim
    finally:
        claim.release()

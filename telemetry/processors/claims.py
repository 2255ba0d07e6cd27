"""One worker a person at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from telemetry.leases import Lease, held
from telemetry.processors.registry import PROCESSORS


class Claim(Lease):
    """The right to process one person's transcripts with one processor."""

    def __init__(self, processor_name: str, user_id: int) -> None:
        super().__init__("session_processor_claims", {"processor_name": processor_name, "user_id": user_id})


def take_person_from_workers(user_id: int) -> None:
    """Call it in the transaction that removes or changes a person's transcripts: whoever works on them has
    committed before, or commits nothing more and begins anew afterwards."""
    # In one order, so that two of these never wait for each other.
    for processor_name in sorted(PROCESSORS):
        claim = Claim(processor_name, user_id)
        claim.seize()
        claim.release()


@contextmanager
def claimed(processor_name: str, user_id: int) -> Iterator[Claim | None]:
    """The claim on a person, or None where another worker has it."""
    claim = Claim(processor_name, user_id)
    with held(claim) as ours:
        yield claim if ours else None

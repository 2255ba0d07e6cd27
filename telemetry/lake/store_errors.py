"""What the libraries of the lake raise, as our own errors. Knows no Django."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from telemetry.errors import ClaimLost, LakeChanged, LakeUnavailable

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# How a trace of the library begins, or the statement that failed, which some errors bring with them.
_TRACE = re.compile(r"\n\s*(0: |LINE \d+:).*", re.DOTALL)
_REASON_LENGTH = 300


@contextmanager
def reading_the_store() -> Iterator[None]:
    """For readers. Raises LakeChanged where something is gone, LakeUnavailable where there is no answer."""
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, FileNotFoundError) as error:
        raise LakeChanged from error
    except OSError as error:
        raise LakeUnavailable(reason_of(error)) from error


@contextmanager
def writing_to_the_store() -> Iterator[None]:
    """For the publisher. Raises ClaimLost where another one wrote, LakeUnavailable for any other error."""
    from deltalake.exceptions import CommitFailedError, DeltaError

    try:
        yield
    except CommitFailedError as error:
        raise ClaimLost("Another publisher wrote to the lake.") from error
    except (DeltaError, OSError) as error:
        raise LakeUnavailable(reason_of(error)) from error


def reason_of(error: BaseException) -> str:
    """What the store's library says, on one line."""
    plain = " ".join(_TRACE.sub("", _COLOURS.sub("", str(error))).replace("↳", "").split())
    return plain[:_REASON_LENGTH]

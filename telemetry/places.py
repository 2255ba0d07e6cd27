"""How many long answers are under way at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings

from telemetry.errors import ExportsBusy

# Each of these answers holds a thread of the web server for as long as its client reads.
_places = BoundedSemaphore(settings.EXPORTS_AT_ONCE)


@contextmanager
def place() -> Iterator[None]:
    """One of the few places for long answers. Raises ExportsBusy."""
    places = _places
    if not places.acquire(blocking=False):
        raise ExportsBusy(settings.EXPORTS_AT_ONCE)
    try:
        yield
    finally:
        places.release()

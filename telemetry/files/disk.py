"""The disk on which the data folder lies, on this machine."""

import logging
import os
import shutil
from dataclasses import dataclass

from django.conf import settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Disk:
    """`free` bytes; None where the data folder is missing."""

    free: int | None
    is_writable: bool

    @property
    def is_low(self) -> bool:
        return self.free is not None and self.free < settings.MIN_FREE_BYTES


def look() -> Disk:
    folder = settings.DATA_DIR
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        log.warning("The data folder cannot be looked at: %s", error)
        return Disk(None, is_writable=False)
    return Disk(free, os.access(folder, os.W_OK | os.X_OK))

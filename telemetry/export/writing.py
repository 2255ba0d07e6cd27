"""An export into a file or a pipe."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from telemetry.export.exporting import Export
from telemetry.files.storage import sync

# Told how many bytes were written by then.
OnProgress = Callable[[int], None]


def copy(export: Export, descriptor: int, on_progress: OnProgress) -> None:
    """Raises ExportFailed, LakeChanged, OSError."""
    for chunk in export:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        on_progress(export.bytes)


@contextmanager
def whole_file(path: Path) -> Iterator[int]:
    """A descriptor to write to. The file is there once the block ends, with everything, or as it was before.

    Raises OSError.
    """
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        try:
            yield descriptor
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync(target.parent)

"""The spool folder of this machine."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from accounts.diagnosis import Finding, some_of
from telemetry.charts import counted
from telemetry.files import spool
from telemetry.models import SessionTranscript
from telemetry.viewing.index_files import SUFFIX

INDEX = re.compile(rf"{spool.INDEX_PREFIX}(?P<transcript>\d+)-\d+-v\d+{re.escape(SUFFIX)}", re.ASCII)


def examine(min_age: timedelta) -> Iterator[Finding]:
    leftovers = spool.leftovers(min_age)
    if leftovers:
        size = filesizeformat(sum(spool.size_of(path) for path in leftovers))
        yield Finding(
            f"{counted(len(leftovers), 'leftover')} in the spool folder ({size}): {_names(leftovers)}.",
            "What was killed left them, and no task worker tidied up here: remove them with --fix.",
            lambda: _remove(leftovers, "leftover"),
        )
    indexes = [path for path in _indexes_without_transcript() if path not in leftovers]
    if indexes:
        yield Finding(
            f"{counted(len(indexes), 'index', 'indexes')} of transcripts that are gone: {_names(indexes)}.",
            "They were deleted past Agnes, such as in SQL: remove their indexes with --fix.",
            lambda: _remove(indexes, "index", "indexes"),
        )


def _indexes_without_transcript() -> list[Path]:
    found = {
        path: int(match["transcript"])
        for path in sorted(Path(settings.SPOOL_DIR).glob(f"{spool.INDEX_PREFIX}*"))
        if (match := INDEX.fullmatch(path.name))
    }
    there = SessionTranscript.objects.in_bulk(set(found.values()))
    return [path for path, transcript_id in found.items() if transcript_id not in there]


def _remove(paths: list[Path], one: str, many: str = "") -> str:
    for path in paths:
        spool.remove(path)
    return f"Removed {counted(len(paths), one, many)}."


def _names(paths: list[Path]) -> str:
    return some_of([path.name for path in paths])

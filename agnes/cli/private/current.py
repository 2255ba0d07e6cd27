"""The filter of all private sessions as they are at each moment: one may be marked while a push goes on."""

from collections import defaultdict

from agnes.cli import transcripts
from agnes.cli.private import records
from agnes.cli.private.copies import CopyFilter
from agnes.cli.private.marks import Marked, marks
from agnes.cli.transcripts import Transcript


class CurrentCopies:
    def __init__(self) -> None:
        self._known: Marked | None = None
        self._filter = CopyFilter((), ())

    def filter(self) -> CopyFilter:
        """Made anew where a session was marked, or taken back, since the last time. Raises LocalTrouble."""
        now = Marked()
        if now != self._known:
            self._filter = _filter()
            self._known = now
        return self._filter


def _filter() -> CopyFilter:
    """With the records that the sessions have by now."""
    private = marks()
    if not private:
        return CopyFilter((), ())
    files: dict[str, list[Transcript]] = defaultdict(list)
    for transcript in transcripts.find():
        files[transcript.session].append(transcript)
    noted = [records.note_records(mark, files[mark.session]) for mark in private]
    return CopyFilter([mark.session for mark in noted], [record for mark in noted for record in mark.records])

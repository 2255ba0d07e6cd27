"""Which transcripts are new, or have grown since they were sent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from agnes.cli import claude, transcripts
from agnes.cli.private import marks
from agnes.cli.push.ledger import Entry, Ledger, State
from agnes.cli.transcripts import Origin, Transcript, is_within, origin_of


@dataclass
class Waiting:
    """`private` counts the transcripts that stay here, `known` those that are as they were sent, `refused`
    those that the server does not take as they are."""

    transcripts: list[Transcript]
    private: int = 0
    known: int = 0
    refused: int = 0


class Finder:
    """What is waiting for one account, as its ledger has it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._entries = ledger.entries()
        self._origins: dict[str, Origin] | None = None
        self._new_origins: dict[str, Origin] = {}
        self._marked = marks.Marked()

    def find(self, workspace: str | None, *, more: Iterable[Transcript] = (), again: bool = False) -> Waiting:
        """Those of a workspace or, for None, of all; and `more`, wherever they are. Oldest first, since these
        are the first that Claude Code removes. `again`: also those that were refused."""
        found = {it.path: it for it in more}
        waiting = Waiting([])
        for each in self._all(workspace, found):
            self._sort_in(each, waiting, again)
        if self._new_origins:
            self._ledger.write_origins(self._new_origins)
            self._new_origins = {}
        waiting.transcripts.sort(key=lambda it: it.mtime_ns)
        return waiting

    def entry(self, path: str) -> Entry | None:
        return self._entries.get(path)

    def _all(self, workspace: str | None, more: dict[str, Transcript]) -> Iterator[Transcript]:
        yield from more.values()
        for each in transcripts.find(workspace=workspace):
            if each.path not in more and (workspace is None or self._is_in(each, workspace)):
                yield each

    def _sort_in(self, transcript: Transcript, waiting: Waiting, again: bool) -> None:
        entry = self._entries.get(transcript.path)
        is_known = entry is not None and entry.is_of(transcript)
        if not transcript.session:
            transcript = replace(transcript, session=self._origin(transcript).session)
        if transcript.session in self._marked:
            waiting.private += 1
        elif not is_known or (again and entry is not None and entry.state == State.REFUSED):
            waiting.transcripts.append(transcript)
        elif entry is not None and entry.state == State.REFUSED:
            waiting.refused += 1
        else:
            waiting.known += 1

    def _is_in(self, transcript: Transcript, workspace: str) -> bool:
        """Folders of different names may share a project's folder, so the transcript itself is asked."""
        folder = self._origin(transcript).folder
        if not folder:
            names = {claude.project_name(it) for it in transcripts.spellings(workspace)}
            return transcript.project in names
        return is_within(folder, workspace)

    def _origin(self, transcript: Transcript) -> Origin:
        """Kept, since the first lines of a file never change; only what tells something is."""
        if self._origins is None:
            self._origins = self._ledger.origins()
        known = self._origins.get(transcript.path)
        if known is None:
            try:
                known = origin_of(transcript.path)
            except OSError:
                return Origin("", "")
            self._origins[transcript.path] = known
            if known.session and known.folder:
                self._new_origins[transcript.path] = known
        return known

"""What is shown of sessions, in few queries however many there are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum

from telemetry.models import SessionTranscript, UsageSessionSummary
from telemetry.processors.progress import Progress, progress_of
from telemetry.processors.usage import NAME
from telemetry.sessions.finding import SessionKey


@dataclass(frozen=True)
class TranscriptRow:
    """A transcript with its summary, which is None until it is processed, and the size of its live parts."""

    transcript: SessionTranscript
    summary: UsageSessionSummary | None
    raw_bytes: int
    parts: int

    @property
    def tokens(self) -> int:
        """Of all four kinds."""
        it = self.summary
        if it is None:
            return 0
        return it.input_tokens + it.output_tokens + it.cache_read_tokens + it.cache_creation_tokens

    @property
    def seconds(self) -> Decimal | None:
        """From the first record to the last."""
        return self.summary.wall_seconds if self.summary else None


@dataclass(frozen=True)
class SessionRow(TranscriptRow):
    usage: Progress
    subagents: list[TranscriptRow] = field(default_factory=list)


def session_rows(sessions: Sequence[SessionKey], *, subagents: int | None = None) -> list[SessionRow]:
    """Of these, in their order, with so many subagents at most, of all together. At most four queries."""
    transcripts = _transcripts_of(sessions, None if subagents is None else len(sessions) + subagents)
    summaries = UsageSessionSummary.objects.filter(
        session_file__in=[it.session_file for some in transcripts.values() for it in some]
    )
    by_file = {it.session_file: it for it in summaries}
    rows = {key: [_row(it, by_file.get(it.session_file)) for it in some] for key, some in transcripts.items()}
    progress = progress_of([some[0] for some in transcripts.values()])
    # One may have been deleted a moment ago.
    return [_session_row(rows[key], progress) for key in sessions if key in rows]


def _row(transcript: Any, summary: UsageSessionSummary | None) -> TranscriptRow:
    return TranscriptRow(transcript, summary, transcript.live_bytes or 0, transcript.live_parts)


def _session_row(rows: list[TranscriptRow], progress: dict[str, list[Progress]]) -> SessionRow:
    main, *subagents = rows
    of_main = progress[main.transcript.session_file]
    usage = next(it for it in of_main if it.processor_name == NAME)
    return SessionRow(main.transcript, main.summary, main.raw_bytes, main.parts, usage, subagents)


def _transcripts_of(sessions: Sequence[SessionKey], most: int | None) -> dict[SessionKey, list[Any]]:
    """The main transcript of each, then those of its subagents in the order in which they began."""
    live = Q(parts__superseded=False)
    theirs = SessionTranscript.objects.filter(
        owner_id__in={it.user_id for it in sessions}, session_id__in={it.session_id for it in sessions}
    )
    # Main ones come first.
    found = (
        SessionTranscript.objects.filter(pk__in=theirs.order_by("agent_id", "pk").values("pk")[:most])
        .select_related("owner")
        .annotate(live_bytes=Sum("parts__raw_bytes", filter=live), live_parts=Count("parts", filter=live))
    )
    transcripts: dict[SessionKey, list[Any]] = defaultdict(list)
    for it in sorted(found, key=lambda it: (it.agent_id != "", it.listed_at, it.pk)):
        transcripts[SessionKey(it.owner_id, it.session_id)].append(it)
    return {
        key: transcripts[key] for key in sessions if key in transcripts and not transcripts[key][0].agent_id
    }

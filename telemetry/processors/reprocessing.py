"""Process transcripts again that were done, or given up, before."""

from django.db import transaction

from accounts import audit
from accounts.models import User
from telemetry.models import SessionProcessorState, SessionTranscript
from telemetry.models.transcripts import SessionTranscriptQuerySet
from telemetry.processors import wakeup


@transaction.atomic
def process_again(transcripts: SessionTranscriptQuerySet, *, by: User | None) -> int:
    """Make these transcripts pending again for every processor, with all their attempts, and ask for a run.

    Nothing that was extracted is removed: each transcript's rows are replaced once it is processed. Those
    whose files are not kept stay as they are. Returns how many transcripts there are.
    """
    transcripts = transcripts.readable()
    session_files = transcripts.order_by().values("session_file")
    target = _the_only_one(transcripts)
    count = transcripts.unsettle()
    SessionProcessorState.objects.filter(session_file__in=session_files).update(
        revision=0, attempts=0, processed_at=None, last_error=None
    )
    audit.record("usage.reprocess", target=target, actor=by, params={"transcripts": count})
    if count:
        wakeup.request_runs()
    return count


def _the_only_one(transcripts: SessionTranscriptQuerySet) -> str:
    """What the audit row names: the transcript, where there is just one."""
    some = list(transcripts.order_by().values_list("pk", flat=True)[:2])
    return SessionTranscript(pk=some[0]).audit_target if len(some) == 1 else ""

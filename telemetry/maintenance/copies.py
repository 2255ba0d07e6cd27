"""Copies of withheld records in other transcripts of the same person: forks, resumed sessions.

Their rows go at once, and the transcripts are extracted anew, which counts no copies.
"""

from telemetry.dirty_days import distinct_days, mark_dirty
from telemetry.maintenance.removing import remove_extracted
from telemetry.models import SessionTranscript, UsageEvent, UsageMessage
from telemetry.processors.library import load_transcripts
from telemetry.transcripts.fingerprints import Fingerprint, message_hash, record_hash


def remove_copies_from_rows(user_id: int, withheld: Fingerprint) -> int:
    """Call it in the transaction that withholds, with the person taken from the workers. Returns how many
    transcripts held copies."""
    hashes = frozenset(withheld.hashes)
    sharers = _sharers(user_id, hashes) if hashes else {}
    transcripts = SessionTranscript.objects.filter(pk__in=sharers)
    again = list(transcripts.readable().values_list("session_file", flat=True))
    remove_extracted(again, purge=True)
    transcripts.readable().unsettle()
    for session_file in transcripts.exclude(content_removed_at=None).values_list("session_file", flat=True):
        _remove_rows_of(session_file, hashes)
    return len(sharers)


def _sharers(user_id: int, hashes: frozenset[int]) -> dict[int, str]:
    known = load_transcripts(user_id).values()
    shared = (it for it in known if not hashes.isdisjoint(it.fingerprint.hashes))
    return {it.transcript_id: it.session_file for it in shared}


def _remove_rows_of(session_file: str, hashes: frozenset[int]) -> None:
    """Of a transcript that cannot be read again, those rows that tell of which record they are."""
    events = UsageEvent.objects.filter(session_file=session_file)
    messages = UsageMessage.objects.filter(session_file=session_file)
    event_ids = [
        pk for pk, uuid in events.values_list("pk", "event_uuid").iterator() if record_hash(uuid) in hashes
    ]
    message_ids = [
        pk for pk, key in messages.values_list("pk", "message_id").iterator() if message_hash(key) in hashes
    ]
    for start in range(0, max(len(event_ids), len(message_ids)), 1000):
        some_events = events.filter(pk__in=event_ids[start : start + 1000])
        some_messages = messages.filter(pk__in=message_ids[start : start + 1000])
        mark_dirty(
            distinct_days(some_events, "occurred_at") | distinct_days(some_messages, "occurred_at"),
            purge=True,
        )
        some_events.delete()
        some_messages.delete()

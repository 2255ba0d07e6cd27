"""What the search box finds: a person by e-mail address, or transcripts by session."""

from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Q

from accounts.models import User
from telemetry.models import SessionTranscript

HELP = "A whole e-mail address or session id, or the beginning of a session file (u7_…)."
# A short beginning fits many: so many transcripts at most are found by it.
LIMIT = 200


@dataclass(frozen=True)
class Found:
    user_id: int | None = None
    transcripts: dict[int, str] = field(default_factory=dict)


def find(term: str) -> Found:
    """The person, or else the session files by the ids of their transcripts."""
    if "@" in term:
        return Found(User.objects.filter(email=term.lower()).values_list("pk", flat=True).first())
    return Found(transcripts=_rows(Q(session_id=term)) or _rows(_begins_with(term)))


def _rows(condition: Q) -> dict[int, str]:
    return dict(
        SessionTranscript.objects.filter(condition).order_by().values_list("pk", "session_file")[:LIMIT]
    )


def _begins_with(prefix: str) -> Q:
    """As each database can use its index. A session file has nothing after `~`."""
    if connection.vendor == "sqlite":
        return Q(session_file__gte=prefix, session_file__lt=f"{prefix}~")
    return Q(session_file__startswith=prefix)

"""The pages that are looked at in a real browser, over the demo world: add yours here.

A page stands for its kind: one list, one form and so on are enough of what Django's admin makes.
"""

from django.db.models import QuerySet

from accounts.models import User
from agnes.tests.routes import CONNECTION
from marketplace.models import Plugin, StoreEntity
from telemetry.models import SessionTranscript, UsageSessionSummary


def pages() -> list[str]:
    """Their addresses; read from the database, which holds the demo."""
    person = User.objects.filter(transcripts__isnull=False).order_by("pk")[:1].get()
    # With subagents below it.
    session = SessionTranscript.objects.filter(session_id__in=with_subagents(), agent_id="").latest("pk")
    plugin = Plugin.objects.order_by("pk")[:1].get()
    published, held = (StoreEntity.objects.filter(state=it)[0] for it in ("published", "held"))
    return [
        "/admin/",
        "/admin/activity/?action=demo.create",
        "/admin/activity/?action=nothing",
        "/admin/login/",
        "/admin/telemetry/usageevent/",
        "/admin/telemetry/usageevent/ask/",
        "/admin/telemetry/usageevent/export/",
        "/admin/telemetry/session/",
        "/admin/telemetry/session/?errors=on&model=nothing",
        f"/admin/telemetry/sessiontranscript/{session.session_file}/read/",
        f"/admin/telemetry/sessiontranscript/{SessionTranscript.objects.latest('pk').pk}/change/",
        f"/admin/telemetry/usagesessionsummary/{UsageSessionSummary.objects.latest('pk').pk}/change/",
        f"/admin/accounts/user/{person.pk}/change/",
        "/marketplace/",
        f"/marketplace/curated/{plugin.ref_id}/",
        "/marketplace/upload/",
        "/marketplace/uploads/",
        "/marketplace/stack/",
        "/tokens/",
        CONNECTION,
        f"/marketplace/flea/{published.pk}/",
        f"/marketplace/flea/{held.pk}/",
        f"/marketplace/flea/{published.pk}/versions/1/",
        f"/marketplace/flea/{published.pk}/upload/",
        "/api/docs",
    ]


def with_subagents() -> QuerySet[SessionTranscript, str]:
    return SessionTranscript.objects.exclude(agent_id="").order_by().values_list("session_id", flat=True)

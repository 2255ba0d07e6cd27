"""What the page of an item of the flea market shows beside what all items show."""

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from marketplace.items.details import find_item
from marketplace.models import EntityState, StoreEntity, StoreVerdict, StoreVersion, Verdict
from marketplace.pages.item_page import item_context
from marketplace.pages.version_details import VersionDetails, served_details, version_details
from telemetry.models import Source

# Older ones are reached by the API.
VERSIONS = 50


@dataclass(frozen=True)
class Viewer:
    """Who looks at an item, and what they may do with it."""

    person: User
    moderates: bool
    owns: bool

    @property
    def may_change(self) -> bool:
        return self.owns or self.moderates


@dataclass(frozen=True)
class Decided:
    """One line of a version's history. Admins are named to admins."""

    verdict: StoreVerdict
    by: str


@dataclass(frozen=True)
class Upload:
    version: StoreVersion
    history: list[Decided]


def flea_context(entity: StoreEntity, viewer: Viewer) -> dict[str, Any]:
    """Where it is not published, without what the catalogue would say."""
    uploads = uploads_of(entity, viewer)
    context: dict[str, Any] = {
        "entity": entity,
        "viewer": viewer,
        "uploads": uploads,
        "is_archived": entity.state == EntityState.ARCHIVED,
        "is_published": entity.state == EntityState.PUBLISHED,
        "why": _why(uploads),
    }
    if entity.state == EntityState.PUBLISHED:
        return {**context, **_published(entity, viewer), "waiting": _waiting(uploads, viewer)}
    shown = next((it.version for it in uploads), None)
    return {**context, "title": entity.slug, "details": _details(shown, viewer) if shown else None}


def version_context(version: StoreVersion, viewer: Viewer) -> dict[str, Any]:
    [upload] = _with_history([version], viewer)
    entity = version.entity
    details = _details(version, viewer)
    return {"entity": entity, "viewer": viewer, "upload": upload, "details": details, "title": str(version)}


def uploads_of(entity: StoreEntity, viewer: Viewer) -> list[Upload]:
    """Those that this person may see, the newest first."""
    visible = StoreVersion.objects.visible_to(viewer.person, moderating=viewer.moderates)
    found = visible.filter(entity=entity).select_related("uploaded_by", "entity__served")
    return _with_history(found.order_by("-number").prefetch_related("verdicts__by")[:VERSIONS], viewer)


def _with_history(versions: Any, viewer: Viewer) -> list[Upload]:
    return [
        Upload(version, [Decided(it, _name(it, viewer)) for it in version.verdicts.all()])
        for version in versions
    ]


def _name(verdict: StoreVerdict, viewer: Viewer) -> str:
    if verdict.by is None:
        return "the guardrails"
    return verdict.by.email if viewer.moderates else "an admin"


def _why(uploads: list[Upload]) -> StoreVerdict | None:
    """The last decision, if it is one that its owner has to know the reason of."""
    decided = [
        it.verdict for upload in uploads for it in upload.history if it.verdict.verdict != Verdict.HELD
    ]
    last = max(decided, key=lambda it: (it.at, it.pk), default=None)
    return last if last and last.verdict in (Verdict.REFUSED, Verdict.TAKEN_DOWN) else None


def _published(entity: StoreEntity, viewer: Viewer) -> dict[str, Any]:
    assert entity.plugin is not None
    assert entity.served is not None
    found = find_item(viewer.person, Source.FLEA, entity.plugin.ref_id)
    details = served_details(entity.served, found.plugin, [it.component for it in found.components])
    return {**item_context(viewer.person, found), "details": details, "runs": details.runs}


def _waiting(uploads: list[Upload], viewer: Viewer) -> VersionDetails | None:
    """The version that waits beside the served one."""
    held = next((it.version for it in uploads if it.version.state == "held"), None)
    return _details(held, viewer) if held and viewer.may_change else None


def _details(version: StoreVersion, viewer: Viewer) -> VersionDetails:
    return version_details(version, compared=viewer.moderates)

"""What the upload page says of an upload, and the list of one's uploads."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from accounts.errors import AgnesError
from accounts.models import User
from marketplace.errors import NameTaken
from marketplace.guardrails import limits
from marketplace.models import EntityState, StoreEntity, VersionState
from marketplace.pages.findings import Group, grouped
from marketplace.pages.paging import Paging, paging
from marketplace.store.uploading import Uploaded

ROWS = 50
CHIPS = {EntityState.HELD: "look", EntityState.PUBLISHED: "good", EntityState.PENDING: "look"}


@dataclass(frozen=True)
class Refusal:
    """Nothing was kept. `url` leads on, `link` says where."""

    message: str
    hint: str
    findings: list[Group]
    url: str = ""
    link: str = ""


@dataclass(frozen=True)
class Kept:
    """What was published, or is held."""

    uploaded: Uploaded
    findings: list[Group]

    @property
    def is_published(self) -> bool:
        return self.uploaded.version.state == VersionState.PUBLISHED


@dataclass(frozen=True)
class Row:
    entity: Any
    chip: str


def upload_context(**more: Any) -> dict[str, Any]:
    return {"most_bytes": limits.UPLOAD_BYTES, "most_files": limits.FILES, **more}


def refusal_of(error: AgnesError) -> Refusal:
    findings = grouped(error.more.get("findings", ()))
    if isinstance(error, NameTaken) and error.own_id is not None:
        url = reverse("marketplace:flea_upload", args=(error.own_id,))
        return Refusal(error.message, "", findings, url, "Upload it as a new version of that")
    return Refusal(error.message, error.hint, findings)


def kept(uploaded: Uploaded) -> Kept:
    return Kept(uploaded, grouped(uploaded.version.findings))


def uploads_context(user: User, page: int) -> dict[str, Any]:
    """One's items, those that were uploaded last first."""
    own = StoreEntity.objects.filter(owner=user)
    pages: Paging = paging(page, own.count(), ROWS, lambda number: f"?page={number}")
    start = (pages.number - 1) * ROWS
    rows = own.detailed().order_by("-created_at", "-pk")[start : start + ROWS]
    return {"rows": [Row(entity, _chip(entity)) for entity in rows], "paging": pages}


def _chip(entity: StoreEntity) -> str:
    if entity.taken_down_at:
        return "bad"
    return CHIPS.get(EntityState(entity.state), "")

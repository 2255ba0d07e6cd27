"""What the flea market's part of the JSON API takes and answers."""

from datetime import datetime
from typing import Annotated

from ninja import Field, Schema

from marketplace.guardrails.limits import DESCRIPTION_CHARACTERS
from marketplace.store.deciding import REASON_CHARACTERS


class FindingAnswer(Schema):
    """`severity` is reject, hold or show; `line` counts from 1."""

    code: str
    severity: str
    path: str
    line: int | None
    text: str
    cure: str


class VerdictAnswer(Schema):
    """`by` is guardrails, or admin; admins are told which one."""

    verdict: str
    by: str
    reason: str
    at: datetime


class VersionAnswer(Schema):
    """`version` is what its plugin.json says; `number` counts the uploads of the item."""

    number: int
    version: str
    state: str
    digest: str
    size: int
    uploaded_by: str
    uploaded_at: datetime
    published_at: datetime | None
    findings: list[FindingAnswer]
    verdicts: list[VerdictAnswer]


class EntitySummary(Schema):
    """`ref_id` is that of GET /api/marketplace/items/flea/{ref_id}, once it was published."""

    id: int
    slug: str
    kind: str
    state: str
    owner: str
    description: str
    created_at: datetime
    taken_down_at: datetime | None
    ref_id: str | None
    installs: int
    served_version: int | None
    held_version: int | None


class EntityList(Schema):
    items: list[EntitySummary]
    total: int
    limit: int
    offset: int


class EntityAnswer(EntitySummary):
    """With the versions that one may see, newest first."""

    versions: list[VersionAnswer]


class UploadAnswer(EntityAnswer):
    """`verdict` is published or held, `notes` what was changed on the way; both, with the findings, of the
    version that was just uploaded."""

    verdict: str
    number: int
    findings: list[FindingAnswer]
    notes: list[str]


class Description(Schema):
    """'' for what its files say."""

    description: Annotated[str, Field(max_length=DESCRIPTION_CHARACTERS)]


class NewOwner(Schema):
    email: Annotated[str, Field(max_length=254)]


class Decision(Schema):
    """`version` is the number of the held version that was looked at; null: whichever is held."""

    version: int | None = None


class Refusal(Decision):
    reason: Annotated[str, Field(max_length=REASON_CHARACTERS)] = ""


class TakeDown(Schema):
    reason: Annotated[str, Field(max_length=REASON_CHARACTERS)] = ""


class Deleted(Schema):
    """Removed, or archived because others use it."""

    id: int
    removed: bool


class FileDifference(Schema):
    """`change` is added, removed or changed; `diff` is unified, '' where `note` says why."""

    path: str
    change: str
    diff: str
    note: str


class DiffAnswer(Schema):
    """`served` is null where nothing is published; `is_cut`: there is more."""

    served: int | None
    held: int
    files: list[FileDifference]
    is_cut: bool


class StoredFileAnswer(Schema):
    path: str
    size: int


class StoredFiles(Schema):
    items: list[StoredFileAnswer]
    total: int

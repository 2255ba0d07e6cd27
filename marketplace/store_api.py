"""The flea market's part of the JSON API."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja import Status as HttpStatus

from accounts.api_auth import auth
from accounts.models import AccessToken, Scope, User
from accounts.people import person
from marketplace.guardrails.limits import DESCRIPTION_CHARACTERS
from marketplace.items.query import MAX_OFFSET
from marketplace.models import (
    EntityKind,
    EntityState,
    StoreEntity,
    StoreVerdict,
    StoreVersion,
    VersionState,
)
from marketplace.store import deciding, ownership
from marketplace.store.differences import differences
from marketplace.store.receiving import received_files
from marketplace.store.seeing import (
    MODERATE,
    files_of,
    find_entity,
    find_own,
    find_version,
    moderates,
    read_file,
)
from marketplace.store.uploading import Uploaded, upload
from marketplace.store.versions import upload_version
from marketplace.store_schemas import (
    Decision,
    Deleted,
    Description,
    DiffAnswer,
    EntityAnswer,
    EntityList,
    NewOwner,
    Refusal,
    StoredFiles,
    TakeDown,
    UploadAnswer,
)

router = Router(tags=["flea market"])
reading = auth(Scope.MARKETPLACE, or_scope=Scope.READ)
# Not the git client's scope, whose token lies in clear on people's machines.
writing = auth(Scope.UPLOAD)
moderating = auth(Scope.ADMIN, permission=MODERATE)
MAX_LIMIT = 200
CONFLICT: dict[str, Any] = {"responses": {409: {}}}
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One .zip, one .md, or the files of a folder, each with its path as file name "
        "(curl --form 'file=@notes/SKILL.md;filename=notes/SKILL.md').",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            }
        },
    },
    "responses": {409: {}, 429: {}},
}


@router.post(
    "/entities",
    auth=writing,
    response={201: UploadAnswer},
    summary="Upload an item",
    openapi_extra=FORM,
)
def upload_entity(
    request: HttpRequest,
    kind: Annotated[EntityKind | None, Query(description="what it is; else its files tell")] = None,
    name: Annotated[str, Query(max_length=100, description="its name; else its files tell")] = "",
    description: Annotated[
        str, Query(max_length=DESCRIPTION_CHARACTERS, description="shown in place of what its files say")
    ] = "",
) -> HttpStatus[dict[str, Any]]:
    """201 with the verdict: published, or held until an admin has looked at it.

    What is rejected is answered with 422, and nothing of it is kept: `findings` beside the error's message
    say file, line, and what to change.
    """
    owner = person(request)
    with received_files(request) as files:
        uploaded = upload(files, by=owner, kind=kind or "", name=name, description=description)
    return HttpStatus(201, _uploaded(request, uploaded))


@router.get("/entities", auth=reading, response=EntityList, summary="List one's items")
def entities(
    request: HttpRequest,
    state: Annotated[EntityState | None, Query(description=", ".join(EntityState))] = None,
    waiting: Annotated[bool, Query(description="only those with a version that waits for an admin")] = False,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> dict[str, Any]:
    """One's own; with the permission marketplace.moderate_store and, for a token, the scope admin, all."""
    found = StoreEntity.objects.all() if _sees_all(request) else person(request).store_entities.all()
    if state:
        found = found.filter(state=state)
    if waiting:
        found = found.filter(versions__state=VersionState.HELD)
    some = found.detailed().order_by("slug")[offset : offset + limit]
    items = [_summary(entity) for entity in some]
    return {"items": items, "total": found.count(), "limit": limit, "offset": offset}


@router.get("/entities/{int:entity_id}", auth=reading, response=EntityAnswer, summary="Look at an item")
def entity(request: HttpRequest, entity_id: int) -> dict[str, Any]:
    """With its versions, their findings, and what was decided about them and why."""
    return _described(request, _find(request, entity_id))


@router.patch("/entities/{int:entity_id}", auth=writing, response=EntityAnswer, summary="Describe an item")
def describe(request: HttpRequest, entity_id: int, new: Description) -> dict[str, Any]:
    """Shown in place of what its files say."""
    found = _own(request, entity_id)
    ownership.describe(found, new.description, by=person(request))
    return _described(request, _find(request, entity_id))


@router.delete("/entities/{int:entity_id}", auth=writing, response=Deleted, summary="Delete an item")
def delete(request: HttpRequest, entity_id: int) -> dict[str, Any]:
    """What others use, or an admin has taken down, is archived: nobody gets it any more, its figures stay."""
    removed = ownership.delete(_own(request, entity_id), by=person(request))
    return {"id": entity_id, "removed": removed}


@router.post(
    "/entities/{int:entity_id}/versions",
    auth=writing,
    response={201: UploadAnswer},
    summary="Upload a new version",
    openapi_extra=FORM,
)
def new_version(request: HttpRequest, entity_id: int) -> HttpStatus[dict[str, Any]]:
    """Through the same checks. While it is held the version before stays served."""
    found = _own(request, entity_id)
    with received_files(request) as files:
        uploaded = upload_version(found, files, by=person(request))
    return HttpStatus(201, _uploaded(request, uploaded))


@router.post(
    "/entities/{int:entity_id}/withdraw",
    auth=writing,
    response=EntityAnswer,
    summary="Withdraw an item",
    openapi_extra=CONFLICT,
)
def withdraw(request: HttpRequest, entity_id: int) -> dict[str, Any]:
    """Nobody gets it any more. A new version publishes it again."""
    ownership.withdraw(_own(request, entity_id), by=person(request))
    return _described(request, _find(request, entity_id))


@router.post(
    "/entities/{int:entity_id}/transfer", auth=writing, response=EntityAnswer, summary="Give an item away"
)
def transfer(request: HttpRequest, entity_id: int, to: NewOwner) -> dict[str, Any]:
    """The person with this address owns it from now on."""
    found = _own(request, entity_id)
    ownership.transfer(found, to.email, by=person(request))
    return _described(request, StoreEntity.objects.detailed().get(pk=entity_id))


@router.post(
    "/entities/{int:entity_id}/release",
    auth=moderating,
    response=EntityAnswer,
    summary="Release a held version",
    openapi_extra=CONFLICT,
)
def release(request: HttpRequest, entity_id: int, decision: Decision | None = None) -> dict[str, Any]:
    """409 where that version is not held any more."""
    found = _find(request, entity_id)
    held = deciding.held_version(found, decision.version if decision else None)
    deciding.release(held, by=person(request))
    return _described(request, _find(request, entity_id))


@router.post(
    "/entities/{int:entity_id}/refuse",
    auth=moderating,
    response=EntityAnswer,
    summary="Refuse a held version",
    openapi_extra=CONFLICT,
)
def refuse(request: HttpRequest, entity_id: int, refusal: Refusal) -> dict[str, Any]:
    """Its owner reads the reason. What was published before stays so."""
    held = deciding.held_version(_find(request, entity_id), refusal.version)
    deciding.refuse(held, refusal.reason, by=person(request))
    return _described(request, _find(request, entity_id))


@router.post(
    "/entities/{int:entity_id}/takedown",
    auth=moderating,
    response=EntityAnswer,
    summary="Take an item down",
    openapi_extra=CONFLICT,
)
def take_down(request: HttpRequest, entity_id: int, why: TakeDown) -> dict[str, Any]:
    """Nobody gets it any more, and only an admin can release another version of it."""
    deciding.take_down(_find(request, entity_id), why.reason, by=person(request))
    return _described(request, _find(request, entity_id))


@router.get(
    "/entities/{int:entity_id}/diff",
    auth=moderating,
    response=DiffAnswer,
    summary="Compare the held version with the served one",
    openapi_extra=CONFLICT,
)
def diff(request: HttpRequest, entity_id: int) -> dict[str, Any]:
    """Unified diffs of what would change; of a first version all of it."""
    found = _find(request, entity_id)
    held = deciding.held_version(found)
    changes = differences(found.served, held)
    files = [
        {"path": it.path, "change": it.change, "diff": "\n".join(it.lines), "note": it.note}
        for it in changes.files
    ]
    served = found.served.number if found.served else None
    return {"served": served, "held": held.number, "files": files, "is_cut": changes.is_cut}


@router.get(
    "/entities/{int:entity_id}/versions/{int:number}/files",
    auth=reading,
    response=StoredFiles,
    summary="List a version's files",
)
def files(request: HttpRequest, entity_id: int, number: int) -> dict[str, Any]:
    """As they are served: the normalised tree of a plugin."""
    found = files_of(_find_version(request, entity_id, number))
    return {"items": [{"path": it.path, "size": it.size} for it in found], "total": len(found)}


@router.get(
    "/entities/{int:entity_id}/versions/{int:number}/files/{path:path}",
    auth=reading,
    summary="Read a version's file",
    openapi_extra={
        "responses": {200: {"description": "The file.", "content": {"text/plain": {}}}},
    },
)
def file(request: HttpRequest, entity_id: int, number: int, path: str) -> HttpResponse:
    """Text as text/plain, whatever it is; anything else as an attachment."""
    return _inert(path, read_file(_find_version(request, entity_id, number), path))


def _inert(path: str, content: bytes) -> HttpResponse:
    """What a browser shows and never runs: it is somebody else's, and the page is ours."""
    try:
        content.decode()
        is_text = b"\0" not in content
    except UnicodeDecodeError:
        is_text = False
    response = HttpResponse(
        content, content_type="text/plain; charset=utf-8" if is_text else "application/octet-stream"
    )
    if not is_text:
        response["Content-Disposition"] = f'attachment; filename="{_plain_name(path)}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _plain_name(path: str) -> str:
    name = path.rpartition("/")[2]
    return "".join(it if it.isascii() and (it.isalnum() or it in "._-") else "_" for it in name)


def _shown(person: User) -> str:
    return person.name or person.email


def _sees_all(request: HttpRequest) -> bool:
    caller = getattr(request, "auth", None)
    has_scope = not isinstance(caller, AccessToken) or Scope.ADMIN in caller.scopes
    return has_scope and moderates(person(request))


def _find(request: HttpRequest, entity_id: int) -> StoreEntity:
    return find_entity(person(request), entity_id, moderating=_sees_all(request))


def _find_version(request: HttpRequest, entity_id: int, number: int) -> StoreVersion:
    return find_version(person(request), entity_id, number, moderating=_sees_all(request))


def _own(request: HttpRequest, entity_id: int) -> StoreEntity:
    return find_own(person(request), entity_id, moderating=_sees_all(request))


def _summary(found: Any) -> dict[str, Any]:
    plugin = found.plugin
    names = ("id", "slug", "kind", "state", "created_at", "taken_down_at")
    return {
        **{name: getattr(found, name) for name in names},
        "owner": _shown(found.owner),
        "description": found.description or (plugin.description if plugin else ""),
        "ref_id": plugin.ref_id if plugin else None,
        "installs": found.installs,
        "served_version": found.served.number if found.served else None,
        "held_version": found.held_number,
    }


def _described(request: HttpRequest, found: StoreEntity) -> dict[str, Any]:
    sees_all = _sees_all(request)
    visible = found.versions.visible_to(person(request), moderating=sees_all)
    versions = visible.order_by("-number").select_related("uploaded_by").prefetch_related("verdicts__by")
    sees_held = sees_all or found.owner_id == person(request).pk
    return {
        **_summary(found),
        "held_version": getattr(found, "held_number", None) if sees_held else None,
        "versions": [_version(version, sees_all) for version in versions],
    }


def _version(version: StoreVersion, sees_all: bool) -> dict[str, Any]:
    names = (
        "number", "version", "state", "digest", "size", "uploaded_at", "published_at", "findings",
    )  # fmt: skip
    verdicts = [_verdict(verdict, sees_all) for verdict in version.verdicts.all()]
    fields = {name: getattr(version, name) for name in names}
    return {**fields, "uploaded_by": _shown(version.uploaded_by), "verdicts": verdicts}


def _verdict(verdict: StoreVerdict, sees_all: bool) -> dict[str, Any]:
    by = "guardrails"
    if verdict.by is not None:
        by = verdict.by.email if sees_all else "admin"
    return {"verdict": verdict.verdict, "by": by, "reason": verdict.reason, "at": verdict.at}


def _uploaded(request: HttpRequest, uploaded: Uploaded) -> dict[str, Any]:
    version = uploaded.version
    return {
        **_described(request, _find(request, uploaded.entity.pk)),
        "verdict": version.state,
        "number": version.number,
        "findings": version.findings,
        "notes": list(uploaded.notes),
    }

"""The stack's part of the JSON API."""

from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja import Status as HttpStatus

from accounts.api_auth import auth
from accounts.models import Scope, User
from marketplace.api_schemas import Stack, StackItemAnswer
from marketplace.serving.installing import install_lines
from marketplace.serving.stack import StackEntry, add_to_stack, list_stack, remove_from_stack

router = Router(tags=["stack"])
choosing = auth(Scope.MARKETPLACE)


@router.get("/marketplace/stack", auth=choosing, response=Stack, summary="List one's stack")
def stack(request: HttpRequest) -> dict[str, Any]:
    """The plugins that Claude Code gets, the newest first, and the lines that add them there.

    `name` is what `claude plugin install` takes. Where it is null, the plugin is not served: see `why_not`.
    """
    assert isinstance(request.user, User)
    entries = list_stack(request.user)
    items = [_described(entry) for entry in entries]
    counts = {"total": len(items), "limit": len(items), "offset": 0}
    return {"items": items, **counts, "install": install_lines(request.user)}


@router.put(
    "/marketplace/stack/{source}/{path:ref_id}",
    auth=choosing,
    response={200: StackItemAnswer, 201: StackItemAnswer},
    summary="Add to one's stack",
    openapi_extra={"responses": {404: {}, 409: {}}},
)
def add(request: HttpRequest, source: str, ref_id: str) -> HttpStatus[dict[str, Any]]:
    """201 where it is new there. Refused with 409 where it has the namespace of another one in the stack, or
    cannot be served."""
    assert isinstance(request.user, User)
    is_new = add_to_stack(request.user, source, ref_id)
    entry = next(it for it in list_stack(request.user) if it.plugin.ref_id == ref_id)
    return HttpStatus(201 if is_new else 200, _described(entry))


@router.delete(
    "/marketplace/stack/{source}/{path:ref_id}",
    auth=choosing,
    response={204: None},
    summary="Remove from one's stack",
)
def remove(request: HttpRequest, source: str, ref_id: str) -> HttpStatus[None]:
    """204, whether it was there or not."""
    assert isinstance(request.user, User)
    remove_from_stack(request.user, source, ref_id)
    return HttpStatus(204, None)


def _described(entry: StackEntry) -> dict[str, Any]:
    plugin = entry.plugin
    return {
        "source": plugin.source,
        "ref_id": plugin.ref_id,
        "title": plugin.display_name or plugin.name,
        "added_at": entry.added_at,
        "name": entry.name,
        "why_not": entry.why_not,
    }

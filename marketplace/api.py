"""The marketplaces' part of the JSON API."""

from dataclasses import asdict
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from ninja import Status as HttpStatus

from accounts.api_auth import auth
from accounts.errors import AgnesError
from accounts.models import Scope, User
from marketplace.api_schemas import ItemDetail, ItemList, MarketplaceAnswer, NewMarketplace
from marketplace.catalogue.registering import add_marketplace, find_marketplace, read_location
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.errors import WrongItemQuery
from marketplace.items.details import ItemDetails, UsedComponent, find_item
from marketplace.items.figures import Window
from marketplace.items.listing import list_items
from marketplace.items.query import DEFAULT_LIMIT, MAX_LIMIT, ItemSource, Sort, read_query
from marketplace.models import Marketplace
from marketplace.plugins.records import ComponentKind

router = Router(tags=["marketplace"])
browsing = auth(Scope.MARKETPLACE, or_scope=Scope.READ)
managing = auth(Scope.ADMIN, permission="marketplace.manage_marketplaces")


@router.get("/marketplace/items", auth=browsing, response=ItemList, summary="List items")
def items(
    request: HttpRequest,
    q: Annotated[
        str | None, Query(description="words that names or descriptions hold, inner ones too")
    ] = None,
    source: Annotated[str | None, Query(description=", ".join(ItemSource))] = None,
    marketplace: Annotated[str | None, Query(description="a marketplace's short name")] = None,
    kind: Annotated[str | None, Query(description=f"brings one: {', '.join(ComponentKind)}")] = None,
    category: Annotated[str | None, Query(description="exactly")] = None,
    sort: Annotated[str | None, Query(description=f"{', '.join(Sort)}; default {Sort.MOST_USED}")] = None,
    limit: Annotated[str | None, Query(description=f"1 to {MAX_LIMIT}; default {DEFAULT_LIMIT}")] = None,
    offset: Annotated[str | None, Query(description="default 0")] = None,
) -> dict[str, Any]:
    """Figures are those of the 30 UTC days of `window`, as of the last publish; ties go by name."""
    assert isinstance(request.user, User)
    twice = [name for name, values in request.GET.lists() if len(values) > 1]
    if twice:
        raise WrongItemQuery(dict.fromkeys(twice, "only once"))
    listing = list_items(request.user, read_query(request.GET.dict()))
    page = {"total": listing.total, "limit": listing.query.limit, "offset": listing.query.offset}
    return {"items": listing.items, **page, **_of_window(listing.window)}


@router.get(
    "/marketplace/items/{source}/{path:ref_id}", auth=browsing, response=ItemDetail, summary="Look at an item"
)
def item(request: HttpRequest, source: str, ref_id: str) -> dict[str, Any]:
    """With its components, each with its own usage, and the figures of each of the 30 UTC days of `window`.

    A `ref_id` may hold a slash. `people` are those of a day: they do not add up to `unique_users_30d`.
    """
    assert isinstance(request.user, User)
    return _described(find_item(request.user, source, ref_id))


@router.post(
    "/marketplaces",
    auth=managing,
    response={201: MarketplaceAnswer},
    summary="Register a marketplace",
)
def register(request: HttpRequest, new: NewMarketplace) -> HttpStatus[dict[str, Any]]:
    """And sync it. It stays registered where that fails: `state` and `error` say so."""
    assert isinstance(request.user, User)
    location = read_location(new.url, new.ref, new.token_env)
    marketplace = add_marketplace(location, slug=new.slug, by=request.user)
    try:
        sync_marketplace(marketplace, by=request.user)
    except AgnesError:
        marketplace.refresh_from_db()
    return HttpStatus(201, _answer(marketplace))


@router.post(
    "/marketplaces/{slug}/sync",
    auth=managing,
    response=MarketplaceAnswer,
    summary="Sync a marketplace",
    openapi_extra={"responses": {409: {}, 410: {}, 502: {}}},
)
def sync(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Fetches the repository and replaces the catalogue; the answer comes when that is done.

    Where it fails, the last good catalogue stays. It goes on where the caller hangs up.
    """
    assert isinstance(request.user, User)
    marketplace = find_marketplace(slug)
    sync_marketplace(marketplace, by=request.user)
    return _answer(marketplace)


def _answer(marketplace: Marketplace) -> dict[str, Any]:
    names = (name for name in MarketplaceAnswer.model_fields if name != "plugins")
    plugins = marketplace.plugins.filter(valid_to=None).count()
    return {**{name: getattr(marketplace, name) for name in names}, "plugins": plugins}


def _of_window(window: Window) -> dict[str, Any]:
    days = {"first_day": window.first_day, "last_day": window.last_day}
    return {"as_of": window.as_of, "window": days}


def _described(details: ItemDetails) -> dict[str, Any]:
    plugin = details.plugin
    own = {name: getattr(plugin, name) for name in ItemDetail.model_fields if hasattr(plugin, name)}
    return {
        **own,
        "source": details.source,
        "title": plugin.display_name or plugin.name,
        "marketplace": plugin.marketplace.slug if plugin.marketplace else "",
        "renamed_to": plugin.renamed_to.ref_id if plugin.renamed_to else None,
        "invocations_30d": details.usage.invocations,
        "unique_users_30d": details.usage.people,
        "previous_invocations_30d": details.usage.previous,
        "trend_pct": details.usage.trend_pct,
        "errors_30d": details.errors_30d,
        "components": [_component(one) for one in details.components],
        "other_usage": [
            {"kind": other.kind, "identifier": other.name, **asdict(other.usage)}
            for other in details.other_usage
        ],
        "daily": details.daily,
        "versions": list(details.versions),
        **_of_window(details.window),
    }


def _component(used: UsedComponent) -> dict[str, Any]:
    component = used.component
    return {
        "kind": component.kind,
        "name": component.name,
        "identifier": component.canonical_id,
        "description": component.description,
        "path": component.path,
        **asdict(used.usage),
    }

"""Names that belong to others."""

from collections.abc import Iterable

from accounts.models import User
from marketplace.guardrails import KnownNames
from marketplace.guardrails.checks.squatting import foldings
from marketplace.models import Plugin, StoreEntity
from telemetry.models import Source


def known_names(owner: User, item: StoreEntity | None = None) -> KnownNames:
    """All but the owner's own: what shares a name with those is a new version, or a mistake.

    What ended keeps its names, since events belong to it. With `item`, whose new version is looked at: what
    was named like it after its publication is left out, or nobody could mend it any more.
    """
    plugins = Plugin.objects.filter(source=Source.CURATED).order_by()
    rows = plugins.values_list("name", "namespace", "served_name__name", "display_name")
    curated = {name for row in rows for name in row if name}
    flea = set(StoreEntity.objects.exclude(owner=owner).order_by().values_list("slug", flat=True))
    if item is not None and item.plugin_id is not None:
        curated, flea = _unlike(item.slug, curated), _unlike(item.slug, flea)
    return KnownNames(frozenset(curated), frozenset(flea))


def _unlike(slug: str, names: Iterable[str]) -> set[str]:
    forms = foldings(slug)
    return {name for name in names if forms.isdisjoint(foldings(name))}

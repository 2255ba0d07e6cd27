"""What an item is called, from its key: a flea item's key is a number, and its namespace is its name."""

from django.db.models import OuterRef, Subquery

from telemetry.models import SkillAttribution, Source


def flea_namespace() -> Subquery:
    """To annotate rows with `source` and `ref_id`: `tidy:`; NULL for what is no flea item or was deleted."""
    whole = SkillAttribution.objects.filter(source=Source.FLEA, component_kind="", identifier__endswith=":")
    of_row = whole.filter(source=OuterRef("source"), ref_id=OuterRef("ref_id"))
    return Subquery(of_row.values("identifier")[:1])


def item_name(ref_id: str, namespace: str | None) -> str:
    """`market/tidy`, or the name of a flea item; its key where it has none."""
    return namespace.removesuffix(":") if namespace else ref_id

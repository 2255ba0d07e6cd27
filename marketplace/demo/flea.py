"""The demo's items of the flea market: uploaded by its people through the same door as anybody's."""

from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from marketplace.catalogue.attributing import attribute_catalogue
from marketplace.guardrails import UploadedFile
from marketplace.models import Plugin, StackItem, StoreEntity, StoreVersion
from marketplace.store.packs import remover
from marketplace.store.publishing import alone
from marketplace.store.uploading import upload
from telemetry.demo.people import DOMAIN, PEOPLE
from telemetry.demo.world import demo_people
from telemetry.models import Source

CONTENT = Path(__file__).parent / "flea-market"
# The last one is held by the guardrails, so that the admin's queue is not empty.
OWNERS = {
    "component-scaffold": "sofia.marchetti",
    "chart-notes": "idris.vantongeren",
    "incident-helper": "caleb.marsh",
}


def create() -> None:
    """Upload what is missing, once its people are there. Raises UploadRejected, NameTaken."""
    known = set(ours().values_list("slug", flat=True))
    for slug, login in OWNERS.items():
        owner = demo_people().filter(email=f"{login}@{DOMAIN}").first()
        if owner is not None and slug not in known:
            upload(_files(slug), by=owner)
    _fill_stacks()


def ours() -> QuerySet[StoreEntity]:
    return StoreEntity.objects.filter(owner__in=demo_people())


def remove() -> None:
    """All items of its people. Events of others that were taken for theirs are attributed anew."""
    with alone():
        entities = list(ours())
        versions = StoreVersion.objects.filter(entity__in=entities)
        plugins = [entity.plugin_id for entity in entities if entity.plugin_id]
        transaction.on_commit(remover(list(versions)))
        for entity in entities:
            entity.delete()
        Plugin.objects.filter(pk__in=plugins).delete()
        # What they gave away stays with whom they gave it to.
        _forget_uploaders()
        attribute_catalogue(Source.FLEA)


def _files(slug: str) -> list[UploadedFile]:
    folder = CONTENT / slug
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [UploadedFile(f"{slug}/{path.relative_to(folder).as_posix()}", path) for path in files]


def _fill_stacks() -> None:
    """Everybody has what their sessions use."""
    plugins = {plugin.namespace: plugin for plugin in Plugin.objects.current()}
    people = {user.email: user for user in demo_people()}
    for person in PEOPLE:
        user = people.get(person.email)
        used = {name.partition(":")[0] for name in person.team.skills}
        for plugin in (plugins[name] for name in sorted(used & plugins.keys())):
            if user is not None:
                StackItem.objects.get_or_create(user=user, plugin=plugin)


def _forget_uploaders() -> None:
    for version in StoreVersion.objects.filter(uploaded_by__in=demo_people()).select_related("entity"):
        version.uploaded_by = version.entity.owner
        version.save(update_fields=["uploaded_by"])

"""What the task queue runs. Tasks take plain values and are harmless when they run twice."""

from dataclasses import asdict
from typing import Any

from django_q.tasks import async_task

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import User
from marketplace.catalogue import attributing
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.models import Marketplace
from marketplace.serving import repositories, shown
from marketplace.store import packs

SYNC = "marketplace.tasks.sync"
# No task runs longer than a minute: longer work is cut and goes on in the next. A sync is limited by
# MARKETPLACE_FETCH_SECONDS.
RUN_SECONDS = 25


def request_sync(marketplace: Marketplace, *, by: User | None = None) -> None:
    """Have the task worker sync it. Call it in the transaction that the sync is to follow."""
    async_task(SYNC, marketplace.pk, by.pk if by else None, task_name=f"sync {marketplace.slug}")


def sync_all() -> dict[str, Any]:
    """One task for each marketplace, so that none waits for another one's host."""
    marketplaces = list(Marketplace.objects.registered())
    for marketplace in marketplaces:
        request_sync(marketplace)
    return {"queued": [marketplace.slug for marketplace in marketplaces]}


def sync(marketplace_id: int, user_id: int | None = None) -> dict[str, Any]:
    """A failure stands in the marketplace's row and in the audit log: the task itself did what it could."""
    marketplace = Marketplace.objects.filter(pk=marketplace_id).first()
    if marketplace is None:
        return {"gone": marketplace_id}
    with audit.context("task"):
        try:
            return asdict(sync_marketplace(marketplace, by=User.objects.filter(pk=user_id).first()))
        except AgnesError as error:
            return {"slug": marketplace.slug, "error": error.code}


def reattribute() -> dict[str, Any]:
    with audit.context("task"):
        done = attributing.reattribute(seconds=RUN_SECONDS)
        if not done:
            async_task(attributing.TASK, task_name="re-attribute")
        return {"done": done}


def remove_stray_packs() -> dict[str, Any]:
    """What uploads to the flea market left that were killed."""
    return {"removed": packs.remove_strays()}


def collect_served() -> dict[str, Any]:
    """Repositories that nobody fetches any more."""
    shown.forget()
    return {"removed": repositories.collect()}

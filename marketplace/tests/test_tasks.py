"""What the task worker does with marketplaces."""

from typing import Any

import pytest
from django_q.models import OrmQ

from marketplace import tasks
from marketplace.models import Marketplace
from marketplace.tests.repositories import Repository, kit

pytestmark = pytest.mark.django_db


def test_every_night_each_marketplace_has_a_task_of_its_own(repository: Repository):
    repository.commit(kit())
    for slug in ("a", "b"):
        Marketplace.objects.create(slug=slug, url=repository.url)
    assert tasks.sync_all() == {"queued": ["a", "b"]}
    queued = [row.task for row in OrmQ.objects.order_by("pk")]
    assert [task["func"] for task in queued] == [tasks.SYNC] * 2
    assert tasks.sync(*queued[0]["args"])["plugins"] == 1


def test_a_failure_is_an_answer(tmp_path: Any):
    marketplace = Marketplace.objects.create(slug="a", url=f"file://{tmp_path}/nothing")
    assert tasks.sync(marketplace.pk) == {"slug": "a", "error": "repository_not_found"}
    marketplace.refresh_from_db()
    assert marketplace.state == "failed"


def test_one_that_is_gone_is_done():
    assert tasks.sync(4711) == {"gone": 4711}

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from marketplace.models import Marketplace, Plugin
from marketplace.tests.planting import plant_plugin
from telemetry.days import today
from telemetry.models import PublishingState


@pytest.fixture
def published(db: None) -> PublishingState:
    """The last publish was just now."""
    values = {"as_of": timezone.now(), "windows_day": today()}
    return PublishingState.objects.update_or_create(pk=1, defaults=values)[0]


@pytest.fixture
def plant(published: PublishingState) -> Callable[..., Plugin]:
    """`plant("kits/tidy", skill=["sweep"])` is a plugin as a sync stores it."""

    def make(ref_id: str, **fields: Any) -> Plugin:
        slug, _, name = ref_id.partition("/")
        market = Marketplace.objects.get_or_create(slug=slug, defaults={"url": f"file:///srv/{slug}"})[0]
        return plant_plugin(market, name, **fields)

    return make

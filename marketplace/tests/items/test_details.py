"""One item, through the one function that its page and the API use."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from marketplace.errors import ItemUnknown
from marketplace.items.details import ComponentUsage, find_item
from marketplace.models import Plugin
from marketplace.tests.planting import LONG_AGO, use, use_component, use_on
from telemetry.days import today

pytestmark = pytest.mark.django_db


class TestFindItem:
    @pytest.fixture(autouse=True)
    def item(self, plant: Any) -> Any:
        use("kits/tidy", 30, people=4, previous=20)
        use_on(3, "kits/tidy", 7, people=2, errors=1)
        use_on(30, "kits/tidy", 1000, errors=1000)
        return plant("kits/tidy", skill=["sweep", "dust"], mcp_server=["vacuum"], hook=["Stop"])

    def test_it_has_the_figures_of_each_day(self, bob: User):
        details = find_item(bob, "curated", "kits/tidy")
        assert (details.usage.invocations, details.usage.people, details.usage.trend_pct) == (30, 4, 50.0)
        assert [day.day for day in details.daily] == details.window.days
        assert details.daily[-1].day == today()
        three_ago = details.daily[-4]
        assert (three_ago.invocations, three_ago.errors, three_ago.people) == (7, 1, 2)
        assert sum(day.invocations for day in details.daily) == 37
        assert details.errors_30d == 1

    def test_each_component_has_its_own_usage(self, bob: User):
        use_component(0, "kits/tidy", "skill", "tidy:sweep", 5, errors=1)
        use_component(29, "kits/tidy", "skill", "tidy:sweep", 6, errors=1)
        use_component(30, "kits/tidy", "skill", "tidy:sweep", 100, errors=100)
        use_component(40, "kits/tidy", "skill", "tidy:dust", 3)
        use_component(0, "kits/other", "mcp_server", "tidy:vacuum", 8)
        details = find_item(bob, "curated", "kits/tidy")
        used = {one.component.name: one.usage for one in details.components}
        assert used == {
            "sweep": ComponentUsage(11, 2, today(), (6, *(0,) * 28, 5)),
            "dust": ComponentUsage(0, 0, today() - timedelta(days=40)),
            "vacuum": ComponentUsage(),
            "Stop": ComponentUsage(),
        }
        assert details.other_usage == []

    def test_use_of_what_the_catalogue_does_not_have_is_not_lost(self, bob: User, item: Plugin):
        item.components.filter(name="dust").update(valid_to=LONG_AGO)
        use_component(1, "kits/tidy", "skill", "tidy:dust", 3)
        use_component(1, "kits/tidy", "", "", 2)
        use_component(31, "kits/tidy", "command", "tidy:old", 2)
        details = find_item(bob, "curated", "kits/tidy")
        assert [(one.kind, one.name, one.usage.invocations_30d) for one in details.other_usage] == [
            ("", "", 2),
            ("skill", "tidy:dust", 3),
        ]
        assert {one.component.name for one in details.components} == {"sweep", "vacuum", "Stop"}

    def test_what_left_the_catalogue_can_be_looked_at(self, bob: User, item: Plugin, plant: Any):
        newer = plant("kits/neat")
        Plugin.objects.filter(pk=item.pk).update(valid_to=LONG_AGO, renamed_to=newer)
        details = find_item(bob, "curated", "kits/tidy")
        assert (details.plugin.valid_to, details.plugin.renamed_to) == (LONG_AGO, newer)

    @pytest.mark.parametrize(
        "where", [("flea", "kits/tidy"), ("builtin", "kits/tidy"), ("curated", "tidy"), ("curated", "")]
    )
    def test_an_unknown_one_is_said_to_be(self, bob: User, where: tuple[str, str]):
        with pytest.raises(ItemUnknown, match="There is no"):
            find_item(bob, *where)

    def test_nobody_else_sees_it(self, bob: User):
        bob.is_active = False
        for stranger in (AnonymousUser(), bob):
            with pytest.raises(ItemUnknown):
                find_item(stranger, "curated", "kits/tidy")

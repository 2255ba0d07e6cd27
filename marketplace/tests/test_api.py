"""/api/marketplace/items and /api/marketplaces, with access tokens as programs use them."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog, Scope, User
from marketplace.models import Marketplace, MarketplaceState, Plugin
from marketplace.tests.items.conftest import plant, published  # noqa: F401
from marketplace.tests.planting import use, use_component, use_on
from marketplace.tests.repositories import Repository, kit
from telemetry.days import today
from telemetry.tests.intake.conftest import error_of

ITEMS = "/api/marketplace/items"
MARKETPLACES = "/api/marketplaces"


@pytest.fixture
def get(client: Client, bob: User, token_for: Any) -> Any:
    token = token_for(bob, Scope.MARKETPLACE)
    return lambda url: client.get(url, headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def post(client: Client, alice: User, token_for: Any) -> Any:
    headers = {"authorization": f"Bearer {token_for(alice, Scope.ADMIN)}"}
    return lambda url, body=None: client.post(
        url, body or {}, content_type="application/json", headers=headers
    )


@pytest.mark.django_db
class TestItems:
    @pytest.fixture(autouse=True)
    def items(self, plant: Any):  # noqa: F811
        plant("kits/tidy", skill=["sweep"], description="Cleans", version="1.2.0", category="home")
        plant("kits/ledger", agent=["auditor"])
        use("kits/tidy", 12, people=3, previous=8)

    def test_a_list_has_the_shape_of_every_list(self, get: Any, published: Any):  # noqa: F811
        answer = get(ITEMS).json()
        [tidy, ledger] = answer.pop("items")
        assert answer == {
            "total": 2,
            "limit": 50,
            "offset": 0,
            "as_of": answer["as_of"],
            "window": {"first_day": str(today() - timedelta(days=29)), "last_day": str(today())},
        }
        assert answer["as_of"][:19] == published.as_of.isoformat()[:19]
        assert tidy == {
            "source": "curated",
            "ref_id": "kits/tidy",
            "name": "tidy",
            "title": "tidy",
            "description": "Cleans",
            "version": "1.2.0",
            "category": "home",
            "marketplace": "kits",
            "updated_at": "2026-01-05T10:00:00Z",
            "components_known": True,
            "does_not_load": None,
            "kinds": {"skill": 1},
            "invocations_30d": 12,
            "unique_users_30d": 3,
            "previous_invocations_30d": 8,
            "trend_pct": 50.0,
            "daily": [*[0] * 29, 12],
            "matches": [],
        }
        assert (ledger["name"], ledger["invocations_30d"], ledger["trend_pct"]) == ("ledger", 0, None)

    def test_filters_sort_and_pages_come_from_the_address(self, get: Any):
        assert [
            item["name"] for item in get(f"{ITEMS}?q=auditor&kind=agent&source=curated").json()["items"]
        ] == ["ledger"]
        page = get(f"{ITEMS}?sort=name&limit=1&offset=1").json()
        assert [item["name"] for item in page["items"]] == ["tidy"]
        assert (page["total"], page["limit"], page["offset"]) == (2, 1, 1)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("sort=best", "sort"),
            ("source=builtin", "source"),
            ("kind=spell", "kind"),
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=many", "limit"),
            ("offset=-1", "offset"),
            ("offset=99999999999", "offset"),
            ("q=a%00b", "q"),
            (f"q={'a' * 201}", "q"),
            (f"q={'a+' * 11}", "q"),
            ("colour=red", "colour"),
            ("q=a&q=b", "q"),
        ],
    )
    def test_a_wrong_filter_is_named(self, get: Any, query: str, field: str):
        answer = get(f"{ITEMS}?{query}")
        error = error_of(answer)
        assert (answer.status_code, error["code"], list(error["fields"])) == (
            422,
            "wrong_item_query",
            [field],
        )
        assert field in error["message"]

    def test_a_search_says_which_parts_it_found(self, get: Any):
        [tidy] = get(f"{ITEMS}?q=sweep").json()["items"]
        assert tidy["matches"] == [{"kind": "skill", "name": "sweep", "identifier": "tidy:sweep"}]

    def test_an_item_has_components_and_days(self, get: Any):
        use_component(1, "kits/tidy", "skill", "tidy:sweep", 5, errors=2)
        use_component(1, "kits/tidy", "", "", 3)
        use_on(1, "kits/tidy", 8, errors=2, people=2)
        answer = get(f"{ITEMS}/curated/kits/tidy").json()
        assert (answer["invocations_30d"], answer["unique_users_30d"], answer["errors_30d"]) == (12, 3, 2)
        yesterday = str(today() - timedelta(days=1))
        assert answer["components"] == [
            {
                "kind": "skill",
                "name": "sweep",
                "identifier": "tidy:sweep",
                "description": "",
                "path": "",
                "invocations_30d": 5,
                "errors_30d": 2,
                "last_used": yesterday,
                "daily": [*[0] * 28, 5, 0],
            }
        ]
        assert [(one["kind"], one["invocations_30d"]) for one in answer["other_usage"]] == [("", 3)]
        assert len(answer["daily"]) == 30
        assert answer["daily"][-2] == {"day": yesterday, "invocations": 8, "errors": 2, "people": 2}

    def test_an_unknown_item_is_not_found(self, get: Any):
        for url in (f"{ITEMS}/curated/kits/nothing", f"{ITEMS}/flea/kits/tidy"):
            answer = get(url)
            assert (answer.status_code, error_of(answer)["code"]) == (404, "item_unknown")

    @pytest.mark.parametrize(
        ("scope", "status"), [("marketplace", 200), ("read", 200), ("upload", 403), ("admin", 403)]
    )
    def test_it_needs_a_scope(self, client: Client, bob: User, token_for: Any, scope: str, status: int):
        headers = {"authorization": f"Bearer {token_for(bob, scope)}"}
        answer: Any = client.get(ITEMS, headers=headers)
        assert answer.status_code == status
        if status == 403:
            assert error_of(answer)["hint"] == "Use a token with the scope marketplace or read."

    def test_it_takes_few_queries_however_many_items_there_are(self, get: Any, plant: Any):  # noqa: F811
        counts = []
        for start, end in ((0, 10), (10, 300)):
            for number in range(start, end):
                plant(f"kits/more{number}", skill=["sweep"])
            with CaptureQueriesContext(connection) as queries:
                assert get(f"{ITEMS}?q=more&limit=200").json()["total"] == end
            counts.append(len(queries))
        assert counts[0] >= counts[1]
        assert max(counts) <= 8


@pytest.mark.django_db(transaction=True)
class TestMarketplaces:
    @pytest.fixture(autouse=True)
    def content(self, repository: Repository):
        repository.commit(kit())

    def test_it_registers_and_syncs(self, post: Any, get: Any, alice: User, repository: Repository):
        answer = post(MARKETPLACES, {"url": repository.url, "slug": "team"})
        assert answer.status_code == 201
        assert {name: answer.json()[name] for name in ("slug", "state", "error", "plugins", "name")} == {
            "slug": "team",
            "state": "synced",
            "error": "",
            "plugins": 1,
            "name": "acme-market",
        }
        assert [item["ref_id"] for item in get(ITEMS).json()["items"]] == ["team/acme-kit"]
        rows = AuditLog.objects.filter(target="marketplace:team").order_by("pk")
        assert [(row.action, row.actor, row.client_kind, row.result) for row in rows] == [
            ("marketplace.add", alice.pk, "api", "ok"),
            ("marketplace.sync", alice.pk, "api", "ok"),
        ]

    def test_it_stays_registered_where_the_sync_fails(self, post: Any):
        answer = post(MARKETPLACES, {"url": "file:///nowhere/kits"})
        assert (answer.status_code, answer.json()["state"]) == (201, MarketplaceState.FAILED)
        assert answer.json()["error"]
        assert Marketplace.objects.get().slug == "kits"

    @pytest.mark.parametrize(
        ("body", "code", "field"),
        [
            ({"url": "http://git.example.com/kits"}, "address_refused", "url"),
            ({"url": "https://bob:secret@git.example.com/kits"}, "address_refused", "url"),
            ({"url": "file:///srv/kits", "slug": "Not a slug"}, "slug_refused", "slug"),
            ({"url": "file:///srv/kits", "ref": "--upload-pack=x"}, "ref_refused", "ref"),
            ({"url": "https://git.example.com/kits", "token_env": "HOME"}, "token_refused", "token_env"),
            ({"slug": "kits"}, "invalid", "url"),
        ],
    )
    def test_wrong_input_is_named(self, post: Any, body: dict[str, str], code: str, field: str):
        answer = post(MARKETPLACES, body)
        error = error_of(answer)
        assert (answer.status_code, error["code"], list(error["fields"])) == (422, code, [field])
        assert b"secret" not in answer.content
        assert not Marketplace.objects.exists()

    def test_a_sync_replaces_the_catalogue(self, post: Any, alice: User, repository: Repository):
        post(MARKETPLACES, {"url": repository.url})
        commit = repository.commit(kit(manifest={"version": "2.0.0"}))
        answer = post(f"{MARKETPLACES}/kits/sync")
        assert (answer.status_code, answer.json()["commit"]) == (200, commit)
        assert Plugin.objects.get().version == "2.0.0"
        assert AuditLog.objects.filter(action="marketplace.sync", actor=alice.pk, result="ok").count() == 2

    def test_a_failed_sync_leaves_the_last_good_one(self, post: Any, repository: Repository):
        commit = post(MARKETPLACES, {"url": repository.url}).json()["commit"]
        repository.commit({"README.md": "Nothing here."})
        answer = post(f"{MARKETPLACES}/kits/sync")
        assert (answer.status_code, error_of(answer)["code"]) == (422, "not_a_marketplace")
        assert Marketplace.objects.get().commit == commit
        assert Plugin.objects.get().valid_to is None
        assert AuditLog.objects.filter(action="marketplace.sync", result="failed").count() == 1

    def test_an_unknown_one_is_not_found(self, post: Any):
        answer = post(f"{MARKETPLACES}/nothing/sync")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "marketplace_unknown")

    def test_a_permission_is_enough_for_staff(self, client: Client, dana: User, token_for: Any):
        headers = {"authorization": f"Bearer {token_for(dana, Scope.ADMIN)}"}
        url = f"{MARKETPLACES}/nothing/sync"
        assert client.post(url, headers=headers).status_code == 403
        dana.user_permissions.add(Permission.objects.get(codename="manage_marketplaces"))
        assert client.post(url, headers=headers).status_code == 404

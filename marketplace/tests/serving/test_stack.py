"""One's stack by the API."""

import pytest

from accounts.models import AuditLog, Scope
from marketplace.catalogue.registering import add_marketplace, read_location
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.models import StackItem
from marketplace.serving import stack
from marketplace.store.ownership import delete
from marketplace.tests.repositories import Repository, entry, marketplace, plugin
from marketplace.tests.serving.planting import a_skill, plant_entity, take_down

pytestmark = pytest.mark.django_db

URL = "/api/marketplace/stack"


@pytest.fixture
def ask(client, bob, token_for):
    headers = {"Authorization": f"Bearer {token_for(bob, Scope.MARKETPLACE)}"}

    def call(method: str, path: str = ""):
        return client.generic(method, URL + path, headers=headers)

    return call


def actions():
    return list(AuditLog.objects.filter(action__startswith="store.").values_list("action", "target"))


def test_items_are_added_listed_and_removed(ask, kits, bob, charlie):
    plant_entity(charlie, "knots", a_skill("knots"))
    answer = ask("PUT", "/curated/kits/tidy")
    assert answer.status_code == 201
    assert answer.json()["name"] == "tidy"
    assert ask("PUT", "/curated/kits/tidy").status_code == 200
    assert ask("PUT", "/flea/flea-knots").status_code == 201
    listed = ask("GET").json()
    assert [(it["source"], it["ref_id"], it["name"]) for it in listed["items"]] == [
        ("flea", "flea-knots", "knots"),
        ("curated", "kits/tidy", "tidy"),
    ]
    assert listed["total"] == 2
    add, install = listed["install"]
    assert add == f"claude plugin marketplace add http://agnes:TOKEN@127.0.0.1:8000/m/{bob.pk}.git"
    assert install == "claude plugin install NAME@agnes"
    assert ask("DELETE", "/curated/kits/tidy").status_code == 204
    assert ask("DELETE", "/curated/kits/tidy").status_code == 204
    assert [it["ref_id"] for it in ask("GET").json()["items"]] == ["flea-knots"]
    assert actions() == [
        ("store.stack_add", "plugin:kits/tidy"),
        ("store.stack_add", "plugin:flea-knots"),
        ("store.stack_remove", "plugin:kits/tidy"),
    ]


def test_a_namespace_that_is_taken_is_refused(ask, kits, bob, tmp_path):
    other = Repository(tmp_path / "repositories" / "other")
    other.commit(marketplace(entry("neat")) | plugin("neat", name="Tidy", commands=["x"]))
    sync_marketplace(add_marketplace(read_location(other.url), slug="other"))
    ask("PUT", "/curated/kits/tidy")
    answer = ask("PUT", "/curated/other/neat")
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert error["code"] == "namespace_taken"
    assert "other/neat" in error["message"]
    assert "kits/tidy" in error["message"]
    assert "Remove kits/tidy" in error["hint"]
    assert StackItem.objects.filter(user=bob).count() == 1
    ask("DELETE", "/curated/kits/tidy")
    assert ask("PUT", "/curated/other/neat").status_code == 201


def test_what_is_deleted_meanwhile_is_not_found(ask, kits, charlie, monkeypatch):
    """Its owner deletes it after it was looked up, and before it stands in the stack."""
    entity = plant_entity(charlie, "knots", a_skill("knots"))
    monkeypatch.setattr(stack, "assign_names", lambda: delete(entity, by=charlie))
    assert ask("PUT", "/flea/flea-knots").status_code == 404
    assert not StackItem.objects.exists()


def test_what_cannot_be_served_is_refused(ask, synced):
    synced(marketplace(entry("broken")) | {"broken/.claude-plugin/plugin.json": "{"})
    answer = ask("PUT", "/curated/kits/broken")
    assert answer.status_code == 409
    assert "plugin.json is not valid JSON" in answer.json()["error"]["message"]


def test_what_is_not_there_is_not_found(ask, kits, charlie):
    held = plant_entity(charlie, "knots", a_skill("knots"))
    take_down(held)
    for path in ("/curated/kits/none", "/flea/flea-knots", "/flea/kits/tidy", "/nothing/kits/tidy"):
        assert ask("PUT", path).status_code == 404, path


def test_what_was_taken_down_stays_in_the_list_and_says_why(ask, kits, charlie):
    entity = plant_entity(charlie, "knots", a_skill("knots"))
    ask("PUT", "/flea/flea-knots")
    take_down(entity)
    [item] = ask("GET").json()["items"]
    assert item["name"] is None
    assert "taken down" in item["why_not"]
    assert ask("DELETE", "/flea/flea-knots").status_code == 204
    assert ask("GET").json()["items"] == []

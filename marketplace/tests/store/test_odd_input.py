"""What no browser sends, and somebody does."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from marketplace.models import StoreVerdict
from marketplace.store.deciding import REASON_CHARACTERS
from marketplace.tests.planting import plant_entity
from marketplace.tests.store.conftest import ENTITIES, Person
from telemetry.tests.intake.conftest import error_of

pytestmark = pytest.mark.django_db

HUGE = 10**30


@pytest.fixture
def item(bob: User) -> Any:
    return plant_entity(bob, "broom")


def test_numbers_that_no_database_holds_are_not_found(as_bob: Person, as_alice: Person, item: Any):
    for path in (str(HUGE), f"{HUGE}/versions/1/files", f"{item.pk}/versions/{HUGE}/files"):
        assert as_bob.get(path).status_code == 404
    assert as_alice.post(f"{item.pk}/release", version=HUGE).status_code == 409
    assert as_bob.get("", offset=str(HUGE)).status_code == 422


def test_a_nul_finds_nothing(as_bob: Person, item: Any):
    assert as_bob.get(f"{item.pk}/versions/1/files/a%00b").status_code == 404
    stack = f"/api/marketplace/stack/flea/{item.pk}%00"
    assert as_bob.put(stack).status_code == 404
    assert as_bob.delete(stack).status_code == 204
    assert as_bob.get(f"/api/marketplace/items/flea/{item.pk}%00").status_code == 404
    answer = as_bob.post(f"{item.pk}/transfer", email="charlie@example.com\0")
    assert answer.status_code == 422
    assert "email" in error_of(answer)["fields"]


def test_a_reason_is_kept_as_far_as_a_database_takes_it(as_alice: Person, item: Any):
    answer = as_alice.post(f"{item.pk}/refuse", reason="No\0 keys.")
    assert answer.status_code == 200, answer.content
    assert StoreVerdict.objects.get().reason == "No\ufffd keys."


def test_a_reason_has_its_limit_at_every_door(as_alice: Person, item: Any, client: Client, alice: User):
    long = "x" * (REASON_CHARACTERS + 1)
    assert as_alice.post(f"{item.pk}/refuse", reason=long).status_code == 422
    client.force_login(alice)
    held = item.versions.held().get()
    page = client.post(f"/admin/marketplace/storeversion/{held.pk}/refuse/", {"reason": long}, follow=True)
    assert f"at most {REASON_CHARACTERS} characters" in page.content.decode()
    assert not StoreVerdict.objects.exists()


def test_a_description_that_is_no_text_is_refused(as_bob: Person, item: Any):
    for text in ("a\0b", "a\ud800b"):
        assert as_bob.patch(item.pk, description=text).status_code == 422
    assert as_bob.get(f"{ENTITIES}/{item.pk}").json()["description"] == "Does broom."

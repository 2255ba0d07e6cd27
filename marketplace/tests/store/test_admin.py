"""The admin's queue, and what is decided there."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import AuditLog, User
from marketplace.models import StoreEntity, StoreVersion
from marketplace.tests.planting import LONG_AGO, plant_entity, plant_version

pytestmark = pytest.mark.django_db
QUEUE = "/admin/marketplace/storeversion/"
ITEMS = "/admin/marketplace/storeentity/"


@pytest.fixture
def entity(bob: User) -> StoreEntity:
    return plant_entity(bob, "broom")


@pytest.fixture
def held(entity: StoreEntity) -> StoreVersion:
    version = entity.versions.held().get()
    finding = {
        "code": "secret", "severity": "hold", "path": "skills/broom/SKILL.md", "line": 5,
        "text": "A <b>key</b>: AKIA…", "cure": "Take it out.",
    }  # fmt: skip
    version.findings = [finding]
    version.save()
    return version


@pytest.fixture
def moderator(dana: User) -> Client:
    """Staff who moderate the flea market, and nothing else."""
    dana.user_permissions.add(Permission.objects.get(codename="moderate_store"))
    client = Client()
    client.force_login(dana)
    return client


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


class TestQueue:
    def test_what_waits_is_listed_and_the_rest_on_demand(self, moderator: Client, held: StoreVersion):
        assert text_of(moderator, QUEUE).count("field-state_chip") == 1
        assert text_of(moderator, f"{QUEUE}?state=all").count("field-state_chip") == 2
        assert "secret" in text_of(moderator, QUEUE)

    def test_it_says_in_words_why_each_is_held(self, moderator: Client, held: StoreVersion):
        findings = [{**held.findings[0], "code": code} for code in ("native_executable", "secret")]
        StoreVersion.objects.filter(pk=held.pk).update(findings=findings)
        StoreEntity.objects.update(taken_down_at=LONG_AGO)
        assert "native executable, secret, taken down before" in text_of(moderator, QUEUE)

    def test_findings_changes_and_files_are_shown(self, moderator: Client, held: StoreVersion):
        page = text_of(moderator, f"{QUEUE}{held.pk}/change/")
        assert "A &lt;b&gt;key&lt;/b&gt;" in page
        assert "skills/broom/SKILL.md:5" in page
        assert "<del>-Sweep.</del>" in page
        assert "<ins>+Sweep well.</ins>" in page
        assert f"/api/store/entities/{held.entity_id}/versions/2/files/skills/broom/SKILL.md" in page

    def test_one_click_releases(self, moderator: Client, dana: User, held: StoreVersion):
        answer = moderator.post(f"{QUEUE}{held.pk}/release/", follow=True)
        assert "is published" in answer.content.decode()
        held.refresh_from_db()
        assert (held.state, held.entity.served_id) == ("published", held.pk)
        assert AuditLog.objects.get(action="store.release").actor == dana.pk
        again = moderator.post(f"{QUEUE}{held.pk}/release/", follow=True)
        assert "does not wait" in again.content.decode()

    def test_a_refusal_needs_a_reason(self, moderator: Client, held: StoreVersion):
        answer = moderator.post(f"{QUEUE}{held.pk}/refuse/", {"reason": ""}, follow=True)
        assert "reason is missing" in answer.content.decode()
        moderator.post(f"{QUEUE}{held.pk}/refuse/", {"reason": "Not this key."})
        held.refresh_from_db()
        assert held.state == "refused"
        assert "Not this key." in text_of(moderator, f"{QUEUE}{held.pk}/change/")
        assert StoreEntity.objects.get().state == "published"

    def test_a_pack_that_is_lost_hides_no_decision(self, moderator: Client, held: StoreVersion):
        StoreVersion.objects.filter(pk=held.pk).update(pack="store/nowhere.zip")
        page = text_of(moderator, f"{QUEUE}{held.pk}/change/")
        assert "cannot be read" in page
        assert "Refuse" in page


class TestItems:
    def test_a_takedown(self, moderator: Client, entity: StoreEntity):
        page = text_of(moderator, f"{ITEMS}{entity.pk}/change/")
        assert f"/marketplace/flea/{entity.pk}/" in page
        answer = moderator.post(f"{ITEMS}{entity.pk}/takedown/", {"reason": "Harmful."}, follow=True)
        assert "taken down" in answer.content.decode()
        entity.refresh_from_db()
        assert (entity.state, entity.served, bool(entity.taken_down_at)) == ("archived", None, True)

    def test_nothing_is_changed_or_deleted_here(self, moderator: Client, entity: StoreEntity):
        assert moderator.get(f"{ITEMS}add/").status_code == 403
        assert moderator.post(f"{ITEMS}{entity.pk}/delete/").status_code == 403

    def test_who_only_looks_decides_nothing(self, dana: User, held: StoreVersion, client: Client):
        for model in ("storeversion", "storeentity"):
            dana.user_permissions.add(Permission.objects.get(codename=f"view_{model}"))
        client.force_login(dana)
        page = text_of(client, f"{QUEUE}{held.pk}/change/")
        assert "Release" not in page
        assert client.post(f"{QUEUE}{held.pk}/release/").status_code == 403


def test_the_list_costs_the_same_for_many(
    moderator: Client, entity: StoreEntity, django_assert_max_num_queries: Any
):
    for number in range(3, 20):
        plant_version(entity, number, "superseded", "x")
    with django_assert_max_num_queries(12):
        text_of(moderator, f"{QUEUE}?state=all")

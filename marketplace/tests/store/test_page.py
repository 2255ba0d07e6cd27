"""Items of the flea market on the pages that everybody sees."""

import pytest
from django.test import Client

from accounts.models import User
from marketplace.tests.planting import plant_entity

pytestmark = pytest.mark.django_db


def test_the_list_and_the_page_show_it_without_a_marketplace(client: Client, bob: User, charlie: User):
    entity = plant_entity(bob, "broom")
    client.force_login(charlie)
    assert "broom" in client.get("/marketplace/").content.decode()
    page = client.get(f"/marketplace/flea/{entity.pk}/").content.decode()
    assert "by Bob" in page
    assert "broom:broom" in page
    assert "None" not in page
    assert client.get("/marketplace/flea/999/").status_code == 404
    assert client.get(f"/marketplace/curated/{entity.pk}/").status_code == 404

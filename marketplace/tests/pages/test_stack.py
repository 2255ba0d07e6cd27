"""One's stack by its pages: buttons, the lines to paste, and what is not served."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from accounts import tokens
from accounts.models import User
from marketplace.catalogue.registering import add_marketplace, read_location
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.models import StackItem
from marketplace.tests.pages.test_list import shown, text_of
from marketplace.tests.planting import plant_entity
from marketplace.tests.repositories import Repository, entry, marketplace, plugin

pytestmark = pytest.mark.django_db
STACK = "/marketplace/stack/"
TIDY = {"source": "curated", "ref_id": "kits/tidy", "next": "/marketplace/curated/kits/tidy/"}


@pytest.fixture
def browser(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def kits(run: Any, repository: Repository) -> None:
    repository.commit(marketplace(entry("tidy")) | plugin("tidy", commands=["sweep"]))
    sync_marketplace(add_marketplace(read_location(repository.url), slug="kits"))


def press(browser: Client, name: str, **said: str) -> str:
    answer = browser.post(f"{STACK}{name}/", said, follow=True)
    assert answer.status_code == 200
    return text_of(answer.content.decode())


def test_a_curated_plugin_is_added_and_removed_on_its_page(browser: Client, kits: None, bob: User):
    assert "Nobody has it in their stack yet." in shown(browser, TIDY["next"])
    text = press(browser, "add", **TIDY)
    assert "It is in your stack." in text
    assert "claude plugin install tidy@agnes" in text
    assert "1 person has it in their stack." in text
    assert "1 person has" in text
    text = press(browser, "remove", **TIDY)
    assert "It is no longer in your stack." in text
    assert "Add to my stack" in text
    assert not StackItem.objects.exists()


def test_an_item_of_the_flea_market_is_added(browser: Client, charlie: User, bob: User):
    entity = plant_entity(charlie, "broom")
    said = {"source": "flea", "ref_id": str(entity.pk), "next": f"/marketplace/flea/{entity.pk}/"}
    assert "claude plugin install broom@agnes" in press(browser, "add", **said)
    text = text_of(shown(browser, STACK))
    assert "broom" in text
    assert "claude plugin install broom@agnes" in text
    assert f"claude plugin marketplace add http://agnes:TOKEN@127.0.0.1:8000/m/{bob.pk}.git" in text


def test_a_namespace_that_is_taken_is_explained(browser: Client, kits: None, tmp_path: Any):
    other = Repository(tmp_path / "repositories" / "other")
    other.commit(marketplace(entry("neat")) | plugin("neat", name="Tidy", commands=["x"]))
    sync_marketplace(add_marketplace(read_location(other.url), slug="other"))
    press(browser, "add", **TIDY)
    there = "/marketplace/curated/other/neat/"
    text = press(browser, "add", source="curated", ref_id="other/neat", next=there)
    assert "could not tell their commands and skills apart" in text
    assert "Remove kits/tidy from your stack first." in text
    assert "Add to my stack" in text


def test_what_was_taken_down_says_why_and_can_be_removed(browser: Client, alice: User, charlie: User):
    entity = plant_entity(charlie, "broom")
    said = {"source": "flea", "ref_id": str(entity.pk)}
    press(browser, "add", **said)
    browser.force_login(alice)
    browser.post(f"/marketplace/flea/{entity.pk}/take-down/", {"reason": "Harmful."})
    browser.force_login(StackItem.objects.get().user)
    page = shown(browser, STACK)
    assert "Not served: It was withdrawn, taken down, or waits for an admin." in text_of(page)
    assert f"/marketplace/flea/{entity.pk}/" not in page
    assert "broom" not in press(browser, "remove", **said)


def test_nothing_leads_away_from_here(browser: Client, kits: None):
    for there in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "home", "nowhere"):
        answer = browser.post(f"{STACK}add/", {**TIDY, "next": there})
        assert answer["Location"] == STACK


def test_what_is_not_there_is_told(browser: Client, kits: None):
    for ref_id in ("kits/none", "a\0b", ""):
        assert "There is no" in press(browser, "add", source="curated", ref_id=ref_id)


def test_it_leads_to_a_token_whose_page_shows_the_line_to_paste(browser: Client, bob: User):
    page = shown(browser, STACK)
    [address] = re.findall(r'href="(/tokens/\?[^"]+)"', page)
    form = shown(browser, html.unescape(address))
    assert form.count(" checked") == 1
    assert 'value="marketplace"' in form.split(" checked")[0].rpartition("<input")[2]
    assert 'value="Claude Code"' in form
    said = {"name": "Claude Code", "scopes": ["marketplace"], "days": "365"}
    text = text_of(browser.post("/tokens/", said, follow=True).content.decode())
    line = rf"claude plugin marketplace add http://agnes:(agnes_\w+)@127.0.0.1:8000/m/{bob.pk}.git"
    found = re.search(line, text)
    assert found
    token = tokens.authenticate(found[1])
    assert token is not None
    assert (token.user, token.scopes) == (bob, ["marketplace"])

"""Everybody's own access tokens, by their page."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import AccessToken, AuditLog, Scope, User

pytestmark = pytest.mark.django_db
PAGE = "/tokens/"
PLAIN = re.compile(r"agnes_[a-z0-9]{12}_[A-Za-z0-9]{40}")
FORM = {"name": "laptop", "scopes": ["upload", "read"], "days": "30"}


@pytest.fixture
def browser(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def shown(browser: Client, address: str = PAGE) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def issue(user: User, name: str = "laptop", **more: Any) -> AccessToken:
    return tokens.issue(user, name=name, scopes=[Scope.UPLOAD], **more)[0]


class TestMakingOne:
    def test_the_secret_is_shown_once_and_works(self, browser: Client, bob: User):
        made = browser.post(PAGE, FORM)
        assert made.status_code == 302
        answer = browser.get(made["Location"])
        [plain] = set(PLAIN.findall(answer.content.decode()))
        assert "no-store" in answer["Cache-Control"]
        found = tokens.authenticate(plain)
        assert found is not None
        assert (found.user, found.name, found.scopes) == (bob, "laptop", ["read", "upload"])
        assert found.expires_at is not None
        assert timedelta(days=29) < found.expires_at - timezone.now() <= timedelta(days=30)
        again = browser.get(made["Location"], follow=True).content.decode()
        assert "was shown once" in again
        for page in (again, shown(browser)):
            assert plain.rsplit("_", 1)[1] not in page
        assert AccessToken.objects.count() == 1

    def test_it_is_audited(self, browser: Client, bob: User):
        browser.post(PAGE, FORM)
        row = AuditLog.objects.get(action="token.create")
        assert (row.actor, row.client_kind) == (bob.pk, "web")
        assert row.params == {"user": bob.pk, "scopes": ["read", "upload"]}

    def test_it_need_not_expire(self, browser: Client):
        browser.post(PAGE, {**FORM, "days": ""})
        assert AccessToken.objects.get().expires_at is None

    @pytest.mark.parametrize(
        "wrong",
        [
            {"name": ""}, {"name": "x" * 101}, {"name": "a\0b"}, {"scopes": []}, {"scopes": ["everything"]},
            {"days": "99999"}, {"days": "-1"}, {"days": "x"},
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_told_and_makes_nothing(self, browser: Client, wrong: dict[str, Any]):
        answer = browser.post(PAGE, {**FORM, **wrong})
        assert answer.status_code == 422
        assert "errorlist" in answer.content.decode()
        assert not AccessToken.objects.exists()

    def test_to_administer_is_for_staff(self, browser: Client, dana: User):
        form = {**FORM, "scopes": ["admin"]}
        assert 'value="admin"' not in shown(browser)
        assert browser.post(PAGE, form).status_code == 422
        browser.force_login(dana)
        assert 'value="admin"' in shown(browser)
        assert browser.post(PAGE, form).status_code == 302
        assert AccessToken.objects.get().scopes == ["admin"]

    def test_a_link_fills_in_the_form(self, browser: Client):
        page = shown(browser, f"{PAGE}?name=%3Cb%3Elab&scopes=marketplace&days=365&scopes=nonsense")
        assert 'value="&lt;b&gt;lab"' in page
        assert page.count(" checked") == 1
        assert '<option value="365" selected>' in page

    def test_somebody_else_is_shown_nothing(self, browser: Client, charlie: User):
        made = browser.post(PAGE, FORM)
        browser.force_login(charlie)
        assert browser.get(made["Location"]).status_code == 404

    def test_nobody_has_more_than_anybody_needs(self, browser: Client, bob: User, monkeypatch: Any):
        monkeypatch.setattr(tokens, "MOST_OWN", 2)
        first, _ = issue(bob), issue(bob)
        answer = browser.post(PAGE, FORM)
        assert answer.status_code == 409
        assert "Revoke one that you do not need any more." in answer.content.decode()
        tokens.revoke(first, by=bob)
        assert browser.post(PAGE, FORM).status_code == 302

    def test_other_sites_make_none(self, bob: User):
        client = Client(enforce_csrf_checks=True)
        client.force_login(bob)
        assert client.post(PAGE, FORM).status_code == 403
        assert not AccessToken.objects.exists()

    def test_a_token_makes_no_further_ones(self, client: Client, bob: User, token_for: Any):
        token = token_for(bob, *Scope)
        answer = client.post(PAGE, FORM, headers={"authorization": f"Bearer {token}"})
        assert answer["Location"].startswith("/admin/login/")
        assert AccessToken.objects.count() == 1


class TestTheList:
    def test_it_shows_ones_own_and_what_became_of_them(self, browser: Client, bob: User, charlie: User):
        past = timezone.now() - timedelta(days=1)
        issue(bob, "at work"), issue(bob, "long ago", expires_at=past), issue(charlie, "somebody's")
        tokens.revoke(issue(bob, "lost"), by=bob)
        page = shown(browser)
        usable, _, ended = page.partition("Revoked and expired")
        assert "at work" in usable
        assert "long ago" in ended
        assert "lost" in ended
        assert "somebody" not in page

    def test_it_is_one_click_away(self, browser: Client):
        assert f'href="{PAGE}"' in shown(browser, "/marketplace/")


class TestRevoking:
    def test_it_ends_at_once(self, browser: Client, bob: User):
        token, plain = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        address = f"{PAGE}{token.pk}/revoke/"
        assert f'action="{address}"' in shown(browser)
        page = browser.post(address, follow=True).content.decode()
        assert "“laptop” is revoked." in page
        assert f'action="{address}"' not in page
        assert tokens.authenticate(plain) is None
        row = AuditLog.objects.get(action="token.revoke")
        assert (row.actor, row.target) == (bob.pk, f"token:{token.key_id}")

    def test_nobody_elses(self, browser: Client, charlie: User):
        token, plain = tokens.issue(charlie, name="laptop", scopes=[Scope.UPLOAD])
        assert browser.post(f"{PAGE}{token.pk}/revoke/").status_code == 404
        assert tokens.authenticate(plain) is not None

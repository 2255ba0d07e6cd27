"""Signing in by a provider: there, back, and who is let in. The provider is oidc_provider.py's, over HTTP."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditLog, User
from accounts.tests import oidc_provider
from accounts.tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Any]


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """Running, and configured."""
    cache.clear()
    with oidc_provider.running() as provider:
        settings.AGNES_URL = "http://127.0.0.1:8000"
        settings.OIDC_ISSUER = provider.url
        settings.OIDC_CLIENT_ID = CLIENT_ID
        settings.OIDC_CLIENT_SECRET = CLIENT_SECRET
        settings.OIDC_ALLOWED_DOMAINS = ["example.com"]
        settings.AUTHENTICATION_BACKENDS = [
            *settings.AUTHENTICATION_BACKENDS,
            "accounts.oidc.backend.ProviderBackend",
        ]
        yield provider
    cache.clear()


def back_from(provider: Provider, client: Client, query: str = "") -> str:
    """The address with which the provider sends the browser back."""
    there = client.get(f"/sign-in/{query}")
    assert there.status_code == 302, there.content
    assert there["Location"].startswith(f"{provider.url}/authorize?")
    return httpx.get(there["Location"]).headers["Location"].removeprefix("http://127.0.0.1:8000")


@pytest.fixture
def sign_in(provider: Provider, client: Client) -> SignIn:
    """The answer to a browser that went there and came back."""
    return lambda query="", browser=client: browser.get(back_from(provider, browser, query))


def person_in(client: Client) -> str:
    """Who is signed in."""
    user_id = client.session.get("_auth_user_id")
    return User.objects.get(pk=user_id).email if user_id else ""


class TestSigningIn:
    def test_a_new_person_gets_an_account(self, sign_in: SignIn, client: Client):
        answer = sign_in()
        assert (answer.status_code, answer["Location"]) == (302, "/")
        person = User.objects.get()
        assert (person.email, person.name) == ("erin@example.com", "Erin")
        assert not person.is_staff
        assert not person.has_usable_password()
        assert person_in(client) == "erin@example.com"
        assert client.get("/marketplace/").status_code == 200
        rows = AuditLog.objects.order_by("pk").values_list("action", "actor", "target")
        target = f"user:{person.pk}"
        assert list(rows) == [
            ("user.create", person.pk, target),
            ("user.link", person.pk, target),
            ("auth.login", person.pk, target),
        ]

    def test_who_has_an_account_keeps_it(
        self, sign_in: SignIn, provider: Provider, client: Client, bob: User
    ):
        provider.claims["email"] = "Bob@Example.com"
        sign_in()
        assert person_in(client) == "bob@example.com"
        bob.refresh_from_db()
        assert (bob.name, bob.has_usable_password()) == ("Bob", True)
        assert User.objects.count() == 1

    def test_at_the_next_visit_the_id_counts_and_not_the_address(
        self, sign_in: SignIn, provider: Provider, client: Client
    ):
        sign_in()
        provider.claims["email"] = "married@example.com"
        sign_in("", Client())
        assert User.objects.get().email == "erin@example.com"

    def test_an_admin_comes_to_the_admin(self, sign_in: SignIn, provider: Provider, alice: User):
        provider.claims["email"] = "alice@example.com"
        assert sign_in()["Location"] == "/admin/"

    @pytest.mark.parametrize(
        ("asked", "led"),
        [
            ("/marketplace/stack/", "/marketplace/stack/"),
            ("https://evil.example/", "/"),
            ("//evil.example/", "/"),
            ("nowhere", "/"),
            ("/admin/activity/", "/"),
        ],
    )
    def test_it_leads_on_to_where_one_wanted_to_go(self, sign_in: SignIn, asked: str, led: str):
        assert sign_in(f"?next={asked}")["Location"] == led

    def test_the_sign_in_page_offers_it(self, provider: Provider, client: Client, settings: Any):
        settings.OIDC_NAME = "Example Ltd"
        page = client.get("/admin/login/?next=/marketplace/stack/").content.decode()
        assert (
            '<a class="button" href="/sign-in/?next=%2Fmarketplace%2Fstack%2F">Sign in with Example Ltd</a>'
            in page
        )

    def test_nothing_of_what_it_told_is_kept(self, sign_in: SignIn):
        sign_in()
        link = SocialAccount.objects.get()
        assert (link.uid, link.extra_data) == ("id-of-erin", {})

    def test_e_mail_and_groups_may_come_with_userinfo_alone(
        self, sign_in: SignIn, provider: Provider, settings: Any
    ):
        settings.OIDC_ADMIN_GROUPS = ["operators"]
        provider.userinfo = {"groups": ["operators"]}
        provider.id_token = {"email": None, "name": None, "email_verified": None}
        sign_in()
        assert User.objects.get(email="erin@example.com").is_superuser

    def test_a_provider_without_userinfo(self, sign_in: SignIn, provider: Provider, client: Client):
        provider.config = {"userinfo_endpoint": None}
        sign_in()
        assert person_in(client)

    def test_it_is_asked_once_for_what_it_says_of_itself(self, sign_in: SignIn, provider: Provider):
        for _ in range(3):
            sign_in("", Client())
        assert provider.asked.count("/.well-known/openid-configuration") == 1
        assert provider.asked.count("/keys") == 1

    def test_a_long_id(self, sign_in: SignIn, provider: Provider, client: Client):
        for end in "ab":
            provider.claims |= {"sub": "x" * 254 + end, "email": f"{end}@example.com"}
            sign_in("", browser := Client())
            assert person_in(browser) == f"{end}@example.com"


class TestRefusals:
    def refused(self, answer: Any, because: str, status: int = 403) -> None:
        assert answer.status_code == status
        page = answer.content.decode()
        assert because in page.replace("&#x27;", "'")
        assert 'href="/admin/login/"' in page

    @pytest.fixture(autouse=True)
    def nobody_is_in(self, provider: Provider, client: Client) -> Iterator[None]:
        yield
        assert person_in(client) == ""

    def test_another_domain(self, sign_in: SignIn, provider: Provider):
        for email in ("erin@evil.example", "erin@example.com.evil.example", "erin@notexample.com"):
            provider.claims["email"] = email
            self.refused(sign_in(), "People with your e-mail address may not sign in here.")
        assert not User.objects.exists()
        row = AuditLog.objects.get()
        assert (row.action, row.result, row.target) == ("auth.login", "refused", "")

    def test_an_address_that_is_not_verified(self, sign_in: SignIn, provider: Provider, bob: User):
        for claimed in (False, "false", None):
            provider.claims |= {"email": "bob@example.com", "email_verified": claimed}
            self.refused(sign_in(), "has not verified your e-mail address")

    def test_another_address_is_verified(self, sign_in: SignIn, provider: Provider, bob: User):
        provider.id_token = {"email": "bob@example.com", "email_verified": None}
        self.refused(sign_in(), "has not verified your e-mail address")

    def test_no_address(self, sign_in: SignIn, provider: Provider):
        provider.claims["email"] = None
        self.refused(sign_in(), "OIDC_SCOPES must have `email`")

    def test_who_was_deactivated(self, sign_in: SignIn, provider: Provider, bob: User):
        User.objects.update(is_active=False)
        provider.claims["email"] = "bob@example.com"
        self.refused(sign_in(), "Your account on this server is inactive.")
        assert AuditLog.objects.get(action="auth.login").target == f"user:{bob.pk}"

    def test_an_address_that_changed_hands(self, sign_in: SignIn, provider: Provider, bob: User):
        provider.claims |= {"email": "bob@example.com", "sub": "id-of-bob"}
        sign_in("", Client())
        provider.claims["sub"] = "id-of-another-bob"
        self.refused(sign_in(), "belongs to somebody whom single sign-on knows by another id")

    def test_cancelled_there(self, sign_in: SignIn, provider: Provider):
        provider.denies = True
        assert sign_in()["Location"] == "/admin/login/"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"id_token": {"iss": "https://evil.example"}},
            {"id_token": {"aud": "another-client"}},
            {"id_token": {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"}},
            {"id_token": {"exp": 1}},
            {"id_token": {"exp": None}},
            {"id_token": {"sub": None}},
            {"signing_key": "stranger"},
            {"signing_key": "stranger", "key_id": None},
            {"key_id": "unknown"},
            {"algorithm": "none"},
            {"algorithm": "HS256"},
            {"userinfo": {"sub": "somebody-else"}},
            {"without_id_token": True},
        ],
        ids=str,
    )
    def test_a_token_that_is_not_what_it_should_be(
        self, sign_in: SignIn, provider: Provider, wrong: dict[str, Any], caplog: Any
    ):
        for name, value in wrong.items():
            setattr(provider, name, value)
        self.refused(sign_in(), "Signing in with single sign-on did not work.", 502)
        assert "Signing in by the provider failed" in caplog.text
        assert not User.objects.exists()

    def test_the_answer_to_another_attempt(self, sign_in: SignIn, provider: Provider):
        provider.id_token = {"nonce": "of-another-attempt"}
        self.refused(sign_in(), "belongs to another attempt")

    def test_an_answer_that_another_browser_asked_for(self, provider: Provider, client: Client):
        """Such as a link to sign somebody in as the one who sent it."""
        self.refused(client.get(back_from(provider, Client())), "did not work", 502)

    def test_an_answer_that_comes_twice(self, provider: Provider, client: Client):
        back = back_from(provider, Client())
        client.get(back)
        self.refused(client.get(back), "did not work", 502)

    def test_a_wrong_secret(self, sign_in: SignIn, settings: Any):
        settings.OIDC_CLIENT_SECRET = "wrong"
        self.refused(sign_in(), "did not work", 502)

    def test_a_provider_that_is_another(self, provider: Provider, client: Client):
        provider.config = {"issuer": "https://evil.example"}
        self.refused(client.get("/sign-in/"), "did not work", 502)

    def test_a_provider_that_does_not_answer(self, provider: Provider, client: Client, settings: Any):
        settings.OIDC_ISSUER = "http://127.0.0.1:1"
        self.refused(client.get("/sign-in/"), "did not work", 502)


def test_a_new_key_is_fetched(sign_in: SignIn, provider: Provider, client: Client):
    sign_in("", Client())
    provider.signing_key = provider.key_id = "second"
    provider.published = ["second"]
    sign_in()
    assert person_in(client)


class TestDomains:
    def test_any_may_be_allowed(self, sign_in: SignIn, provider: Provider, client: Client, settings: Any):
        settings.OIDC_ALLOWED_DOMAINS = ["*"]
        provider.claims["email"] = "erin@elsewhere.example"
        sign_in()
        assert person_in(client)

    def test_a_private_account_at_google_is_not_the_organisations(
        self,
        sign_in: SignIn,
        provider: Provider,
        client: Client,
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
    ):
        """Its owner may have left; Google names the organisation of an account as `hd`."""
        monkeypatch.setattr("accounts.oidc.people.GOOGLE", provider.url)
        assert sign_in().status_code == 403
        provider.claims["hd"] = "example.com"
        sign_in()
        assert person_in(client)

    def test_a_provider_that_does_not_tell_may_be_trusted(
        self, sign_in: SignIn, provider: Provider, client: Client, settings: Any
    ):
        settings.OIDC_REQUIRE_VERIFIED_EMAIL = False
        provider.claims["email_verified"] = False
        assert sign_in().status_code == 403
        provider.claims["email_verified"] = None
        sign_in()
        assert person_in(client)


class TestGroups:
    @pytest.fixture(autouse=True)
    def configured(self, settings: Any) -> None:
        settings.OIDC_ADMIN_GROUPS = ["operators", "owners"]

    @pytest.mark.parametrize("groups", [["staff", "owners"], "operators"])
    def test_they_make_an_admin(self, sign_in: SignIn, provider: Provider, groups: Any):
        provider.claims["groups"] = groups
        assert sign_in()["Location"] == "/admin/"
        person = User.objects.get()
        assert (person.is_staff, person.is_superuser) == (True, True)
        row = AuditLog.objects.get(action="user.change")
        assert row.params == {"fields": ["is_staff", "is_superuser"], "is_staff": True, "is_superuser": True}

    @pytest.mark.parametrize("later", [[], ["staff"], None])
    def test_who_leaves_them_is_one_no_more(self, sign_in: SignIn, provider: Provider, later: Any):
        provider.claims["groups"] = ["operators"]
        sign_in()
        provider.claims["groups"] = later
        sign_in("", Client())
        person = User.objects.get()
        assert (person.is_staff, person.is_superuser) == (False, False)

    def test_so_it_is_where_they_are_configured_no_more(
        self, sign_in: SignIn, provider: Provider, settings: Any
    ):
        provider.claims["groups"] = ["operators"]
        sign_in()
        settings.OIDC_ADMIN_GROUPS = []
        sign_in("", Client())
        assert not User.objects.get().is_superuser

    def test_an_admin_who_was_made_here_stays_one(self, sign_in: SignIn, provider: Provider, alice: User):
        provider.claims |= {"email": "alice@example.com", "groups": ["operators"]}
        sign_in()
        provider.claims["groups"] = []
        sign_in("", Client())
        assert User.objects.get().is_superuser

    def test_their_claim_may_have_another_name(self, sign_in: SignIn, provider: Provider, settings: Any):
        settings.OIDC_GROUPS_CLAIM = "roles"
        provider.claims |= {"groups": ["operators"], "roles": ["staff", {"odd": 1}]}
        sign_in()
        assert not User.objects.get().is_staff


class TestSessions:
    def test_signing_out(self, sign_in: SignIn, client: Client):
        sign_in()
        client.post("/sign-out/")
        assert person_in(client) == ""

    def test_they_end_with_the_account(self, sign_in: SignIn, client: Client):
        sign_in()
        User.objects.update(is_active=False)
        assert client.get("/marketplace/").status_code == 302

    def test_they_end_where_it_is_configured_no_more(self, sign_in: SignIn, client: Client, settings: Any):
        sign_in()
        settings.AUTHENTICATION_BACKENDS = settings.AUTHENTICATION_BACKENDS[:1]
        assert client.get("/marketplace/").status_code == 302

    def test_rights_are_those_of_the_person(
        self, sign_in: SignIn, provider: Provider, client: Client, alice: User
    ):
        provider.claims["email"] = "alice@example.com"
        sign_in()
        assert client.get("/admin/accounts/user/").status_code == 200


class TestUnlinking:
    def test_one_person(self, sign_in: SignIn, provider: Provider, client: Client, capsys: Any):
        sign_in("", Client())
        provider.claims["sub"] = "new-id-of-erin"
        assert sign_in().status_code == 403
        call_command("oidc_unlink", "Erin@example.com")
        assert capsys.readouterr().out == "Unlinked: 1.\n"
        sign_in()
        assert person_in(client) == "erin@example.com"
        assert AuditLog.objects.filter(action="user.unlink", client_kind="command").count() == 1

    def test_everybody(self, sign_in: SignIn):
        sign_in()
        call_command("oidc_unlink", "--all")
        assert not SocialAccount.objects.exists()

    def test_nobody(self):
        with pytest.raises(CommandError, match="knows nobody"):
            call_command("oidc_unlink", "bob@example.com")


def test_what_is_asked_of_it(provider: Provider, client: Client, settings: Any):
    settings.OIDC_SCOPES = ["openid", "email", "groups"]
    asked = parse_qs(urlsplit(client.get("/sign-in/?scope=admin&process=connect")["Location"]).query)
    assert set(asked["scope"][0].split()) == {"openid", "email", "groups"}
    assert asked["redirect_uri"] == ["http://127.0.0.1:8000/sign-in/callback/"]
    assert all(name in asked for name in ("state", "nonce", "code_challenge"))


def test_it_is_not_there_unless_configured(client: Client):
    assert client.get("/sign-in/").status_code == 404
    assert "Sign in with" not in client.get("/admin/login/").content.decode()

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts import tokens
from accounts.models import AccessToken, AuditLog, User

pytestmark = pytest.mark.django_db


def run(name: str, *args: str) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


class TestCreateToken:
    def test_it_prints_a_token_that_works(self, bob: User):
        plain = run(
            "createtoken", "Bob@example.com", "--scope", "upload", "--scope", "read", "--name", "laptop"
        )
        token = tokens.authenticate(plain)
        assert token is not None
        assert (token.user, token.scopes, token.name, token.expires_at) == (
            bob,
            ["read", "upload"],
            "laptop",
            None,
        )
        assert AuditLog.objects.get().client_kind == "command"

    def test_it_ends_after_the_given_days(self, bob: User):
        run("createtoken", "bob@example.com", "--scope", "upload", "--days", "7")
        token = AccessToken.objects.get()
        assert token.expires_at is not None
        assert (token.expires_at - token.created_at).days in (6, 7)

    @pytest.mark.parametrize(
        ("args", "cure"),
        [
            (["nobody@example.com", "--scope", "upload"], "add them in the admin"),
            (["bob@example.com", "--scope", "upload", "--days", "0"], "use 1 to 3650"),
            (["bob@example.com", "--scope", "everything"], "choose from"),
            (["bob@example.com"], "--scope"),
            (["bob@example.com", "--scope", "upload", "--name", "x" * 300], "name: .*at most 100 characters"),
            (["bob@example.com", "--scope", "upload", "--name", ""], "name: .*blank"),
        ],
    )
    def test_wrong_input_names_the_cure(self, bob: User, args, cure):
        with pytest.raises(CommandError, match=cure):
            run("createtoken", *args)
        assert not AccessToken.objects.exists()


class TestSeedAdmin:
    def test_it_generates_a_password_and_shows_it_once(self, client):
        output = run("seed_admin")
        password = output.rsplit(" ", 1)[1]
        assert client.login(username="admin@example.com", password=password)
        assert run("seed_admin") == "Admin: admin@example.com"

    def test_it_takes_the_configured_admin(self, settings, client):
        settings.SEED_ADMIN_EMAIL, settings.SEED_ADMIN_PASSWORD = "Olga@Example.com", "from the vault"
        assert run("seed_admin") == "Admin: olga@example.com"
        assert client.login(username="olga@example.com", password="from the vault")

    def test_it_leaves_an_existing_superuser_alone(self, alice: User, settings):
        settings.SEED_ADMIN_EMAIL, settings.SEED_ADMIN_PASSWORD = "olga@example.com", "from the vault"
        assert run("seed_admin") == "Admin: alice@example.com"
        assert User.objects.count() == 1

    def test_a_person_with_that_address_becomes_admin(self, bob: User, settings, client):
        settings.SEED_ADMIN_EMAIL = "bob@example.com"
        assert run("seed_admin") == "Admin: bob@example.com"
        bob.refresh_from_db()
        assert bob.is_superuser
        assert client.login(username="bob@example.com", password="correct horse battery staple")

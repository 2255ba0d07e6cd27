import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import AccessToken, AuditLog, Scope, User

pytestmark = pytest.mark.django_db


class TestIssue:
    def test_the_text_is_recognisable_and_only_its_hmac_is_stored(self, bob: User):
        token, plain = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        assert re.fullmatch(r"agnes_[a-z0-9]{12}_[A-Za-z0-9]{40}", plain)
        secret = plain.rsplit("_", 1)[1]
        row = AccessToken.objects.filter(pk=token.pk).values().get()
        assert secret not in str(row)
        assert row["scopes"] == ["upload"]

    def test_it_is_audited_without_the_secret(self, bob: User):
        token, _ = tokens.issue(bob, name="laptop", scopes=[Scope.READ, Scope.UPLOAD])
        row = AuditLog.objects.get(action="token.create")
        assert row.target == f"token:{token.key_id}"
        assert row.params == {"user": bob.pk, "scopes": ["read", "upload"]}

    def test_it_refuses_an_unknown_scope(self, bob: User):
        with pytest.raises(ValueError, match="everything"):
            tokens.issue(bob, name="laptop", scopes=["everything"])


class TestAuthenticate:
    def test_the_text_finds_its_token(self, bob: User):
        token, plain = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        found = tokens.authenticate(plain)
        assert found == token
        assert found.user == bob

    def test_it_refuses_what_is_no_token(self, bob: User):
        _, plain = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        wrong_secret = plain[:-1] + ("a" if plain[-1] != "a" else "b")
        for text in ("", "agnes_", plain[:-1], plain + "\n", f" {plain}", wrong_secret, "agnes_é_ß", "x\x00"):
            assert tokens.authenticate(text) is None

    def test_it_refuses_another_pepper(self, bob: User, settings):
        _, plain = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        settings.TOKEN_PEPPER = "another"
        assert tokens.authenticate(plain) is None

    def test_it_refuses_expired_revoked_and_inactive(self, bob: User, charlie: User):
        past = timezone.now() - timedelta(seconds=1)
        _, expired = tokens.issue(bob, name="old", scopes=[Scope.UPLOAD], expires_at=past)
        token, revoked = tokens.issue(bob, name="lost", scopes=[Scope.UPLOAD])
        tokens.revoke(token, by=bob)
        _, locked_out = tokens.issue(charlie, name="laptop", scopes=[Scope.UPLOAD])
        User.objects.filter(pk=charlie.pk).update(is_active=False)
        assert [tokens.authenticate(plain) for plain in (expired, revoked, locked_out)] == [None] * 3

    def test_its_use_is_noted_at_most_once_a_minute(self, bob: User, django_assert_num_queries):
        token, plain = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        tokens.authenticate(plain)
        first = AccessToken.objects.get(pk=token.pk).last_used_at
        assert first is not None
        with django_assert_num_queries(1):
            tokens.authenticate(plain)
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=first - timedelta(minutes=2))
        tokens.authenticate(plain)
        later = AccessToken.objects.get(pk=token.pk).last_used_at
        assert later is not None
        assert later >= first


class TestRevoke:
    def test_it_is_audited_once(self, alice: User, bob: User):
        token, _ = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        tokens.revoke(token, by=alice)
        tokens.revoke(token, by=alice)
        row = AuditLog.objects.get(action="token.revoke")
        assert (row.actor, row.target) == (alice.pk, f"token:{token.key_id}")
        assert token.state == "revoked"

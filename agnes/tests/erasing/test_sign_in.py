"""Who signs in by the provider after an erasure is a new person, with the same id there or another one."""

import io

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from accounts.tests.test_oidc import SignIn, person_in, provider, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["provider", "sign_in"]


def test_they(sign_in: SignIn, client: Client) -> None:
    sign_in()
    [before] = User.objects.all()
    call_command("erase_person", before.email, "--erase", stdout=io.StringIO())
    assert not SocialAccount.objects.exists()
    assert not person_in(client)
    again = Client()
    sign_in("", again)
    assert person_in(again) == before.email
    assert User.objects.get(email=before.email).pk != before.pk
    assert SocialAccount.objects.get().user_id != before.pk

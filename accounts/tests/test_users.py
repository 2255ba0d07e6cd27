import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.errors import NeverDeleted
from accounts.models import User

pytestmark = pytest.mark.django_db


class TestUser:
    def test_the_email_is_the_login_and_kept_in_lower_case(self):
        user = User.objects.create_user(" Erin@Example.COM ", "pass-phrase")
        assert user.email == "erin@example.com"
        assert User.objects.get(email="ERIN@example.com") == user
        assert User.objects.get_by_natural_key("Erin@Example.com") == user

    def test_two_people_cannot_differ_by_case_only(self, bob: User):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create_user("BOB@example.com")

    def test_the_database_refuses_upper_case_that_goes_around_the_model(self, bob: User):
        from django.db import connection

        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_user SET email = 'Bob@example.com'")

    def test_without_a_password_nobody_can_sign_in(self, client):
        User.objects.create_user("erin@example.com")
        assert not client.login(username="erin@example.com", password="")

    def test_the_time_zone_must_exist(self, bob: User):
        bob.time_zone = "Europe/Atlantis"
        with pytest.raises(ValidationError, match="Europe/Berlin"):
            bob.full_clean()

    def test_nobody_is_ever_deleted(self, bob: User):
        with pytest.raises(NeverDeleted):
            bob.delete()
        with pytest.raises(NeverDeleted):
            User.objects.filter(pk=bob.pk).delete()
        assert User.objects.filter(pk=bob.pk).exists()

import pytest
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db


class TestTimeZone:
    def page(self, person: User) -> str:
        client = Client()
        client.force_login(person)
        User.objects.filter(pk=person.pk).update(last_login="2026-01-05T10:00:00Z")
        return client.get("/admin/accounts/user/").content.decode()

    def test_pages_show_the_persons_own_time(self, alice: User):
        User.objects.filter(pk=alice.pk).update(time_zone="Asia/Tokyo")
        assert "2026-01-05 19:00:00 JST" in self.page(alice)

    def test_a_zone_that_is_gone_becomes_utc(self, alice: User):
        User.objects.filter(pk=alice.pk).update(time_zone="Europe/Atlantis")
        assert "2026-01-05 10:00:00 UTC" in self.page(alice)

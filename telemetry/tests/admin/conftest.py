from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from telemetry.models import SessionTranscript
from telemetry.tests.planting import plant_transcript

Page = Callable[[str], str]


@pytest.fixture
def admin_client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def page(admin_client: Client) -> Page:
    """`page("usageevent/?q=x")` is the text of that page of telemetry's admin."""

    def text(address: str) -> str:
        answer = admin_client.get(f"/admin/telemetry/{address}")
        assert answer.status_code == 200, (answer.status_code, answer.headers)
        return answer.content.decode()

    return text


@pytest.fixture
def viewer(dana: User) -> Client:
    """Staff who may look at transcripts, and nothing else."""
    dana.user_permissions.add(Permission.objects.get(codename="view_sessiontranscript"))
    client = Client()
    client.force_login(dana)
    return client


@pytest.fixture
def transcript(bob: User) -> SessionTranscript:
    return plant_transcript(bob)

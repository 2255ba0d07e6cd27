"""Staff who may only look see no action: on no page of the admin."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from agnes.tests.routes import world
from telemetry.models import SessionProcessorState
from telemetry.models.transcripts import Session

# What every page has: signing out, and searching a list.
HARMLESS = re.compile(
    r'<form[^>]*(?:id="(?:logout-form|changelist-search)"|method="get"|role="search").*?</form>', re.DOTALL
)
ACTIONS = {
    "actions of a list": re.compile(r'name="action" aria-label|class="action-select"|id="action-toggle"'),
    "a link to add": re.compile(r'class="addlink"|href="[^"]*/add/'),
    "a link to change": re.compile(r'class="changelink"'),
    "a link to delete": re.compile(r'class="deletelink"|href="[^"]*/delete/'),
    "a button": re.compile(r'type="submit"|<button(?! class="(?:theme-toggle|sticky toggle-nav-sidebar)")'),
    "a link to export": re.compile(r'href="[^"]*/export/'),
}


@pytest.fixture
def viewer(dana: User) -> Client:
    """Staff with every view permission, and no other."""
    dana.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(dana)
    return client


def actions_on(page: str) -> dict[str, str]:
    """What is offered, and the first piece of the page that does."""
    rest = HARMLESS.sub("", page[page.index("<body") :])
    found = {what: pattern.search(rest) for what, pattern in ACTIONS.items()}
    return {what: match[0] for what, match in found.items() if match}


@pytest.mark.django_db
class TestWhoMayOnlyLook:
    def test_sessions_take_the_permission_to_read_transcripts(self, viewer: Client):
        assert viewer.get(reverse("admin:telemetry_session_changelist")).status_code == 403

    def test_lists_and_details_offer_no_action(self, viewer: Client, bob: User):
        world(bob)
        offered = {}
        for model in set(admin.site._registry) - {Session}:
            prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            row = model._default_manager.order_by("pk")[0]
            for address in (reverse(f"{prefix}_changelist"), reverse(f"{prefix}_change", args=[row.pk])):
                answer = viewer.get(address)
                assert answer.status_code == 200, address
                if found := actions_on(answer.content.decode()):
                    offered[address] = found
        assert not offered

    def test_neither_does_the_front_page(self, viewer: Client, bob: User):
        world(bob)
        SessionProcessorState.objects.update(attempts=3, processed_at=None)
        page = viewer.get("/admin/").content.decode()
        assert "given up" in page
        assert not actions_on(page)

    def test_an_admin_is_offered_them(self, alice: User, bob: User):
        """So that the test above can fail."""
        names = world(bob)
        client = Client()
        client.force_login(alice)
        transcripts = client.get("/admin/telemetry/sessiontranscript/").content.decode()
        assert {"actions of a list", "a button"} <= set(actions_on(transcripts))
        events = client.get("/admin/telemetry/usageevent/").content.decode()
        assert "a link to export" in actions_on(events)
        group = client.get(f"/admin/auth/group/{names['group']}/change/").content.decode()
        assert {"a button", "a link to delete"} <= set(actions_on(group))

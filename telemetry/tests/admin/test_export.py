"""The page from which usage data is exported."""

import csv
import io

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import AuditLog, User
from telemetry.tests.admin.conftest import Page
from telemetry.tests.export.conftest import build_events, event

pytestmark = pytest.mark.django_db
URL = "/admin/telemetry/usageevent/export/"
EMPTY = {"dataset": "events", "format": "csv", "since": "", "until": "", "person": "", "source": ""}


@pytest.fixture
def export(admin_client: Client):
    return lambda **fields: admin_client.post(URL, {**EMPTY, **fields})


@pytest.fixture(autouse=True)
def some_events(bob: User) -> None:
    build_events(event(0, user_id=bob.pk, tool_name="=1+1"), event(5, source="flea"))


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


class TestExport:
    def test_the_list_of_events_has_a_button(self, page: Page):
        assert f'<a href="{URL}">Export</a>' in page("usageevent/")

    def test_it_shows_the_filters_and_as_of_when_the_data_is(self, page: Page):
        text = page("usageevent/export/")
        for name in EMPTY:
            assert f'name="{name}"' in text
        assert "2026-06-01 12:00" in text

    def test_a_download_is_safe_for_spreadsheets(self, export, alice: User):
        answer = export()
        assert answer["Content-Disposition"] == 'attachment; filename="agnes-events.csv"'
        rows = list(csv.DictReader(io.StringIO(body(answer).decode(), newline="")))
        assert [row["tool_name"] for row in rows] == ["'=1+1", "x"]
        row = AuditLog.objects.get(action="usage.export")
        assert (row.actor, row.client_kind) == (alice.pk, "web")
        assert row.params == {"dataset": "events", "format": "csv", "spreadsheet_safe": True, "rows": 2}

    def test_its_filters_filter(self, export):
        for rows, filters in (
            ("1", {"person": "bob@example.com"}),
            ("1", {"source": "flea", "format": "json"}),
            ("1", {"since": "2026-05-02"}),
            ("0", {"until": "2026-05-01", "format": "parquet"}),
        ):
            answer = export(**filters)
            assert answer["X-Agnes-Rows"] == rows
            # Read to its end, so that it leaves its place to the next.
            body(answer)

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"since": "tomorrow"}, "A date, or a date-time with zone"),
            ({"since": "2026-05-02", "until": "2026-05-01"}, "Must be later than since"),
            ({"person": "nobody@example.com"}, "There is no person nobody@example.com"),
            ({"person": "nobody@example.com", "since": "tomorrow"}, "A date, or a date-time with zone"),
            ({"dataset": "tool_daily", "person": "bob@example.com"}, "tool_daily has no column user_id"),
            ({"dataset": "sessions", "source": "flea"}, "data set sessions has no column source"),
            ({"format": "xml"}, "Select a valid choice"),
        ],
    )
    def test_what_is_wrong_is_told_in_the_form(self, export, fields: dict[str, str], says: str):
        answer = export(**fields)
        assert answer.status_code == 422
        text = answer.content.decode()
        assert says.lower() in text.lower()
        for value in fields.values():
            assert value in text
        assert not AuditLog.objects.filter(action="usage.export").exists()

    def test_what_fails_is_told_on_the_page(self, export, monkeypatch):
        from telemetry.models import LakeSnapshot

        LakeSnapshot.objects.update(is_complete=False)
        monkeypatch.setattr("telemetry.export.exporting.publish_if_quick", lambda: None)
        answer = export()
        assert answer.status_code == 503
        assert "The lake is not built yet." in answer.content.decode()


class TestWhoMay:
    def test_who_only_looks_at_events_sees_no_button(self, dana: User):
        dana.user_permissions.add(Permission.objects.get(codename="view_usageevent"))
        client = Client()
        client.force_login(dana)
        assert URL not in client.get("/admin/telemetry/usageevent/").content.decode()
        assert client.get(URL).status_code == 403
        assert client.post(URL, EMPTY).status_code == 403

    def test_the_permission_is_enough(self, dana: User):
        dana.user_permissions.add(Permission.objects.get(codename="export_usage"))
        client = Client()
        client.force_login(dana)
        assert client.get(URL).status_code == 200
        assert client.post(URL, EMPTY)["X-Agnes-Rows"] == "2"

    def test_not_from_another_site(self, alice: User):
        client = Client(enforce_csrf_checks=True)
        client.force_login(alice)
        assert client.post(URL, EMPTY).status_code == 403

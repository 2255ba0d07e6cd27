from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import AuditLog, User
from telemetry.models import (
    SessionProcessorClaim,
    SessionProcessorState,
    SessionTranscript,
    VerificationFinding,
)
from telemetry.processors.attempts import DIED
from telemetry.processors.runner import run
from telemetry.tests.admin.conftest import Page
from telemetry.tests.builders import SESSION, assistant_line, tool_use, user_line
from telemetry.tests.planting import plant_state, plant_summary, plant_transcript, store

pytestmark = pytest.mark.django_db
LIST = "/admin/telemetry/sessiontranscript/"


def found(page: str) -> list[str]:
    """The session ids of a list page's rows."""
    rows = page.split('<th class="field-session">')[1:]
    return [row.split("</a>")[0].rsplit(">", 1)[1] for row in rows]


class TestList:
    def test_it_shows_a_real_upload_and_how_far_it_is(self, bob: User, page: Page):
        store(bob, user_line("Hello"), assistant_line(tool_use("Bash")))
        waiting = page("sessiontranscript/")
        assert len(found(waiting)) == 1
        assert f'title="{SESSION}"' in waiting
        assert waiting.count('<span class="chip ">waiting</span>') == 2
        assert "bob@example.com" in waiting
        run("usage")
        assert '<span class="chip chip-good">done</span>' in page("sessiontranscript/")

    def test_trouble_is_told_in_words_with_its_error(self, transcript: SessionTranscript, page: Page):
        plant_state(transcript, processed_at=None, attempts=3, last_error="ValueError: no")
        plant_state(transcript, "verification", processed_at=None, attempts=1, last_error=DIED)
        shown = page("sessiontranscript/")
        assert '<span class="chip chip-bad">given up</span>' in shown
        assert '<span class="chip chip-look">failed</span>' in shown
        assert "usage: ValueError: no" in shown

    def test_what_is_worked_on_has_not_failed(self, transcript: SessionTranscript, page: Page):
        plant_state(transcript, processed_at=None, attempts=1, last_error=DIED)
        SessionProcessorClaim.objects.create(
            processor_name="usage",
            user=transcript.owner,
            holder="me",
            expires_at=timezone.now() + timedelta(minutes=1),
        )
        shown = page("sessiontranscript/")
        assert ">at work<" in shown
        assert DIED not in shown

    def test_a_new_revision_waits(self, transcript: SessionTranscript, page: Page):
        plant_state(transcript, revision=transcript.revision - 1)
        assert page("sessiontranscript/").count('<span class="chip ">waiting</span>') == 2

    def test_the_filters_tell_the_states_apart(self, bob: User, page: Page):
        open_state: dict[str, Any] = {"processed_at": None, "last_error": "x"}
        plant_state(plant_transcript(bob, "done"))
        plant_state(plant_transcript(bob, "failed"), attempts=2, **open_state)
        plant_state(plant_transcript(bob, "given_up"), attempts=3, **open_state)
        plant_state(plant_transcript(bob, "old", revision=2), revision=1, attempts=3, **open_state)
        plant_transcript(bob, "new")
        expected = {
            "done": ["done"],
            "failed": ["failed"],
            "given_up": ["given_up"],
            "waiting": ["new", "old"],
        }
        got = {state: sorted(found(page(f"sessiontranscript/?usage={state}"))) for state in expected}
        assert got == expected
        assert len(found(page("sessiontranscript/?verification=waiting"))) == 5

    def test_the_filters_take_days_and_a_person(self, bob: User, charlie: User, page: Page):
        plant_transcript(bob, "first", received_at=datetime(2026, 5, 1, 23, 59, 59, tzinfo=UTC))
        plant_transcript(charlie, "second", received_at=datetime(2026, 5, 2, tzinfo=UTC))
        for query, sessions in (
            ("?since=2026-05-02", ["second"]),
            ("?until=2026-05-01", ["first"]),
            ("?since=2026-05-01&until=2026-05-02", ["second", "first"]),
            (f"?person={bob.pk}", ["first"]),
            (f"?person={bob.pk}&since=2026-05-02", []),
        ):
            assert found(page(f"sessiontranscript/{query}")) == sessions, query
        form = page(f"sessiontranscript/?person={bob.pk}&q=first&p=1").split('class="days"')[1]
        assert f'<input type="hidden" name="person" value="{bob.pk}">' in form
        assert '<input type="hidden" name="q" value="first">' in form
        assert 'name="p"' not in form

    @pytest.mark.parametrize("query", ["since=yesterday", "until=9999-12-31", "person=x", "person=²"])
    def test_a_wrong_filter_leads_back_to_the_list(self, admin_client: Client, query: str):
        answer = admin_client.get(f"{LIST}?{query}")
        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")

    def test_the_search_finds_sessions_files_and_people(self, bob: User, charlie: User, page: Page):
        plant_transcript(bob, "abc-1")
        plant_transcript(bob, "abc-2")
        plant_transcript(charlie, "abc-1")
        for term, count in (
            ("abc-1", 2),
            (" abc-2 ", 1),
            (f"u{bob.pk}_abc", 2),
            (f"u{bob.pk}_abc-2.jsonl", 1),
            ("Bob@Example.com", 2),
            ("nobody@example.com", 0),
            ("abc", 0),
            ("%", 0),
        ):
            assert len(found(page(f"sessiontranscript/?q={term}"))) == count, term

    def test_its_queries_do_not_grow_with_its_rows(
        self, bob: User, page: Page, django_assert_max_num_queries
    ):
        for number in range(20):
            plant_state(plant_transcript(bob, f"s{number}"))
        with django_assert_max_num_queries(12):
            assert len(found(page("sessiontranscript/"))) == 20


class TestDetail:
    def test_it_tells_everything_about_a_transcript(self, transcript: SessionTranscript, page: Page):
        plant_state(transcript, processed_at=None, attempts=3, last_error="ValueError: <no>\nreally")
        summary = plant_summary(transcript, events=7)
        VerificationFinding.objects.create(
            session_file=transcript.session_file, kind="unknown_key", detail="newKey", count=4
        )
        shown = page(f"sessiontranscript/{transcript.pk}/change/")
        assert "ValueError: &lt;no&gt;" in shown
        assert ">given up<" in shown
        assert "a" * 64 in shown
        assert "newKey" in shown
        assert f"/admin/telemetry/usagesessionsummary/{summary.pk}/change/" in shown
        assert f"/admin/telemetry/usageevent/?q={transcript.session_file}" in shown
        assert "Process again" in shown
        assert "_save" not in shown

    def test_a_fresh_one_says_what_happens_next(self, transcript: SessionTranscript, page: Page):
        shown = page(f"sessiontranscript/{transcript.pk}/change/")
        assert "manage.py process_sessions --processor usage" in shown
        assert "Nothing yet" in shown


class TestProcessAgain:
    @pytest.fixture
    def given_up(self, transcript: SessionTranscript) -> SessionTranscript:
        plant_state(transcript, processed_at=None, attempts=3, last_error="x")
        plant_state(transcript, "verification")
        return transcript

    def is_pending(self) -> bool:
        return all(SessionTranscript.objects.pending(name).exists() for name in ("usage", "verification"))

    def test_from_the_list(self, given_up: SessionTranscript, admin_client: Client, alice: User):
        form = {"action": "process_again", "_selected_action": [given_up.pk]}
        answer = admin_client.post(LIST, form, follow=True)
        assert "1 transcript waits to be processed again." in answer.content.decode()
        assert self.is_pending()
        assert set(SessionProcessorState.objects.values_list("attempts", "last_error")) == {(0, None)}
        row = AuditLog.objects.get(action="usage.reprocess")
        assert (row.actor, row.target, row.params) == (alice.pk, given_up.audit_target, {"transcripts": 1})
        assert OrmQ.objects.exists()

    def test_from_the_detail_page(self, given_up: SessionTranscript, admin_client: Client):
        answer = admin_client.post(f"{LIST}{given_up.pk}/process-again/", follow=True)
        assert answer.redirect_chain == [(f"{LIST}{given_up.pk}/change/", 302)]
        assert "waits to be processed again" in answer.content.decode()
        assert self.is_pending()

    def test_all_that_a_filter_finds(self, given_up: SessionTranscript, bob: User, admin_client: Client):
        plant_state(plant_transcript(bob, "other"), processed_at=None, attempts=3, last_error="x")
        plant_state(plant_transcript(bob, "done"))
        form = {"action": "process_again", "_selected_action": [given_up.pk], "select_across": "1"}
        admin_client.post(f"{LIST}?usage=given_up", form)
        assert AuditLog.objects.get(action="usage.reprocess").params == {"transcripts": 2}
        pending = SessionTranscript.objects.pending("usage").values_list("session_id", flat=True)
        assert set(pending) == {"s1", "other"}

    def test_what_is_processed_again_comes_out_the_same(self, bob: User, admin_client: Client):
        store(bob, user_line("Hello"), assistant_line(tool_use("Bash")))
        before = run("usage")
        transcript = SessionTranscript.objects.get()
        admin_client.post(f"{LIST}{transcript.pk}/process-again/")
        after = run("usage")
        assert (after.processed, after.items) == (before.processed, before.items) == (1, 1)

    def test_who_may_only_look_is_offered_nothing(self, given_up: SessionTranscript, viewer: Client):
        for address in (LIST, f"{LIST}{given_up.pk}/change/"):
            answer = viewer.get(address)
            assert answer.status_code == 200
            assert "rocess again" not in answer.content.decode()
        viewer.post(LIST, {"action": "process_again", "_selected_action": [given_up.pk]})
        assert viewer.post(f"{LIST}{given_up.pk}/process-again/").status_code == 403
        assert not self.is_pending()

    def test_who_may_manage_processing_needs_no_more(
        self, given_up: SessionTranscript, viewer: Client, dana: User
    ):
        dana.user_permissions.add(Permission.objects.get(codename="manage_processing"))
        assert viewer.post(f"{LIST}{given_up.pk}/process-again/").status_code == 302
        assert self.is_pending()

    def test_an_unknown_one_is_not_found(self, admin_client: Client):
        assert admin_client.post(f"{LIST}77/process-again/").status_code == 404

    def test_nothing_is_written_or_deleted_here(self, given_up: SessionTranscript, admin_client: Client):
        assert admin_client.post(f"{LIST}add/", {}).status_code == 403
        assert admin_client.post(f"{LIST}{given_up.pk}/change/", {"revision": 9}).status_code == 403
        assert admin_client.post(f"{LIST}{given_up.pk}/delete/", {"post": "yes"}).status_code == 403
        admin_client.post(
            LIST, {"action": "delete_selected", "_selected_action": [given_up.pk], "post": "yes"}
        )
        assert SessionTranscript.objects.get().revision == given_up.revision

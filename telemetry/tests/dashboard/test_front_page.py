"""The admin's front page: figures of roll-ups, and the state of the machine."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import AuditLog, User
from telemetry.dashboard import machine
from telemetry.days import today
from telemetry.models import (
    PublishingState,
    SkillAttribution,
    UsageComponentDaily,
    UsageDaily,
    UsageDirtyDay,
    UsagePluginDaily,
    UsageToolDaily,
    UsageUserDaily,
    VerificationFinding,
    WorkerHeartbeat,
)
from telemetry.tests.planting import plant_state, plant_transcript
from telemetry.worker_heartbeat import Broker

pytestmark = pytest.mark.django_db
MOST_QUERIES = 11


def plant_day(ago: int, **figures: int) -> None:
    UsageDaily.objects.create(day=today() - timedelta(days=ago), **figures)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text_of(client: Client, address: str = "/admin/") -> str:
    page = client.get(address).content.decode()
    page = page[page.index('id="content"') :]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))).replace("\u2009", " ")


@pytest.fixture
def admin(alice: User) -> Client:
    return signed_in(alice)


class TestUsage:
    def test_figures_are_of_the_window_and_of_the_one_before(self, admin: Client):
        plant_day(0, sessions=3, invocations_builtin=60, invocations_curated=40, errors=5, output_tokens=7)
        plant_day(29, sessions=4, invocations_flea=100, errors=5, input_tokens=3, cache_read_tokens=999)
        plant_day(30, sessions=50, invocations_builtin=10, errors=1)
        text = text_of(admin)
        assert "Sessions 7 sessions in the 30 days before: 50 sessions" in text
        assert "Invocations by source 200 invocations in the 30 days before: 10 invocations" in text
        assert "Error rate 5.0 % in the 30 days before: 10.0 %" in text
        assert "Tokens 10 tokens" in text
        assert "Sessions 3 sessions in the 7 days before: 0 sessions" in text_of(admin, "/admin/?days=7")
        assert "Sessions 57 sessions" in text_of(admin, "/admin/?days=90")

    def test_people_are_counted_once_in_the_whole_window(self, admin: Client, bob: User, charlie: User):
        plant_day(0, people=2)
        plant_day(1, people=1)
        for person, ago in ((bob, 0), (bob, 1), (charlie, 0), (charlie, 40)):
            UsageUserDaily.objects.create(user=person, day=today() - timedelta(days=ago), source="builtin")
        page = admin.get("/admin/?days=7").content.decode()
        assert "Active people 2 people" in text_of(admin, "/admin/?days=7")
        assert "2 people in all. At most 2 people a day, today so far 2." in page

    def test_the_most_used_come_first(self, admin: Client):
        for ago in (0, 1):
            day: dict[str, Any] = {
                "day": today() - timedelta(days=ago),
                "source": "curated",
                "ref_id": "market/tidy",
            }
            UsagePluginDaily.objects.create(**day, invocations=6, error_count=3)
            UsageComponentDaily.objects.create(
                **day, component_kind="skill", component_name="tidy:clean", invocations=4
            )
            UsageComponentDaily.objects.create(
                **day, component_kind="agent", component_name="tidy:agent", invocations=9
            )
            for tool, number in (("Bash", 5), ("Read", 8)):
                UsageToolDaily.objects.create(
                    day=day["day"], tool_name=tool, source="builtin", invocations=number
                )
        plant_day(0)
        text = text_of(admin)
        assert "market/tidy curated 12 50.0 %" in text
        assert "tidy:clean market/tidy 8 0.0 %" in text
        assert "tidy:agent" not in text
        assert re.search(r"Read 16 .*Bash 10 ", text)

    def test_flea_items_are_called_by_their_names(self, admin: Client):
        for ref_id in ("7", "8"):
            key = {"day": today(), "source": "flea", "ref_id": ref_id}
            UsagePluginDaily.objects.create(**key, invocations=6)
            UsageComponentDaily.objects.create(
                **key, component_kind="skill", component_name=f"n{ref_id}:go", invocations=4
            )
        for identifier, kind in (("notes:", ""), ("agnes/notes", ""), ("notes:go", "skill")):
            SkillAttribution.objects.create(
                source="flea", ref_id="7", identifier=identifier, component_kind=kind, valid_to=timezone.now()
            )
        text = text_of(admin)
        assert "notes flea 6 0.0 % 8 flea 6" in text
        assert "n7:go notes 4" in text

    def test_it_says_as_of_when_and_of_which_days(self, admin: Client):
        assert "Nothing is published yet." in text_of(admin)
        PublishingState.objects.update_or_create(pk=1, defaults={"as_of": timezone.now()})
        text = text_of(admin)
        assert (
            f"{today() - timedelta(days=29)} to {today()}, UTC days, today included. As of just now" in text
        )

    def test_every_chart_has_words_and_a_table(self, admin: Client):
        plant_day(0, people=1, sessions=1, invocations_builtin=1, errors=1, output_tokens=1)
        page = admin.get("/admin/").content.decode()
        assert page.count('class="day-chart"') == 5
        assert len(re.findall(r'<svg class="day-chart"[^>]* aria-label="[^"]{20,}"', page)) == 5
        assert page.count("The same numbers as a table</summary>") == 5

    def test_days_that_are_no_choice_are_the_usual_ones(self, admin: Client):
        assert 'href="?days=30" aria-current="true"' in admin.get("/admin/?days=-1").content.decode()


class TestTheMachine:
    def test_what_waits_and_what_failed(self, admin: Client, bob: User):
        long_ago = timezone.now() - timedelta(hours=5)
        plant_transcript(bob, "waits", updated_at=long_ago)
        plant_state(plant_transcript(bob, "done"))
        plant_state(plant_transcript(bob, "failed"), attempts=3, processed_at=None)
        text = text_of(admin)
        assert "Waiting 1 transcript slow the oldest since 5 hours ago" in text
        assert "Failed 1 given up Try again" in text

    def test_as_many_wait_as_its_link_leads_to(self, admin: Client, bob: User):
        plant_transcript(bob, "waits")
        plant_state(plant_transcript(bob, "tried"), attempts=1, processed_at=None)
        assert "Waiting 1 transcript " in text_of(admin)
        assert "1 transcript" in text_of(admin, "/admin/telemetry/sessiontranscript/?usage=waiting")

    def test_very_many_are_not_counted_to_the_end(self, admin: Client, bob: User, monkeypatch: Any):
        monkeypatch.setattr(machine, "MOST_COUNTED", 3)
        for number in range(4):
            plant_transcript(bob, f"s{number}", updated_at=timezone.now() - timedelta(hours=number))
        text = text_of(admin)
        assert "Waiting 3 transcripts or more slow the oldest since 3 hours ago" in text

    def test_failed_ones_are_tried_again(self, admin: Client, alice: User, bob: User):
        state = plant_state(plant_transcript(bob, "failed"), attempts=3, processed_at=None)
        answer = admin.post("/admin/retry-failed/", follow=True)
        assert "1 transcript waits to be processed again." in answer.content.decode()
        state.refresh_from_db()
        assert state.attempts == 0
        row = AuditLog.objects.get(action="usage.reprocess")
        assert (row.actor, row.params) == (alice.pk, {"transcripts": 1})
        assert "Failed none" in text_of(admin)

    def test_how_old_the_figures_are(self, admin: Client):
        PublishingState.objects.create(pk=1, as_of=timezone.now() - timedelta(hours=2))
        assert "Published 2 hours ago nothing waits" in text_of(admin)
        UsageDirtyDay.objects.create(day=today())
        assert "Published 2 hours ago 1 change to publish, behind by" in text_of(admin)
        UsageDirtyDay.objects.create(day=today(), marked_at=timezone.now() - timedelta(hours=2))
        text = text_of(admin)
        assert "Published 2 hours ago late 2 changes to publish, behind by 2 h 0 min" in text
        PublishingState.objects.update(error="The bucket does not answer.")
        assert "Publishing fails, so figures are not up to date. The bucket does not answer." in text_of(
            admin
        )

    def test_the_worker_is_known_by_its_heartbeat(self, admin: Client):
        assert "Worker not running no sign yet" in text_of(admin)
        broker = Broker("agnes")
        broker.set_stat("django_q:agnes:cluster:1", "x", 3)
        broker.set_stat("django_q:agnes:cluster:1", "x", 3)
        assert "Worker alive last sign just now" in text_of(admin)
        WorkerHeartbeat.objects.update(beat_at=timezone.now() - timedelta(minutes=3))
        assert "Worker not running last sign 3 minutes ago" in text_of(admin)
        assert cache.get("django_q:agnes:cluster:1") == "x"

    def test_the_queue_and_the_sizes(self, admin: Client, settings: Any, own_data_folder: Any):
        OrmQ.objects.create(key="agnes", payload="x")
        (own_data_folder / "lake").mkdir()
        (own_data_folder / "lake" / "part.parquet").write_bytes(b"x" * 2048)
        text = text_of(admin)
        assert "Task queue 1 task" in text
        assert "Lake 2.0 KB" in text
        assert re.search(r"Database \d+\.\d [KMG]B", text)

    def test_findings_by_kind(self, admin: Client):
        assert "Every transcript so far is in the format" in text_of(admin)
        for number in range(3):
            VerificationFinding.objects.create(session_file=f"s{number}", kind="unknown_key", count=5)
        assert "unknown key 3" in text_of(admin)


class TestWhoSeesWhat:
    def give(self, person: User, *names: str) -> Client:
        person.user_permissions.add(*Permission.objects.filter(codename__in=names))
        return signed_in(person)

    def test_staff_without_permissions_sees_no_figure(self, dana: User):
        text = text_of(signed_in(dana))
        assert "ask an admin" in text
        assert not any(word in text for word in ("Sessions", "Worker", "Drift", "Activity"))

    def test_each_part_has_its_permission(self, dana: User):
        text = text_of(self.give(dana, "view_usagetooldaily"))
        assert "Most used: tools" in text
        assert not any(word in text for word in ("Error rate", "Most used: plugins", "Worker", "Drift"))

    def test_who_may_only_look_may_not_retry(self, dana: User, bob: User):
        plant_state(plant_transcript(bob, "failed"), attempts=3, processed_at=None)
        client = self.give(dana, "view_sessiontranscript")
        assert "Failed 1 given up" in text_of(client)
        assert "Try again" not in text_of(client)
        assert client.post("/admin/retry-failed/").status_code == 403

    @pytest.mark.parametrize("who", ["alice", "dana"])
    def test_it_asks_few_queries(self, request: Any, who: str):
        person = request.getfixturevalue(who)
        views = Permission.objects.filter(codename__startswith="view_")
        person.user_permissions.set([*views, Permission.objects.get(codename="manage_processing")])
        plant_day(0, people=1)
        client = signed_in(person)
        with CaptureQueriesContext(connection) as asked:
            client.get("/admin/")
        assert len(asked) <= MOST_QUERIES, [it["sql"][:150] for it in asked]

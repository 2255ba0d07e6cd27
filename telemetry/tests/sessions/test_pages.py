"""The page of everybody's sessions and the sessions on a person's page."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone

from accounts.models import AuditLog, User
from telemetry.admin import sessions
from telemetry.attribution.writing import Belonging, Key, replace_attribution
from telemetry.models import SessionProcessorClaim, SkillAttribution, UsageSessionItem, UsageUserDaily
from telemetry.processors.attempts import DIED
from telemetry.sessions import finding
from telemetry.tests.builders import assistant_line, tool_result, tool_use, user_line
from telemetry.tests.figures import processed
from telemetry.tests.planting import AT, plant_event, plant_state, plant_summary, plant_transcript, store
from telemetry.tests.sessions.conftest import session, subagent

pytestmark = pytest.mark.django_db
BROWSER = "/admin/telemetry/session/"


@pytest.fixture
def page(client: Client, alice: User) -> Any:
    client.force_login(alice)

    def look(address: str, status: int = 200, **query: Any) -> str:
        answer = client.get(address, query)
        assert answer.status_code == status, (answer.status_code, answer.headers)
        return answer.content.decode()

    return look


def person_page(person: User) -> str:
    return f"/admin/accounts/user/{person.pk}/change/"


def listed(text: str) -> list[str]:
    """The sessions that a page has, by what they download."""
    rows = re.findall(r'<td class="links">.*?sessions/([^/]+)/download"', text, re.DOTALL)
    return [name.removesuffix(".jsonl").split("_")[1] for name in rows]


def plant(person: User, session_id: str, *, hours: float = 0, plugin: str = "", **figures: Any) -> None:
    at = AT + timedelta(hours=hours)
    transcript = plant_transcript(person, session_id, listed_at=at)
    plant_summary(transcript, started_at=at, **figures)
    plant_state(transcript)
    if plugin:
        UsageSessionItem.objects.create(
            session_file=transcript.session_file,
            main_file=transcript.session_file,
            source="curated",
            ref_id=plugin,
            invocations=1,
            listed_at=at,
        )


def follow(page: Any, text: str, rel: str) -> Iterator[str]:
    """A page, and those that its link and theirs lead to."""
    yield text
    while link := re.search(rf'href="([^"]+)" rel="{rel}"', text):
        text = page(f"{BROWSER}{link[1].replace('&amp;', '&').removesuffix('#sessions')}")
        yield text


class TestBrowser:
    def test_it_lists_the_sessions_of_everybody_newest_first(self, page, bob: User, charlie: User):
        session(bob, "first", cwd="/srv/shop")
        session(charlie, "second", at=60, fails=True)
        subagent(charlie, "second", "a1")
        session(bob, "unprocessed-later", at=90)
        text = page(BROWSER)
        assert text.count("waiting") == 3
        processed()
        text = page(BROWSER)
        assert listed(text) == ["unprocessed-later", "second", "first"]
        assert "1 subagent transcript<" in text
        assert "/srv/shop" in text
        assert "charlie@example.com" in text
        assert "3 sessions" in text

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"person": "bob@example.com"}, ["b2", "b1"]),
            ({"model": "claude-b"}, ["c1"]),
            ({"project": "/srv/shop"}, ["b2"]),
            ({"errors": "on"}, ["b1"]),
            ({"since": "2026-05-02"}, ["c1", "b2"]),
            ({"since": "2026-05-02", "until": "2026-05-02"}, ["b2"]),
            ({"person": "bob@example.com", "errors": "on", "project": "/srv/shop"}, []),
        ],
    )
    def test_filters(self, page, bob: User, charlie: User, query: dict[str, str], found: list[str]):
        plant(bob, "b1", tool_errors=2)
        plant(bob, "b2", hours=24, cwd="/srv/shop")
        plant(charlie, "c1", hours=48, primary_model="claude-b")
        text = page(BROWSER, **query)
        assert listed(text) == found
        for name, value in query.items():
            assert f'name="{name}"' in text
            assert name == "errors" or f'value="{value}"' in text
        assert "Clear the filters" in text

    @pytest.mark.parametrize("query", [{"since": "soon"}, {"person": "nobody@example.com"}, {"older": "x"}])
    def test_a_wrong_filter_is_told(self, page, query: dict[str, str]):
        text = page(BROWSER, 422, **query)
        assert "Wrong filter" in text

    @pytest.mark.parametrize("query", [{}, {"errors": "on"}])
    def test_pages_lead_to_older_ones_and_back(self, page, bob: User, query: dict[str, str]):
        for number in range(120):
            # Three begin at the same moment.
            plant(bob, f"s{number:03}", hours=number // 3, tool_errors=1)
        older = list(follow(page, page(BROWSER, **query), "next"))
        newest_first = [f"s{number:03}" for number in reversed(range(120))]
        assert [name for text in older for name in listed(text)] == newest_first
        [_, newer, *_] = follow(page, older[-1], "prev")
        assert listed(newer) == newest_first[50:100]
        assert "120 sessions, newest first, 50 on this page" in older[0]

    @pytest.mark.parametrize(
        "query",
        [
            {"errors": "on", "model": "m1"},
            {"errors": "on", "model": "m1", "project": "/p2"},
            {"plugin": "market/kit"},
            {"plugin": "market/kit", "errors": "on"},
            {"plugin": "market/kit", "person": "bob@example.com"},
            {"person": "bob@example.com", "errors": "on"},
            {"person": "bob@example.com", "project": "/p2"},
            {"person": "bob@example.com", "project": "/p1", "plugin": "market/kit", "since": "2026-05-02"},
            {"errors": "on", "model": "m0", "project": "/p0", "until": "2026-05-04"},
        ],
        ids=lambda query: "-".join(query),
    )
    def test_a_page_looks_at_some_and_all_of_them_at_everything(
        self, page, bob: User, charlie: User, query: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ):
        """However few fit, and however few are looked at at once."""
        monkeypatch.setattr(finding, "LOOKED_AT", 7)
        fit = []
        for number in range(150):
            person = (bob, charlie)[number % 2]
            has = {
                "person": person.email,
                "errors": "on" if number % 3 == 0 else "",
                "model": f"m{number % 5}",
                "project": f"/p{number % 4}",
                "plugin": "market/kit" if number % 7 < 2 else "",
            }
            # Two begin at the same moment.
            hours = number // 2
            figures = {
                "tool_errors": bool(has["errors"]),
                "primary_model": has["model"],
                "cwd": has["project"],
            }
            plant(person, f"s{number:03}", hours=hours, **figures, plugin=has["plugin"])
            day = (AT + timedelta(hours=hours)).date().isoformat()
            days_fit = query.get("since", "") <= day <= query.get("until", "9")
            if days_fit and all(has.get(name, value) == value for name, value in query.items()):
                fit.append(f"s{number:03}")
        older = list(follow(page, page(BROWSER, **query), "next"))
        newer = list(follow(page, older[-1], "prev"))
        assert [name for text in older for name in listed(text)] == fit[::-1]
        assert [name for text in newer[::-1] for name in listed(text)] == fit[::-1]
        assert "looked as far as" in older[0] or len(older) == 1

    def test_where_none_fits_it_says_how_far_it_looked(
        self, page, bob: User, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(finding, "LOOKED_AT", 7)
        for number in range(30):
            plant(bob, f"s{number}", hours=number, tool_errors=number % 2, primary_model=f"m{number % 2}")
        text = page(BROWSER, errors="on", model="m0")
        assert "No sessions match as far as 2026-05-02 0" in text
        assert "Look further" in text
        assert "No sessions match." in list(follow(page, text, "next"))[-1]

    def test_a_plugin_that_a_subagent_used_before_its_session_was_known(self, page, bob: User):
        kit = {Key("market/kit", "kit:go"): Belonging("skill", "kit:go")}
        replace_attribution("curated", {"skills": kit})
        call = tool_use("Skill", skill="kit:go")
        agent = {"sessionId": "s1", "agentId": "a", "isSidechain": True}
        lines = [user_line("Go"), assistant_line([call]), user_line(tool_result(call["id"]))]
        store(bob, *(line | agent for line in lines))
        processed()
        assert listed(page(BROWSER, plugin="market/kit")) == []
        session(bob, "s1")
        processed()
        assert listed(page(BROWSER, plugin="market/kit")) == ["s1"]

    def test_a_session_with_very_many_subagents(self, page, bob: User, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(sessions, "SUBAGENTS", 5)
        plant(bob, "s1")
        for number in range(8):
            plant_transcript(bob, "s1", agent_id=f"a{number}", session_file=f"u{bob.pk}_s1_a{number}.jsonl")
        plant(bob, "s2", hours=1)
        text = page(BROWSER)
        assert listed(text) == ["s2", "s1"]
        assert "5 subagent transcripts" in text
        assert "There are more subagents than are listed here" in text

    def test_hostile_names_are_inert(self, page, bob: User):
        plant(bob, "s1", cwd="<script>alert(1)</script>", primary_model='"><b>x')
        text = page(BROWSER)
        assert "<script>alert" not in text
        assert '"><b>x' not in text

    def test_empty_and_filtered_to_nothing(self, page):
        assert "No sessions yet." in page(BROWSER)
        assert "No sessions match." in page(BROWSER, model="none")

    def test_it_needs_the_permission_to_read(self, client: Client, dana: User, bob: User):
        plant(bob, "s1")
        client.force_login(dana)
        dana.user_permissions.add(Permission.objects.get(codename="view_sessiontranscript"))
        assert client.get(BROWSER).status_code == 403
        dana.user_permissions.add(Permission.objects.get(codename="read_transcripts"))
        assert client.get(BROWSER).status_code == 200

    def test_looking_at_the_list_is_not_reading(self, page, bob: User):
        plant(bob, "s1")
        before = AuditLog.objects.count()
        page(BROWSER)
        assert AuditLog.objects.count() == before

    def test_few_queries(self, client: Client, page, bob: User, django_assert_max_num_queries):
        for number in range(60):
            plant(bob, f"s{number}", hours=number, tool_errors=1, primary_model="m", cwd="/srv/x")
        asked = {"person": bob.pk, "errors": "on", "model": "m", "project": "/srv/x", "plugin": "market/x"}
        for query in ({}, {"errors": "on"}, asked):
            with django_assert_max_num_queries(15):
                page(BROWSER, **query)


class TestPerson:
    def test_the_address_of_a_person_leads_there(self, client: Client, alice: User, bob: User):
        client.force_login(alice)
        assert client.get(f"/admin/users/{bob.pk}/")["Location"] == person_page(bob)

    def test_it_lists_their_sessions_alone(self, page, bob: User, charlie: User):
        plant(bob, "s1", cwd="/srv/shop", primary_model="claude-a", tool_errors=3)
        plant(charlie, "c1")
        text = page(person_page(bob))
        assert listed(text) == ["s1"]
        assert "/srv/shop" in text
        assert f'href="/api/admin/users/{bob.pk}/sessions/download-all"' in text
        assert "Download all (.zip)" in text

    def test_why_one_is_not_processed(self, page, bob: User):
        broken = plant_transcript(bob, "broken")
        plant_state(broken, processed_at=None, attempts=3, last_error="ValueError: no")
        text = page(person_page(bob))
        assert "given up" in text
        assert "ValueError: no" in text

    def test_filters_by_date_and_errors(self, page, bob: User):
        plant(bob, "b1", tool_errors=2)
        plant(bob, "b2", hours=24)
        assert listed(page(person_page(bob), errors="on")) == ["b1"]
        assert listed(page(person_page(bob), since="2026-05-02")) == ["b2"]
        assert listed(page(person_page(bob), until="2026-05-01")) == ["b1"]

    def test_others_filters_do_not_hold_here(self, page, bob: User, charlie: User):
        plant(bob, "b1")
        assert listed(page(person_page(bob), person=charlie.pk)) == ["b1"]

    def test_activity_and_most_used(self, page, bob: User):
        day = timezone.now().date()
        common = {"day": day, "user": bob}
        UsageUserDaily.objects.create(
            **common, tool_name="Bash", source="builtin", invocations=7, error_count=2
        )
        UsageUserDaily.objects.create(
            **common, tool_name="Skill", source="curated", ref_id="market/kit", invocations=3
        )
        flea = {"source": "flea", "ref_id": "7"}
        UsageUserDaily.objects.create(**common, tool_name="Skill", **flea, invocations=2)
        SkillAttribution.objects.create(**flea, identifier="notes:")
        skill = {"skill_name": "kit:go", "occurred_at": timezone.now()}
        transcript = plant_transcript(bob)
        plant_event(transcript, "a", **skill)
        plant_event(transcript, "b", **skill)
        alias = {**skill, "skill_name": "kit:go-on", "component_name": "kit:go"}
        plant_event(transcript, "alias", **alias)
        plant_event(transcript, "failed", is_error=True, **skill)
        text = page(person_page(bob))
        assert f"<title>{day}: 12 invocations, 2 errors</title>" in text
        assert re.search(r"Bash</span>\s*<span class=\"number\">7<", text)
        assert re.search(r"kit:go</span>\s*<span class=\"number\">3<", text)
        assert "kit:go-on" not in text
        assert re.search(r"plugin=curated%3Amarket%2Fkit\">market/kit</a>\s*<span class=\"number\">3<", text)
        assert re.search(r"plugin=flea%3A7\">notes</a>\s*<span class=\"number\">2<", text)

    def test_without_the_permission_there_is_the_account_alone(self, client: Client, dana: User, bob: User):
        plant(bob, "s1")
        dana.user_permissions.add(Permission.objects.get(codename="view_user"))
        client.force_login(dana)
        text = client.get(person_page(bob)).content.decode()
        assert "bob@example.com" in text
        assert "Download" not in text
        assert "Sessions<" not in text.split("<h1>")[1]

    def test_the_account_can_still_be_changed(self, client: Client, alice: User, bob: User):
        client.force_login(alice)
        form = {"email": "bob@example.com", "name": "Robert", "time_zone": "UTC", "is_active": "on"}
        assert client.post(person_page(bob), form).status_code == 302
        bob.refresh_from_db()
        assert bob.name == "Robert"

    @pytest.mark.parametrize("reader", ["alice", "dana"])
    def test_few_queries(
        self, request, client: Client, page, reader: str, dana: User, bob: User, django_assert_max_num_queries
    ):
        for number in range(60):
            plant(bob, f"s{number}", hours=number, tool_errors=1)
        at_work = plant_transcript(bob, "at-work")
        plant_state(at_work, processed_at=None, last_error=DIED)
        expires = timezone.now() + timedelta(minutes=1)
        SessionProcessorClaim.objects.create(processor_name="usage", user=bob, expires_at=expires)
        may = ("view_user", "change_user", "read_transcripts")
        dana.user_permissions.add(*Permission.objects.filter(codename__in=may))
        client.force_login(request.getfixturevalue(reader))
        for query in ({}, {"errors": "on", "since": "2026-05-01"}):
            ContentType.objects.clear_cache()
            with django_assert_max_num_queries(15):
                text = page(person_page(bob), **query)
            assert ("at work" in text) == (not query)

    def test_nobody(self, page):
        page("/admin/accounts/user/999999/change/", 302)
        page("/admin/accounts/user/x/change/", 302)

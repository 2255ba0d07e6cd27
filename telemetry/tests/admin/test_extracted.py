"""The lists of what was extracted: events, messages, summaries, findings, states, attribution."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from telemetry.admin.summaries import DETAILS
from telemetry.models import (
    PublishingState,
    SessionProcessorClaim,
    SessionTranscript,
    SkillAttribution,
    UsageDaily,
    UsageSessionSummary,
    UsageUserDaily,
    VerificationFinding,
)
from telemetry.processors.attempts import DIED
from telemetry.processors.claims import Claim
from telemetry.tests.admin.conftest import Page
from telemetry.tests.planting import (
    AT,
    plant_event,
    plant_message,
    plant_rollups,
    plant_state,
    plant_summary,
    plant_transcript,
)

pytestmark = pytest.mark.django_db
ROLLUPS = (
    "usagetooldaily",
    "usageplugindaily",
    "usagecomponentdaily",
    "usagedaily",
    "usageuserdaily",
    "usagepluginwindow",
)


def rows(page: str) -> int:
    return page.count('class="action-checkbox"') or page.count("<tr><th class=")


class TestAsOf:
    @pytest.mark.parametrize("model", ROLLUPS)
    def test_figures_say_up_to_when_they_are_complete(self, page: Page, model: str):
        assert "As of" not in page(f"{model}/")
        as_of = timezone.now() - timedelta(hours=3)
        PublishingState.objects.update_or_create(pk=1, defaults={"as_of": as_of})
        shown = page(f"{model}/")
        assert f'As of <time datetime="{as_of.isoformat()}" title="{as_of:%Y-%m-%d %H:%M:%S} UTC">' in shown
        assert ">3\xa0hours ago</time>, UTC days<" in shown


class TestPeople:
    """They are called so, whatever the column is."""

    def test_on_every_detail_page(self, page: Page, bob: User):
        transcript = plant_transcript(bob, "s1")
        plant_rollups(bob)
        rows = [
            transcript,
            plant_state(transcript),
            plant_event(transcript),
            plant_message(transcript),
            UsageUserDaily.objects.all()[0],
        ]
        for row in rows:
            shown = page(f"{row._meta.model_name}/{row.pk}/change/")
            assert "<label>Person:</label>" in shown, row
            assert "bob@example.com" in shown, row
            assert not {"Owner", "Username", "User"} & set(re.findall(r"<label>(.+?):</label>", shown)), row


class TestEmptyLists:
    IMPORT = "manage.py sessions_import ~/.claude/projects --user you@example.com"

    @pytest.mark.parametrize(
        "model", ["sessiontranscript", "usageevent", "usagemessage", "usagesessionsummary", "usagetooldaily"]
    )
    def test_they_say_how_rows_come(self, page: Page, model: str):
        shown = page(f"{model}/")
        assert " yet. " in shown
        assert f"<code>{self.IMPORT}</code>" in shown
        assert 'href="/api/docs"' in shown

    @pytest.mark.parametrize("model", ["verificationfinding", "usageplugindaily", "skillattribution"])
    def test_others_say_what_will_be_there(self, page: Page, model: str):
        shown = page(f"{model}/")
        assert " yet. " in shown
        assert self.IMPORT not in shown

    @pytest.mark.parametrize(("query", "what"), [("source=flea", "filters"), ("q=nothing", "search")])
    def test_filtered_to_nothing_leads_back(
        self, transcript: SessionTranscript, page: Page, query: str, what: str
    ):
        plant_event(transcript)
        shown = page(f"usageevent/?{query}")
        assert "No usage events match." in shown
        assert f'<a href="?">Clear the {what}</a>' in shown
        assert self.IMPORT not in shown


class TestSummaryPage:
    def test_its_figures_are_grouped_and_written_for_people(self, transcript: SessionTranscript, page: Page):
        summary = plant_summary(transcript)
        figures = {"cache_read_tokens": 1_234_567, "active_seconds": 11_520, "user_messages": 4}
        UsageSessionSummary.objects.filter(pk=summary.pk).update(**figures)
        shown = page(f"usagesessionsummary/{summary.pk}/change/")
        groups = ("Session", "Times", "Prompts and messages", "Calls", "Errors", "Tokens", "Extraction")
        places = [shown.index(f'class="fieldset-heading">{group}</h2>') for group in groups]
        assert places == sorted(places)
        for text in ("1\u2009234\u2009567", "3\u2009h 12\u2009min", "<time datetime="):
            assert text in shown

    def test_nothing_of_a_summary_is_left_out(self):
        told = {getattr(it, "__name__", it) for _title, fields in DETAILS for it in fields}
        columns = {
            "started": "started_at", "active": "active_seconds", "person": "user",
            "transcript": "session_file", "model_name": "primary_model",
        }  # fmt: skip
        told = {columns.get(it, it) for it in told}
        stored = {field.name for field in UsageSessionSummary._meta.fields}
        assert stored - told == {"id", "username"}


class TestRollupPage:
    def test_its_figures_have_thin_spaces(self, bob: User, page: Page):
        day = next(row for row in plant_rollups(bob) if isinstance(row, UsageDaily))
        UsageDaily.objects.update(input_tokens=1_234_567)
        assert "1\u2009234\u2009567" in page(f"usagedaily/{day.pk}/change/")


class TestEvents:
    @pytest.fixture
    def events(self, transcript: SessionTranscript, charlie: User) -> None:
        other = plant_transcript(charlie, "s2")
        plant_event(transcript, "tool")
        plant_event(other, "next-day", occurred_at=AT + timedelta(hours=14))
        plant_event(transcript, "timeless", occurred_at=None, tool_name="Timeless")
        plant_event(
            transcript, "rejected", event_type="mcp_call", tool_name="mcp__a__b", error_kind="rejected"
        )
        plant_event(
            other, "curated", event_type="slash_command", command_name="go", source="curated", ref_id="m/go"
        )

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("", 5),
            ("event_type=tool_use", 3),
            ("event_type=mcp_call", 1),
            ("source=builtin", 4),
            ("source=curated", 1),
            ("error_kind=none", 4),
            ("error_kind=rejected&event_type=mcp_call", 1),
            ("error_kind=rejected&event_type=tool_use", 0),
            ("since=2026-05-01&until=2026-05-01", 3),
            ("since=2026-05-02", 1),
            ("until=2026-05-02", 4),
            ("q=charlie@example.com", 2),
            ("q=s1", 3),
            ("q=nothing", 0),
        ],
    )
    def test_they_are_found(self, events: None, page: Page, query: str, count: int):
        assert rows(page(f"usageevent/?{query}")) == count

    def test_they_are_found_by_person(self, events: None, page: Page, bob: User):
        assert rows(page(f"usageevent/?person={bob.pk}")) == 3

    def test_the_newest_is_first_and_told_by_name(self, events: None, page: Page):
        shown = page("usageevent/")
        assert shown.index("charlie@example.com") < shown.index("mcp__a__b") < shown.index("Timeless")
        assert "/go" in shown
        assert "curated: m/go" in shown
        assert '<span class="chip chip-look">rejected</span>' in shown

    def test_an_unknown_value_leads_back(self, admin_client: Client):
        answer = admin_client.get("/admin/telemetry/usageevent/?event_type=nonsense")
        assert answer.status_code == 302

    def test_the_detail_tells_all_of_it(self, transcript: SessionTranscript, page: Page):
        event = plant_event(transcript, cwd="/srv/shop", git_branch="main")
        shown = page(f"usageevent/{event.pk}/change/")
        assert "/srv/shop" in shown
        assert transcript.session_file in shown
        assert "_save" not in shown


class TestMessages:
    def test_they_are_found_by_session_and_day(self, transcript: SessionTranscript, page: Page):
        plant_message(transcript)
        for query, count in (("", 1), ("q=s1", 1), ("q=s2", 0), ("until=2026-04-30", 0)):
            assert rows(page(f"usagemessage/?{query}")) == count
        shown = page("usagemessage/")
        assert 'title="1\u2009234\u2009567"' in shown
        assert "1.2\u2009M" in shown


class TestSummaries:
    def test_they_are_found_by_person_session_and_day(
        self, transcript: SessionTranscript, charlie: User, page: Page
    ):
        plant_summary(transcript)
        plant_summary(plant_transcript(charlie, "s2"), started_at=AT - timedelta(days=3))
        for query, count in (
            ("", 2),
            ("q=s1", 1),
            ("q=charlie@example.com", 1),
            ("since=2026-05-01", 1),
            (f"person={charlie.pk}", 1),
            (f"person={charlie.pk}&since=2026-05-01", 0),
        ):
            assert rows(page(f"usagesessionsummary/?{query}")) == count, query
        assert "3\u2009h 12\u2009min" in page("usagesessionsummary/")


class TestFindings:
    def test_the_kinds_are_counted_above_the_rows(self, bob: User, page: Page):
        for number in range(3):
            VerificationFinding.objects.create(
                session_file=f"u{bob.pk}_{number}.jsonl", kind="unknown_key", detail="new&Key", count=2
            )
        VerificationFinding.objects.create(session_file="x.jsonl", kind="malformed_line", count=1)
        shown = page("verificationfinding/")
        overview = shown.split('class="results overview"')[1].split("</table>")[0]
        assert "unknown key" in overview
        assert 'kind=unknown_key&amp;detail=new%26Key">new&amp;Key</a>' in overview
        assert '<span class="number">3</span>' in overview
        assert '<span class="number">6</span>' in overview
        chosen = page("verificationfinding/?kind=unknown_key&detail=new%26Key")
        assert (rows(chosen), "overview" in chosen) == (3, False)


class TestProcessorStates:
    def test_trouble_is_found(self, bob: User, page: Page):
        plant_state(plant_transcript(bob, "s1"))
        plant_state(plant_transcript(bob, "s2"), processed_at=None, attempts=3, last_error="ValueError: no")
        plant_state(plant_transcript(bob, "s3"), processed_at=None, attempts=1, last_error="once")
        plant_state(plant_transcript(bob, "s4", revision=2), "verification", revision=1)
        shown = page("sessionprocessorstate/")
        assert [shown.count(f">{it}</span>") for it in ("done", "given up", "failed", "waiting")] == [1] * 4
        assert "ValueError: no" in page("sessionprocessorstate/?state=usage-given_up")
        for query, count in (
            ("state=usage-given_up", 1),
            ("state=usage-failed", 1),
            ("state=verification-failed", 0),
            ("q=s3", 1),
        ):
            assert rows(page(f"sessionprocessorstate/?{query}")) == count, query

    def test_nobody_is_said_to_have_died_while_the_work_goes_on(
        self, transcript: SessionTranscript, page: Page
    ):
        row = plant_state(transcript, processed_at=None, attempts=1, last_error=DIED)
        pages = ("sessionprocessorstate/", f"sessionprocessorstate/{row.pk}/change/")
        assert Claim("usage", transcript.owner_id).take()
        assert ">at work</span>" in page(pages[0])
        assert all(DIED not in page(address) for address in pages)
        SessionProcessorClaim.objects.all().delete()
        assert all(DIED in page(address) for address in pages)


class TestAttribution:
    def test_it_is_searched(self, page: Page):
        for name in ("alpha", "beta"):
            SkillAttribution.objects.create(
                identifier=f"{name}:do", source="curated", ref_id=f"market/{name}", component_kind="skill"
            )
        assert rows(page("skillattribution/")) == 2
        assert "market/beta" in page("skillattribution/?q=beta:")


class TestRollups:
    @pytest.mark.parametrize("model", ROLLUPS)
    def test_they_are_shown(self, page: Page, bob: User, model: str):
        plant_rollups(bob)
        shown = page(f"{model}/")
        assert rows(shown) == 1
        assert "12\u2009345" in shown

    @pytest.mark.parametrize("model", [model for model in ROLLUPS if model != "usagepluginwindow"])
    def test_they_are_found_by_day(self, page: Page, bob: User, model: str):
        plant_rollups(bob)
        for query, count in (
            ("since=2026-05-01&until=2026-05-01", 1),
            ("since=2026-05-02", 0),
            ("until=2026-04-30", 0),
        ):
            assert rows(page(f"{model}/?{query}")) == count, query

    def test_a_person_s_days_are_found(self, page: Page, bob: User, charlie: User):
        plant_rollups(bob)
        for query, count in (
            (f"person={bob.pk}", 1),
            (f"person={charlie.pk}", 0),
            ("q=Bob@example.com", 1),
            ("q=charlie@example.com", 0),
            ("q=nobody", 0),
        ):
            assert rows(page(f"usageuserdaily/?{query}")) == count, query


class TestTheWholeAdmin:
    def test_the_names_read_well(self, page: Page, admin_client: Client):
        index = admin_client.get("/admin/").content.decode()
        for name in (
            "Transcripts",
            "Usage events",
            "Usage messages",
            "Session summaries",
            "Verification findings",
            "Processor states",
            "MCP server attributions",
            "Tools by day",
            "Plugins by day",
            "Components by day",
            "Days",
            "People by day",
            "Plugins in the last days",
        ):
            assert f">{name}<" in index, name

    @pytest.mark.parametrize(
        "model",
        [
            "sessiontranscript",
            "sessionprocessorstate",
            "usageevent",
            "usagemessage",
            "usagesessionsummary",
            "verificationfinding",
            "mcpserverattribution",
            *ROLLUPS,
        ],
    )
    def test_an_empty_list_is_no_error(self, page: Page, model: str):
        assert rows(page(f"{model}/")) == 0

"""A small world whose roll-ups are written down by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import User
from telemetry.days import ranges
from telemetry.models import SessionTranscript
from telemetry.publishing import rebuild_all
from telemetry.tests.planting import AT, plant_event, plant_message, plant_summary, plant_transcript
from telemetry.tests.rollups.conftest import Clock
from telemetry.tests.rollups.oracle import expected, stored

pytestmark = pytest.mark.django_db

FIRST, SECOND = date(2026, 5, 1), date(2026, 5, 2)
TIDY = {
    "source": "curated",
    "ref_id": "market/tidy",
    "component_kind": "skill",
    "component_name": "clean",
}
LINT = {"source": "flea", "ref_id": "17", "component_kind": "command", "component_name": "lint"}


@pytest.fixture
def bobs(bob: User) -> SessionTranscript:
    return plant_transcript(bob, "bobs")


@pytest.fixture
def agents(bob: User) -> SessionTranscript:
    """A subagent of the same session."""
    return plant_transcript(bob, "bobs", agent_id="a1", session_file=f"u{bob.pk}_bobs_a1.jsonl")


@pytest.fixture
def charlies(charlie: User) -> SessionTranscript:
    return plant_transcript(charlie, "charlies")


@pytest.fixture
def world(
    clock: Clock, bobs: SessionTranscript, agents: SessionTranscript, charlies: SessionTranscript
) -> None:
    late = AT.replace(hour=23, minute=59, second=59, microsecond=999_000)
    midnight = late + timedelta(milliseconds=1)
    plant_event(bobs, "ok")
    plant_event(agents, "failed", is_error=True, error_kind="exit_code")
    plant_event(bobs, "refused", is_error=True, error_kind="rejected")
    plant_event(bobs, "unanswered", is_error=None, tool_name="Read")
    plant_event(charlies, "late", is_error=True, error_kind="tool_error", occurred_at=late)
    plant_event(charlies, "skill", tool_name="Skill", occurred_at=midnight, **TIDY)
    plant_event(bobs, "failed skill", tool_name="Bash", error_kind="other", **TIDY)
    plant_event(bobs, "command", event_type="slash_command", tool_name=None, **LINT)
    plant_event(bobs, "builtin command", event_type="slash_command", tool_name=None, is_builtin=True)
    plant_event(bobs, "timeless", occurred_at=None, **TIDY)
    plant_message(bobs, "plain", input_tokens=100, output_tokens=10, cache_read_tokens=1)
    plant_message(agents, "tidying", input_tokens=200, source="curated", ref_id="market/tidy")
    plant_message(charlies, "next", occurred_at=midnight, input_tokens=7, cache_creation_tokens=3)
    plant_message(bobs, "timeless", occurred_at=None)
    plant_summary(bobs, user_messages=3)
    plant_summary(agents, user_messages=0)
    plant_summary(charlies, user_messages=2, started_at=late)
    rebuild_all()


class TestTheTables:
    def test_tools(self, world: None):
        assert stored()["usage_tool_daily"] == [
            (FIRST, "Bash", "builtin", 4, 2, 2, 2),
            (FIRST, "Bash", "curated", 1, 1, 1, 1),
            (FIRST, "Read", "builtin", 1, 0, 1, 1),
            (SECOND, "Skill", "curated", 1, 0, 1, 1),
        ]

    def test_plugins(self, world: None):
        assert stored()["usage_plugin_daily"] == [
            (FIRST, "curated", "market/tidy", 1, 1, 1, 1),
            (FIRST, "flea", "17", 1, 0, 1, 1),
            (SECOND, "curated", "market/tidy", 1, 0, 1, 1),
        ]

    def test_components(self, world: None):
        assert stored()["usage_component_daily"] == [
            (FIRST, "curated", "market/tidy", "skill", "clean", 1, 1, 1, 1),
            (FIRST, "flea", "17", "command", "lint", 1, 0, 1, 1),
            (SECOND, "curated", "market/tidy", "skill", "clean", 1, 0, 1, 1),
        ]

    def test_days(self, world: None):
        """people, sessions, messages, prompts; by source; errors; tokens"""
        assert stored()["usage_daily"] == [
            (FIRST, 2, 2, 2, 5, 1, 1, 6, 3, 300, 30, 1, 0),
            (SECOND, 1, 1, 1, 0, 1, 0, 0, 0, 7, 20, 0, 3),
        ]

    def test_people(self, world: None, bob: User, charlie: User):
        assert stored()["usage_user_daily"] == [
            (FIRST, bob.pk, "", "builtin", "", 1, 0, 100, 10, 1, 0),
            (FIRST, bob.pk, "", "curated", "market/tidy", 0, 0, 200, 20, 0, 0),
            (FIRST, bob.pk, "", "flea", "17", 1, 0, 0, 0, 0, 0),
            (FIRST, bob.pk, "Bash", "builtin", "", 3, 1, 0, 0, 0, 0),
            (FIRST, bob.pk, "Bash", "curated", "market/tidy", 1, 1, 0, 0, 0, 0),
            (FIRST, bob.pk, "Read", "builtin", "", 1, 0, 0, 0, 0, 0),
            (FIRST, charlie.pk, "Bash", "builtin", "", 1, 1, 0, 0, 0, 0),
            (SECOND, charlie.pk, "", "builtin", "", 0, 0, 7, 20, 0, 3),
            (SECOND, charlie.pk, "Skill", "curated", "market/tidy", 1, 0, 0, 0, 0, 0),
        ]

    def test_windows(self, world: None):
        assert stored()["usage_plugin_window"] == [
            ("30d", "curated", "market/tidy", 2, 2, 0),
            ("30d", "flea", "17", 1, 1, 0),
            ("7d", "curated", "market/tidy", 2, 2, 0),
            ("7d", "flea", "17", 1, 1, 0),
        ]

    def test_another_reckoning_says_the_same(self, world: None):
        assert stored() == expected()


class TestTheEdgesOfTime:
    def test_a_session_without_events_or_messages_is_somebody_s_day(
        self, clock: Clock, bobs: SessionTranscript
    ):
        plant_summary(bobs, user_messages=1)
        rebuild_all()
        assert stored()["usage_daily"] == [(FIRST, 1, 1, 0, 1, *[0] * 8)]

    def test_a_person_who_only_talks_is_there_too(self, clock: Clock, bobs: SessionTranscript):
        plant_summary(bobs, user_messages=1)
        plant_message(bobs, occurred_at=AT + timedelta(days=1))
        rebuild_all()
        assert stored()["usage_daily"][1][:5] == (SECOND, 1, 1, 1, 0)

    def test_the_first_and_the_last_day_there_can_be(self, clock: Clock, bobs: SessionTranscript):
        """Rows of 1970-01-01 and rows without a time have ids that begin alike."""
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        last = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
        plant_event(bobs, "timeless", occurred_at=None)
        for at in (epoch, last):
            plant_event(bobs, str(at), occurred_at=at)
            plant_message(bobs, str(at), occurred_at=at)
        plant_summary(bobs, started_at=last)
        rebuild_all()
        assert [row[:4] for row in stored()["usage_tool_daily"]] == [
            (date(1970, 1, 1), "Bash", "builtin", 1),
            (date(9999, 12, 31), "Bash", "builtin", 1),
        ]
        assert stored() == expected()

    def test_only_what_has_no_time_makes_no_row(self, clock: Clock, bobs: SessionTranscript):
        plant_event(bobs, occurred_at=None, **TIDY)
        plant_message(bobs, occurred_at=None)
        plant_summary(bobs, started_at=None)
        rebuild_all()
        assert not any(stored().values())


def test_days_in_a_row_are_one_range():
    days = [date(2026, 5, 3), date(2026, 5, 1), date(2026, 4, 30), date(2026, 5, 5)]
    assert [(one.first, one.last) for one in ranges(days)] == [
        (date(2026, 4, 30), date(2026, 5, 1)),
        (date(2026, 5, 3), date(2026, 5, 3)),
        (date(2026, 5, 5), date(2026, 5, 5)),
    ]
    assert list(ranges([])) == []

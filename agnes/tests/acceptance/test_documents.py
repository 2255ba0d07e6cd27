"""A stranger follows the documents: the operator's playbook from nothing, then the guides for analysts."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agnes import schedules
from agnes.tests.acceptance.conftest import FIRST, OWN, PLAYBOOK, PRIVATE
from agnes.tests.acceptance.machine import Shell, Step
from agnes.tests.acceptance.platform import ADMIN, Platform
from agnes.tests.server import ROOT, wait_until
from agnes.tests.test_docs import PAGES, blocks_of

PLACE = "on a server"
GUIDES = ROOT / "docs" / "HOWTO"
SCHEDULE = re.compile(r"^\| ([a-z -]+) \| (\d+) (s|min|h) \|", re.MULTILINE)
MINUTES = {"s": 1 / 60, "min": 1, "h": 60}
PARTS = (
    "First bootstrap", "TLS and reverse proxy", "Marketplaces", "The scheduler", "Telemetry",
    "Privacy posture", "The routine",
)  # fmt: skip


def test_the_playbook_has_its_seven_parts():
    headings = re.findall(r"^## (\d)\. (.+)$", PLAYBOOK.read_text(), re.MULTILINE)
    assert headings == [(str(place), name) for place, name in enumerate(PARTS, 1)]


def test_the_playbook_names_every_schedule():
    listed = {
        name: int(number) * MINUTES[unit] for name, number, unit in SCHEDULE.findall(PLAYBOOK.read_text())
    }
    assert listed == {every.name: every.minutes for every in schedules.declared()}


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest) -> Iterator[list[Step]]:
    """Whatever stands in it is printed at the end, with how long it took."""
    steps: list[Step] = []
    yield steps
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\nHow long the steps of the documents took:")
        print(*steps, sep="\n")
        print(f"{sum(step.seconds for step in steps):6.1f} s  in all")


@pytest.mark.slow
@pytest.mark.sample
class TestPlaybook:
    def test_its_steps_work_one_after_another(self, platform: Platform, told: list[Step]):
        told += [step for step in platform.operator.steps if step.page]
        assert '"status": "ready"' in platform.said("/readyz")
        assert "identified no issues" in platform.said("check --deploy")
        assert "Sign in with Google" in httpx.get(f"{platform.address}/admin/login/", trust_env=False).text

    def test_one_sees_what_it_promises(self, platform: Platform):
        platform.wait_for_events(FIRST, 3)
        marketplace = platform.page("/marketplace/")
        assert "hello" in marketplace
        assert "review-kit" in marketplace
        assert "agnes: process usage" in platform.page("/admin/django_q/schedule/")
        assert FIRST in platform.page("/admin/telemetry/session/")
        activity = platform.page("/admin/activity/")
        for action in ("session.upload", "session.delete", "marketplace.sync", "usage.export", "usage.ask"):
            assert action in activity, action

    def test_a_person_is_found_by_their_number(self, platform: Platform):
        [admin] = platform.api("admin/users", params={"q": ADMIN}).json()["items"]
        assert "Download all (.zip)" in platform.page(f"/admin/accounts/user/{admin['id']}/change/")


@pytest.mark.slow
@pytest.mark.sample
class TestGuides:
    """In their order: each goes on where the one before ended."""

    def test_first_query(self, analyst: Shell, platform: Platform, told: list[Step]):
        self.follow(analyst, "01-first-query.md", told)
        assert self.rows(platform, OWN)
        assert self.rows(platform, PRIVATE)

    def test_snapshots(self, analyst: Shell, told: list[Step]):
        self.follow(analyst, "02-snapshots-for-remote.md", told)

    def test_private_session(self, analyst: Shell, platform: Platform, told: list[Step]):
        self.follow(analyst, "03-private-session.md", told)
        wait_until(lambda: not self.rows(platform, PRIVATE), 60)
        assert not self.rows(platform, PRIVATE)

    def test_feedback_and_ask(self, platform: Platform, told: list[Step]):
        """As the operator, who may ask."""
        platform.operator.follow(GUIDES / "04-feedback-and-ask.md")
        told += [step for step in platform.operator.steps if step.page.startswith("04")]

    def test_customizing_skills(self, analyst: Shell, platform: Platform, told: list[Step]):
        self.follow(analyst, "05-customizing-skills.md", told)
        assert "tidy-notes" in platform.page("/marketplace/")

    @pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page, place=PLACE)], ids=str)
    def test_what_other_pages_do_on_a_server(self, program: Shell, page: Path, told: list[Step]):
        """Each block for itself, by a program that has every scope."""
        before = len(program.steps)
        for block in blocks_of(page, place=PLACE):
            program.run(block.text, page=page.name)
        told += program.steps[before:]

    def follow(self, shell: Shell, name: str, told: list[Step]) -> None:
        before = len(shell.steps)
        shell.follow(GUIDES / name)
        told += shell.steps[before:]

    def rows(self, platform: Platform, session: str) -> list[object]:
        return [row for row in platform.events() if row["session_id"] == session]

"""agnes admin"""

import json
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
from django.core.management import call_command

from accounts.models import AuditLog, Scope, User
from agnes.tests.cli.machines import Machine
from telemetry.models import UsageEvent
from telemetry.tests.ask.messages_api import Say, messages_api

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = "SELECT count(*) AS n FROM usage_events"


@pytest.fixture
def desk(logged_in: Callable[..., Machine], alice: User) -> Machine:
    """The admin's."""
    return logged_in(alice, Scope.ADMIN, Scope.READ, name="desk")


@pytest.fixture
def used(laptop: Machine) -> Machine:
    """bob's, with a session of three calls and a subagent of one."""
    laptop.write("s1", laptop.session("s1", calls=3))
    laptop.write("s1", agent="a1")
    laptop.ok("push")
    call_command("process_sessions", verbosity=0)
    return laptop


@pytest.mark.usefixtures("used")
class TestUsage:
    def test_an_export_holds_the_same_rows_as_the_api(self, desk: Machine, live_server):
        import httpx

        out = desk.workspace / "events.json"
        told = desk.run("admin", "usage", "export", "--format", "json", "--out", str(out))
        assert (told.returncode, "4 rows" in told.stderr, told.stdout) == (0, True, "")
        token = (desk.agnes / "token").read_text().strip()
        answer = httpx.get(
            f"{live_server.url}/api/admin/usage/export?format=json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert json.loads(out.read_text()) == answer.json()
        assert out.stat().st_mode & 0o777 == 0o600

    def test_to_standard_output_with_filters(self, desk: Machine, bob: User):
        options = ["admin", "usage", "export", "--format", "ndjson"]
        assert len(desk.ok(*options, "--user", "bob@example.com").splitlines()) == 4
        assert len(desk.ok(*options, "--user", str(bob.pk)).splitlines()) == 4
        assert desk.ok(*options, "--since", "2030-01-01", "--source", "builtin") == ""
        assert desk.ok("admin", "usage", "export", "--spreadsheet-safe").startswith("id,")
        row = AuditLog.objects.filter(action="usage.export").earliest("pk")
        assert (row.client_kind, row.params["user_id"]) == ("cli", bob.pk)

    def test_what_is_wrong_leaves_the_file_alone(self, desk: Machine):
        out = desk.workspace / "events.csv"
        out.write_text("before")
        done = desk.run("admin", "usage", "export", "--since", "yesterday", "--out", str(out))
        assert (done.returncode, "since" in done.stderr) == (6, True)
        assert desk.run("admin", "usage", "export", "--user", "nobody@example.com").returncode == 7
        assert out.read_text() == "before"
        assert [path.name for path in desk.workspace.iterdir()] == ["events.csv"]

    def test_reprocess(self, desk: Machine):
        told = desk.json("admin", "usage", "reprocess", "--dry-run")
        assert (told["removed"]["events"], UsageEvent.objects.count()) == (4, 4)
        assert "Removed 4 events" in desk.ok("admin", "usage", "reprocess")
        assert UsageEvent.objects.count() == 0
        call_command("process_sessions", verbosity=0)
        assert UsageEvent.objects.count() == 4
        assert desk.json("admin", "usage", "reprocess", "--session-by-session")["mode"] == "by_session"

    def test_prune(self, desk: Machine, used: Machine, settings):
        used.write("old", used.session("old", calls=2, timestamp="2020-01-01T10:00:00.000Z"))
        used.ok("push")
        call_command("process_sessions", verbosity=0)
        assert "Nothing is pruned" in desk.ok("admin", "usage", "prune")
        settings.USAGE_EVENTS_RETENTION_DAYS = (date.today() - date(2021, 1, 1)).days
        assert desk.json("admin", "usage", "prune", "--dry-run")["events"] == 2
        assert UsageEvent.objects.count() == 6
        assert "Removed 2 events" in desk.ok("admin", "usage", "prune")
        assert UsageEvent.objects.count() == 4


@pytest.mark.usefixtures("used")
class TestSessions:
    def test_list_show_and_download(self, desk: Machine, used: Machine, bob: User):
        [listed] = desk.json("admin", "sessions", "list", "--user", "bob@example.com")["items"]
        file = listed["session_file"]
        assert (file, listed["tool_calls"], len(listed["subagents"])) == (f"u{bob.pk}_s1.jsonl", 3, 1)
        assert desk.ok("admin", "sessions", "list", "--user", str(bob.pk)).splitlines()[1].startswith(file)
        assert desk.json("admin", "sessions", "show", file)["session_id"] == "s1"
        assert desk.json("admin", "sessions", "show", "s1", "--user", "bob@example.com") == listed
        shown = desk.ok("admin", "sessions", "show", file)
        assert "tool calls" in shown
        assert f"u{bob.pk}_s1_a1.jsonl" in shown

        out = desk.workspace / "s1.jsonl"
        desk.ok("admin", "sessions", "download", file, "--out", str(out))
        assert out.read_bytes() == (used.project() / "s1.jsonl").read_bytes()
        assert desk.ok("admin", "sessions", "download", file) == out.read_text()
        everything = desk.workspace / "all.zip"
        desk.ok("admin", "sessions", "download", "--user", "bob@example.com", "--out", str(everything))
        assert len(zipfile.ZipFile(everything).namelist()) == 2

    def test_what_is_not_there(self, desk: Machine, bob: User):
        assert desk.run("admin", "sessions", "show", f"u{bob.pk}_nothing.jsonl").returncode == 7
        assert desk.run("admin", "sessions", "show", "s1").returncode == 2
        assert desk.run("admin", "sessions", "download").returncode == 2
        assert desk.run("admin", "sessions", "list", "--user", "999999").returncode == 7


class TestOthers:
    def test_activity(self, desk: Machine, alice: User, used: Machine):
        listed = desk.json("admin", "activity", "--action", "session.upload")
        assert (listed["total"], listed["items"][0]["actor_email"]) == (2, "bob@example.com")
        assert "session.upload" in desk.ok("admin", "activity", "--who", "bob@example.com", "--limit", "1")

    def test_ask(self, desk: Machine, used: Machine, settings):
        with messages_api(Say(COUNT)) as server:
            settings.ANTHROPIC_API_KEY = "sk-ant-test"
            settings.ANTHROPIC_BASE_URL = server.url
            shown = desk.ok("admin", "ask", "How many calls?").splitlines()
        assert COUNT in shown[0]
        assert shown[-2:] == ["n", "4"]
        assert AuditLog.objects.get(action="usage.ask").client_kind == "cli"

    def test_who_is_no_admin_is_told_so(self, logged_in, bob: User, alice: User):
        for person in (bob, alice):
            machine = logged_in(person, name=f"{person.pk}")
            done = machine.run("admin", "activity")
            assert (done.returncode, "scope admin" in done.stderr) == (4, True)
        staff = logged_in(bob, Scope.ADMIN, name="other")
        assert staff.run("admin", "usage", "export").returncode == 4

"""agnes catalog, pull, query, snapshot"""

import csv
import io
import json
import stat
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import AuditLog, Scope, User
from agnes.tests.cli.machines import Machine
from agnes.tests.cli.scripted import Scripted
from telemetry.tests.builders import assistant_line, tool_use


@pytest.fixture
def used(laptop: Machine, logged_in, charlie: User) -> Machine:
    """bob has called Bash twice and Read once, charlie Bash once."""
    where: Any = {"sessionId": "s1", "cwd": str(laptop.workspace)}
    read = assistant_line(tool_use("Read"), timestamp="2026-05-02T10:00:00.000Z", **where)
    laptop.write("s1", [*laptop.session("s1", calls=2), read])
    laptop.ok("push")
    other = logged_in(charlie)
    other.write("s2")
    other.ok("push")
    call_command("process_sessions", verbosity=0)
    return laptop


@pytest.mark.django_db(transaction=True)
class TestPullAndQuery:
    COUNTS = "SELECT tool_name, count(*) AS calls FROM usage_events GROUP BY 1 ORDER BY 1"

    def test_ones_own_rows_are_pulled_and_queried_here(self, used: Machine, bob: User):
        catalog = {it["name"]: it for it in used.json("catalog")["items"]}
        assert set(catalog) == {"events", "messages", "sessions"}
        assert catalog["events"]["rows"] is None
        pulled = used.json("pull")["items"]
        assert [(it["view"], it["rows"], it["new"]) for it in pulled] == [
            ("usage_events", 3, True), ("usage_messages", 3, True), ("usage_session_summary", 1, True),
        ]  # fmt: skip
        assert used.json("catalog")["items"][0]["rows"] == 3

        counts = [{"tool_name": "Bash", "calls": 2}, {"tool_name": "Read", "calls": 1}]
        # Without the server.
        assert used.json("query", self.COUNTS, AGNES_SERVER="") == counts
        assert used.json("query", "-", input=self.COUNTS) == counts
        assert used.ok("query", self.COUNTS) == "tool_name\tcalls\nBash\t2\nRead\t1\n"
        [header, *rows] = csv.reader(io.StringIO(used.ok("query", "--csv", self.COUNTS)))
        assert (header, rows) == (["tool_name", "calls"], [["Bash", "2"], ["Read", "1"]])
        [row] = used.json("query", "SELECT min(occurred_at) AS at, 1 AS x, 2 AS x FROM usage_events")
        assert row["at"] == "2026-05-01 10:00:00+00"

        assert [it["new"] for it in used.json("pull")["items"]] == [False, False, False]
        assert AuditLog.objects.filter(action="usage.export", actor=bob.pk, client_kind="cli").count() == 3

    def test_admins_see_everybodys(self, used: Machine, logged_in, alice: User):
        desk = logged_in(alice, Scope.READ, Scope.ADMIN)
        [events] = desk.json("pull", "usage_events")["items"]
        assert (events["rows"], events["whose"]) == (4, "all")
        assert desk.json("pull", "events", "--mine")["items"][0]["rows"] == 0

    def test_what_was_pulled_is_for_its_owner_alone(self, used: Machine):
        used.ok("pull", "events")
        files = [path for path in (used.agnes / "datasets").rglob("*") if path.is_file()]
        files += list(used.agnes.rglob("*.parquet"))
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}

    def test_a_snapshot_is_chosen_on_the_server(self, used: Machine, logged_in, charlie: User):
        used.ok(
            "snapshot", "create", "reads", "--table", "events", "--columns", "tool_name,occurred_at",
            "--since", "2026-05-02", "--tool", "Read", "--source", "builtin", "--limit", "10",
        )  # fmt: skip
        [kept] = used.json("snapshot", "list")["items"]
        assert (kept["name"], kept["rows"], kept["filters"]["tool"]) == ("reads", 1, "Read")
        assert used.json("query", "SELECT * FROM reads") == [
            {"tool_name": "Read", "occurred_at": "2026-05-02 10:00:00+00"}
        ]
        again = ["snapshot", "create", "reads", "--table", "usage_events"]
        assert used.run(*again).returncode == 2
        assert used.json(*again, "--replace")["rows"] == 3
        # Another account on this machine has its own.
        token = (logged_in(charlie, name="another-laptop").agnes / "token").read_text()
        assert used.json("snapshot", "list", AGNES_TOKEN=token.strip())["items"] == []
        used.ok("snapshot", "drop", "reads")
        assert used.run("snapshot", "drop", "reads").returncode == 7

    def test_what_is_wrong_is_told(self, used: Machine):
        assert "agnes pull" in used.run("query", "SELECT 1").stderr
        assert used.run("pull", "nonsense").returncode == 7
        used.ok("pull", "events")
        done = used.run("query", "SELECT x FROM usage_events")
        assert (done.returncode, "There are usage_events." in done.stderr) == (2, True)
        wrong = ["snapshot", "create", "x1", "--table", "events", "--since", "yesterday"]
        done = used.run(*wrong)
        assert (done.returncode, "since" in done.stderr) == (6, True)
        assert used.run("snapshot", "create", "../x", "--table", "events").returncode == 2


class TestDownloads:
    def test_one_that_breaks_off_goes_on(self, client: Machine, server: Scripted):
        server.cuts.extend([100_000, 50_000])
        [events] = client.json("pull")["items"]
        assert events["bytes"] == len(server.dataset)
        [path] = client.agnes.rglob("events.parquet")
        assert path.read_bytes() == server.dataset
        assert len(server.ranges) == 3
        assert server.ranges[0] == ""
        assert all(it.startswith("bytes=") for it in server.ranges[1:])

    def test_one_that_was_killed_goes_on_the_next_time(self, client: Machine, server: Scripted):
        server.cuts.extend([100_000] + [0] * 10)
        assert client.run("pull", AGNES_PATIENCE="0").returncode == 5
        server.cuts.clear()
        client.ok("pull")
        [path] = client.agnes.rglob("events.parquet")
        assert path.read_bytes() == server.dataset
        assert server.ranges[-1].startswith("bytes=")

    def test_what_changed_meanwhile_is_begun_anew(self, client: Machine, server: Scripted):
        server.cuts.extend([100_000] + [0] * 10)
        client.run("pull", AGNES_PATIENCE="0")
        server.cuts.clear()
        server.dataset, server.tag = b"PAR1" + b"x" * 1000 + b"PAR1", '"second"'
        client.ok("pull")
        [path] = client.agnes.rglob("events.parquet")
        assert path.read_bytes() == server.dataset

    def test_the_one_of_before_stays_until_the_new_one_is_whole(self, client: Machine, server: Scripted):
        client.ok("pull")
        [path] = client.agnes.rglob("events.parquet")
        before = path.read_bytes()
        server.dataset, server.tag = b"PAR1" + b"x" * 300_000 + b"PAR1", '"second"'
        server.cuts.extend([100_000] + [0] * 10)
        assert client.run("pull", AGNES_PATIENCE="0").returncode == 5
        assert path.read_bytes() == before
        server.dataset = b"<html>"
        server.cuts.clear()
        assert client.run("pull", AGNES_PATIENCE="0").returncode == 5
        assert path.read_bytes() == before

    def test_what_has_not_changed_is_not_sent_again(self, client: Machine, server: Scripted):
        client.ok("pull")
        assert json.loads(client.ok("pull", "--json"))["items"][0]["new"] is False

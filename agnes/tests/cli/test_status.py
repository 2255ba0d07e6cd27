"""agnes status"""

import os
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccessToken, User
from agnes.tests.cli.machines import Machine
from agnes.tests.cli.scripted import Scripted, failing

DAY = 86400


@pytest.mark.django_db(transaction=True)
def test_it_shows_server_account_and_what_was_done(laptop: Machine, live_server, bob: User):
    elsewhere = laptop.home / "elsewhere"
    elsewhere.mkdir()
    laptop.write("s1")
    laptop.write("s4")
    laptop.ok("push")
    laptop.ok("mark-private", "s4")
    laptop.write("s2")
    laptop.write("s3", workspace=elsewhere)
    told = laptop.json("status")
    assert told["server"] == live_server.url
    assert told["account"] == {"id": bob.pk, "email": "bob@example.com"}
    assert (told["sent"], told["private"], told["private_untold"]) == (1, 1, 0)
    assert told["waiting"] == {"here": 1, "elsewhere": 1}
    assert told["last_push"]
    shown = laptop.ok("status")
    assert "1 here, 1 in other workspaces" in shown


@pytest.mark.django_db(transaction=True)
def test_it_warns_of_a_token_that_ends_soon(laptop: Machine):
    AccessToken.objects.update(expires_at=timezone.now() + timedelta(days=3, hours=1))
    assert "the access token ends in 3 days" in laptop.ok("status")


@pytest.mark.django_db(transaction=True)
def test_a_token_that_holds_no_more(laptop: Machine):
    AccessToken.objects.update(revoked_at=timezone.now())
    done = laptop.run("status")
    assert (done.returncode, "agnes login" in done.stderr) == (3, True)


def test_without_a_login(machine: Machine):
    done = machine.run("status")
    assert (done.returncode, "agnes login" in done.stderr) == (3, True)


def test_without_the_server_it_shows_what_it_knows(client: Machine, server: Scripted):
    client.write("s1")
    server.stop()
    assert client.run("push", AGNES_PATIENCE="0").returncode == 5
    told = client.json("status")
    assert (told["reachable"], told["waiting"]["here"]) == (False, 1)
    assert "cannot be reached" in told["last_error"]


def test_it_names_what_was_refused(client: Machine, server: Scripted):
    client.write("s1")
    server.script.append(failing(413))
    client.run("push")
    [refused] = client.json("status")["refused"]
    assert refused["path"].endswith("s1.jsonl")
    assert "No: 413" in client.ok("status")


def test_it_warns_of_transcripts_that_claude_code_removes_soon(client: Machine, server: Scripted):
    old, new = client.write("s1"), client.write("s2")
    then = time.time() - 26.5 * DAY
    os.utime(old, (then, then))
    done = client.run("status")
    assert "1 transcript not sent yet will be removed by Claude Code, the first in 3 days" in done.stderr
    assert client.json("status")["expiring"] == {"s1.jsonl": 3}
    client.claude.joinpath("settings.json").write_text('{"cleanupPeriodDays": 90}')
    assert client.json("status")["expiring"] == {}
    client.claude.joinpath("settings.json").write_text('{"cleanupPeriodDays": 5}')
    assert set(client.json("status")["expiring"]) == {old.name, new.name}
    client.ok("push")
    assert client.json("status")["expiring"] == {}


def test_a_token_that_others_can_read_is_told(client: Machine, server: Scripted):
    token = client.agnes / "token"
    token.chmod(0o644)
    assert "Others on this machine" in client.run("status").stderr
    assert token.stat().st_mode & 0o777 == 0o600

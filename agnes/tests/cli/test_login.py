"""agnes login, logout"""

import json
import os
import stat
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.connecting import challenge_of
from accounts.models import AccessToken, AuditLog, LoginCode, Scope, User
from agnes.tests.cli.machines import Machine

pytestmark = pytest.mark.django_db(transaction=True)

# What `webbrowser` runs: it signs in with a session, and presses a button.
BROWSER = """
import re, sys, urllib.parse, httpx
address, session, answer = sys.argv[1], {session!r}, {answer!r}
with httpx.Client(cookies={{"sessionid": session}}, trust_env=False) as browser:
    page = browser.get(address)
    token = re.search('csrfmiddlewaretoken" value="([^"]+)', page.text)[1]
    form = {{"csrfmiddlewaretoken": token, "answer": answer}}
    done = browser.post(address, data=form, headers={{"Referer": address}})
    back = re.search('url=([^"]+)"', done.text)[1].replace("&amp;", "&")
    httpx.get(back, trust_env=False)
"""


def browser_of(user: User, folder: Path, answer: str = "allow") -> str:
    client = Client()
    client.force_login(user)
    script = folder / "browser.py"
    script.write_text(BROWSER.format(session=client.cookies["sessionid"].value, answer=answer))
    return f"{sys.executable} {script} %s"


class TestWithToken:
    def test_it_keeps_the_token_for_its_owner_only(self, machine: Machine, live_server, bob: User, token_for):
        token = token_for(bob, Scope.UPLOAD, Scope.READ)
        told = machine.ok("login", "--server", f"{live_server.url}/", "--with-token", input=f"{token}\n")
        assert told == f"You are logged in to {live_server.url} as Bob <bob@example.com>.\n"
        kept = machine.agnes / "token"
        assert kept.read_text() == f"{token}\n"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert stat.S_IMODE(machine.agnes.stat().st_mode) == 0o700
        assert token not in (machine.agnes / "config.json").read_text()

    def test_what_is_no_token_is_not_sent(self, machine: Machine):
        done = machine.run("login", "--server", "http://127.0.0.1:9", "--with-token", input="my password\n")
        assert (done.returncode, "no access token" in done.stderr) == (2, True)

    def test_a_token_that_does_not_hold(self, machine: Machine, live_server):
        wrong = "agnes_" + "a" * 12 + "_" + "b" * 40
        done = machine.run("login", "--server", live_server.url, "--with-token", input=wrong)
        assert done.returncode == 3
        assert "unknown, expired or revoked" in done.stderr
        assert not (machine.agnes / "token").exists()

    def test_a_server_that_is_away(self, machine: Machine, token_for, bob: User):
        token = token_for(bob, Scope.READ)
        away = "http://127.0.0.1:9"
        done = machine.run("login", "--server", away, "--with-token", input=token, AGNES_PATIENCE="0")
        assert done.returncode == 5
        assert "cannot be reached" in done.stderr

    @pytest.mark.parametrize("address", ["http://agnes.example.com", "ftp://x", "https://u:p@x.example"])
    def test_it_refuses_addresses_that_would_give_the_token_away(self, machine: Machine, address: str):
        assert machine.run("login", "--server", address, "--with-token", input="agnes_x").returncode == 2

    def test_a_missing_scope_is_told(self, machine: Machine, live_server, bob: User, token_for):
        done = machine.run(
            "login", "--server", live_server.url, "--with-token", input=token_for(bob, Scope.READ)
        )
        assert done.returncode == 0
        assert "lacks the scope upload" in done.stderr


class TestWithTheBrowser:
    def test_a_token_comes_by_the_browser(self, machine: Machine, live_server, bob: User, tmp_path: Path):
        browser = browser_of(bob, tmp_path)
        told = machine.json("login", "--server", live_server.url, BROWSER=browser)
        assert (told["email"], told["scopes"]) == ("bob@example.com", ["marketplace", "read", "upload"])
        token = AccessToken.objects.get()
        assert token.name.startswith("agnes on ")
        assert token.expires_at is not None
        row = AuditLog.objects.get(action="token.create")
        assert (row.actor, row.client_kind) == (bob.pk, "cli")
        assert not LoginCode.objects.exists()

    def test_admin_is_for_staff_only(self, machine: Machine, live_server, alice, bob, tmp_path: Path):
        for person, expected in ((bob, False), (alice, True)):
            browser = browser_of(person, tmp_path)
            told = machine.json("login", "--admin", "--server", live_server.url, BROWSER=browser)
            assert ("admin" in told["scopes"]) == expected

    def test_it_can_be_denied(self, machine: Machine, live_server, bob: User, tmp_path: Path):
        done = machine.run("login", "--server", live_server.url, BROWSER=browser_of(bob, tmp_path, "deny"))
        assert (done.returncode, "not allowed" in done.stderr) == (4, True)
        assert not AccessToken.objects.exists()


class TestTheServersSide:
    """What another than the client that asked would try."""

    VERIFIER = "v" * 43

    @pytest.fixture
    def client(self) -> Client:
        """A browser; for the tests beside, `client` is that of a machine."""
        return Client()

    @pytest.fixture
    def code(self, bob: User) -> str:
        client = Client()
        client.force_login(bob)
        query = {"port": 50000, "state": "s" * 16, "challenge": challenge_of(self.VERIFIER), "name": "laptop"}
        address = "/connect/?scope=upload&" + "&".join(f"{name}={value}" for name, value in query.items())
        page = client.post(address, {"answer": "allow"}).content.decode()
        return page.split("code=")[1].split("&")[0]

    def redeem(self, code: str, verifier: str) -> int:
        given = {"code": code, "verifier": verifier}
        return Client().post("/api/connect/token", json.dumps(given), "application/json").status_code

    def test_the_code_works_once(self, code: str):
        assert self.redeem(code, self.VERIFIER) == 200
        assert self.redeem(code, self.VERIFIER) == 422

    def test_nobody_gets_more_tokens_than_anybody_needs(self, code: str, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(tokens, "MOST_OWN", 0)
        assert self.redeem(code, self.VERIFIER) == 409

    def test_the_code_is_burnt_by_a_wrong_secret(self, code: str):
        assert self.redeem(code, "w" * 43) == 422
        assert self.redeem(code, self.VERIFIER) == 422

    def test_the_code_holds_for_two_minutes(self, code: str):
        LoginCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert self.redeem(code, self.VERIFIER) == 422

    def test_the_database_does_not_hold_the_code(self, code: str):
        assert code not in str(LoginCode.objects.values().get())

    def test_looking_at_the_page_allows_nothing(self, client: Client, bob: User):
        client.force_login(bob)
        address = f"/connect/?port=50000&state={'s' * 16}&challenge={'c' * 43}&name=laptop&scope=upload"
        assert client.get(address).status_code == 200
        assert not LoginCode.objects.exists()

    def test_it_takes_the_csrf_token(self, bob: User):
        client = Client(enforce_csrf_checks=True)
        client.force_login(bob)
        address = f"/connect/?port=50000&state={'s' * 16}&challenge={'c' * 43}&name=laptop&scope=upload"
        assert client.post(address, {"answer": "allow"}).status_code == 403

    @pytest.mark.parametrize(
        "wrong", ["port=80", "port=http://evil", "state=short", "challenge=x", "scope=everything", "name="]
    )
    def test_a_mangled_address_connects_nothing(self, client: Client, bob: User, wrong: str):
        client.force_login(bob)
        right = {
            "port": "50000", "state": "s" * 16, "challenge": "c" * 43, "name": "laptop", "scope": "upload",
        }  # fmt: skip
        name, value = wrong.split("=", 1)
        answer = client.post("/connect/?" + httpx.QueryParams({**right, name: value}).__str__())
        assert answer.status_code == 422
        assert not LoginCode.objects.exists()


class TestLogout:
    def test_the_token_is_gone_here_and_refused_there(self, laptop: Machine):
        assert "logged out" in laptop.ok("logout")
        assert not (laptop.agnes / "token").exists()
        assert AccessToken.objects.get().state == "revoked"
        assert laptop.ok("logout") == "You are not logged in.\n"

    def test_it_works_while_the_server_is_away(self, laptop: Machine):
        kept = laptop.agnes / "config.json"
        config = json.loads(kept.read_text())
        kept.write_text(json.dumps({**config, "server": "http://127.0.0.1:9"}))
        done = laptop.run("logout", AGNES_PATIENCE="0")
        assert done.returncode == 0
        assert "revoke it at" in done.stderr
        assert not (laptop.agnes / "token").exists()


class TestTooOld:
    def test_the_server_says_that_the_client_is_too_old(self, laptop: Machine, monkeypatch):
        monkeypatch.setattr("accounts.clients.OLDEST_CLIENT", (99, 0, 0))
        done = laptop.run("login", "--with-token", input=(laptop.agnes / "token").read_text())
        assert (done.returncode, "needs agnes 99.0.0" in done.stderr) == (10, True)


def test_a_damaged_configuration_is_told(machine: Machine):
    machine.agnes.mkdir()
    (machine.agnes / "config.json").write_text("{")
    done = machine.run("login")
    assert (done.returncode, "config.json is damaged" in done.stderr) == (8, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(machine: Machine):
    machine.home.chmod(0o500)
    assert machine.run("login").returncode == 8

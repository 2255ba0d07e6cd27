"""The API and the command, end to end."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditLog, Scope, User
from telemetry.models import AskQuestion
from telemetry.tests.ask.conftest import COUNT
from telemetry.tests.ask.messages_api import Say, Server

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lake")]
TODAY = datetime(2026, 5, 13, 9, tzinfo=UTC)
YESTERDAY = TODAY - timedelta(days=1)
EVENTS = [
    {"id": "a", "occurred_at": YESTERDAY, "tool_name": "Bash"},
    {"id": "b", "occurred_at": YESTERDAY + timedelta(hours=1), "tool_name": "Bash"},
    {"id": "c", "occurred_at": YESTERDAY, "tool_name": "Read"},
    {"id": "d", "occurred_at": TODAY, "tool_name": "Bash", "cwd": "[red]:smile:\x1b[2J"},
]
SQL = (
    "SELECT count(*) AS invocations FROM usage_events WHERE tool_name = 'Bash' "
    "AND occurred_at >= TIMESTAMPTZ '2026-05-12' AND occurred_at < TIMESTAMPTZ '2026-05-13'"
)


def command(*options: str) -> str:
    out = StringIO()
    call_command("ask", "how many times was Bash invoked yesterday", *options, stdout=out)
    return out.getvalue()


class TestCommand:
    def test_it_prints_the_sql_and_the_row(self, server: Server) -> None:
        server.says = [Say(SQL)]
        with patch("telemetry.ask.asking.timezone.now", return_value=TODAY):
            lines = command().splitlines()
        assert lines[0].startswith("SELECT count(*) AS invocations")
        assert [line.strip() for line in lines[2:4]] == ["invocations", "2"]
        told = server.requests[0]["messages"][0]["content"]
        assert "<now>Wednesday 2026-05-13 09:00 UTC, ISO week 2026-W20</now>" in told
        assert "<question>how many times was Bash invoked yesterday</question>" in told

    def test_for_machines(self, server: Server) -> None:
        server.says = [Say(SQL)]
        answer = json.loads(command("--json"))
        assert (answer["sql"], answer["rows"], answer["row_count"]) == (SQL, [{"invocations": 2}], 1)
        row = AuditLog.objects.get(action="usage.ask")
        assert (row.client_kind, row.actor) == ("command", None)

    def test_a_terminal_obeys_nothing_in_the_rows(self, server: Server) -> None:
        server.says = [Say("SELECT cwd FROM usage_events WHERE id = 'd'")]
        assert "[red]:smile:\ufffd[2J" in command()

    def test_nor_in_what_went_wrong(self, server: Server) -> None:
        server.says = [Say("", answerable=False, rationale="no \x1b[2J weather")]
        with pytest.raises(CommandError, match=r"no \ufffd\[2J weather"):
            command()

    def test_a_first_statement_is_shown_too(self, server: Server) -> None:
        server.says = [Say("SELECT nonsense FROM usage_events"), Say(SQL)]
        told = command()
        assert "SELECT nonsense FROM usage_events" in told
        assert SQL in told

    def test_not_set_up(self, settings: Any) -> None:
        settings.ANTHROPIC_API_KEY = ""
        with pytest.raises(CommandError, match="Ask is not set up: set ANTHROPIC_API_KEY"):
            command()

    def test_a_refused_statement_is_shown(self, server: Server) -> None:
        server.says = [Say("DROP VIEW usage_events")]
        with pytest.raises(CommandError, match="DROP VIEW usage_events"):
            command()


class TestForgetting:
    def test_questions_of_the_command_alone_are_deleted(self, alice: User) -> None:
        for user in (None, None, alice):
            AskQuestion.objects.create(user=user, question="How many?", provider="x", model="x")
        out = StringIO()
        call_command("ask_forget", "--dry-run", stdout=out)
        assert AskQuestion.objects.count() == 3
        call_command("ask_forget", stdout=out)
        assert out.getvalue() == "To be deleted: 2.\nDeleted: 2.\n"
        assert AskQuestion.objects.get().user == alice
        row = AuditLog.objects.get(action="usage.ask_forget")
        assert (row.params, row.client_kind) == ({"questions": 2}, "command")


class TestApi:
    @pytest.fixture
    def post(self, client: Client, alice: User, token_for: Callable[..., str]) -> Any:
        headers = {"authorization": f"Bearer {token_for(alice, Scope.ADMIN)}"}
        url = "/api/admin/usage/ask"
        return lambda body: client.post(url, body, content_type="application/json", headers=headers)

    def test_an_answer(self, post: Any, server: Server) -> None:
        server.says = [Say("SELECT tool_name, 1 AS n, 2 AS n FROM usage_events ORDER BY 1 LIMIT 1")]
        answer = post({"question": "Který nástroj?"}).json()
        assert answer["columns"] == ["tool_name", "n", "n_2"]
        assert answer["rows"] == [{"tool_name": "Bash", "n": 1, "n_2": 2}]
        assert answer["rationale"] == "because"
        assert not answer["truncated"]
        assert {"duration_ms", "model_ms", "total_ms", "model", "as_of", "assumptions"} <= answer.keys()

    def test_a_refused_statement(self, post: Any, server: Server) -> None:
        server.says = [Say("COPY usage_events TO 'x.csv'")]
        answer = post({"question": "Export it"})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (422, "query_rejected")
        assert error["fields"] == {"rule": "not_a_select", "sql": "COPY usage_events TO 'x.csv'"}

    @pytest.mark.parametrize("body", [{}, {"question": ""}, {"question": "x" * 1001}, {"question": 3}])
    def test_no_question(self, post: Any, server: Server, body: Any) -> None:
        assert post(body).status_code == 422
        assert not server.requests

    def test_not_set_up(self, post: Any, settings: Any) -> None:
        settings.ANTHROPIC_API_KEY = ""
        answer = post({"question": "How many?"})
        assert answer.status_code == 503
        assert "ANTHROPIC_API_KEY" in answer.json()["error"]["message"]

    def test_the_permission_is_its_own(
        self, client: Client, dana: User, token_for: Callable[..., str], server: Server
    ) -> None:
        headers = {"authorization": f"Bearer {token_for(dana, Scope.ADMIN)}"}
        answer = client.post(
            "/api/admin/usage/ask", {"question": COUNT}, content_type="application/json", headers=headers
        )
        assert answer.status_code == 403
        assert not server.requests

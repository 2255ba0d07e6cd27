"""Providers that answer with nonsense, or that would have a secret told to others."""

import json
import logging
from typing import Any

import pytest

from accounts.errors import AgnesError
from accounts.models import AuditLog, User
from telemetry.ask.asking import ask
from telemetry.ask.providers.choosing import provider
from telemetry.models import AskQuestion
from telemetry.tests.ask.conftest import COUNT
from telemetry.tests.ask.messages_api import Say, Server, messages_api
from telemetry.tests.ask.test_running import EVENTS as EVENTS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lake")]
CALL = json.dumps({"answerable": True, "sql": COUNT, "rationale": "", "assumptions": ""})
NESTED = "[" * 20_000


@pytest.fixture
def openai(server: Server, settings: Any) -> Server:
    settings.ASK_PROVIDER, settings.ASK_BASE_URL, settings.ASK_API_KEY = "openai", server.url, "sk-test"
    return server


def completion(arguments: str = CALL, **more: object) -> Say:
    message = {"tool_calls": [{"function": {"arguments": arguments}}]}
    return Say(body=json.dumps({"choices": [{"message": message}], **more}))


class TestNonsense:
    @pytest.mark.parametrize("usage", [{"prompt_tokens": "many"}, {"prompt_tokens": [1]}, ["many"], "many"])
    def test_tokens_that_are_no_numbers_count_as_none(
        self, usage: object, alice: User, openai: Server
    ) -> None:
        openai.says = [completion(usage=usage)]
        assert ask("How many?", actor=alice).rows == [{"n": 2}]
        assert AuditLog.objects.get(action="usage.ask").params["input_tokens"] == 0

    def test_an_id_is_kept_as_a_database_takes_it(self, alice: User, openai: Server) -> None:
        openai.says = [completion(id="\0\ud800" + "x" * 5000)]
        ask("How many?", actor=alice)
        [kept] = AuditLog.objects.get(action="usage.ask").params["request_ids"]
        assert kept.startswith("\ufffd?xxx")
        assert len(kept) == 200

    def test_anthropics_tokens_too(self, alice: User, server: Server) -> None:
        block = {"type": "tool_use", "id": "a", "name": "run_sql", "input": json.loads(CALL)}
        message = {"type": "message", "content": [block], "stop_reason": "tool_use", "usage": {}}
        server.says = [Say(body=json.dumps({**message, "usage": {"input_tokens": "many"}}))]
        assert ask("How many?", actor=alice).rows == [{"n": 2}]

    @pytest.mark.parametrize("say", [completion(NESTED), Say(body=NESTED)], ids=["the call", "all of it"])
    def test_what_is_nested_without_end_is_unusable(self, say: Say, alice: User, openai: Server) -> None:
        openai.says = [say]
        with pytest.raises(AgnesError) as error:
            ask("How many?", actor=alice)
        assert (error.value.code, error.value.status) == ("provider_failed", 502)
        assert AskQuestion.objects.get().verdict == "failed"

    def test_of_anthropic_too(self, alice: User, server: Server) -> None:
        server.says = [Say(body=NESTED)]
        with pytest.raises(AgnesError) as error:
            ask("How many?", actor=alice)
        assert error.value.status == 502


class TestSecrets:
    @pytest.mark.parametrize("name", ["anthropic", "openai"])
    def test_a_key_goes_nowhere_else(self, name: str, alice: User, server: Server, settings: Any) -> None:
        """An address that sends elsewhere gets neither the question nor the key there."""
        settings.ASK_PROVIDER, settings.ASK_BASE_URL = name, server.url
        with messages_api(Say(COUNT)) as elsewhere:
            server.says = [Say(status=307, headers={"location": elsewhere.url})]
            with pytest.raises(AgnesError) as error:
                ask("How many?", actor=alice)
        assert error.value.status == 502
        assert server.requests
        assert not elsewhere.requests

    @pytest.mark.parametrize("name", ["anthropic", "openai"])
    def test_a_traceback_with_values_shows_no_key(self, name: str, settings: Any) -> None:
        settings.ASK_PROVIDER = name
        settings.ANTHROPIC_API_KEY = settings.ASK_API_KEY = "sk-secret"
        assert "sk-secret" not in repr(provider())

    def test_no_log_tells_a_question(
        self, alice: User, server: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Questions can be deleted from the history; nobody deletes lines of a log."""
        caplog.set_level(logging.DEBUG)
        ask("Where does Zdenka live?", actor=alice)
        assert "Zdenka" not in caplog.text
        assert "sk-ant-test" not in caplog.text

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Scope, User
from telemetry.models import SessionTranscript
from telemetry.tests.builders import assistant_line, moment, tool_result, tool_use, user_line
from telemetry.tests.planting import store


@pytest.fixture
def get(client: Client, alice: User, token_for: Callable[..., str]) -> Callable[..., Any]:
    """`get(bob, "/download-all")` asks the API for that of bob's sessions as alice; `body` are the bytes."""
    headers = {"authorization": f"Bearer {token_for(alice, Scope.ADMIN)}"}

    def ask(person: User, path: str = "", **query: Any) -> Any:
        answer = client.get(f"/api/admin/users/{person.pk}/sessions{path}", query, headers=headers)
        if answer.streaming:
            answer.body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        return answer

    return ask


def go_away(answer: Any) -> None:
    """As a client does that has read a little: the test client closes an answer with its content."""
    content = answer._iterator
    next(content)
    content.close()


def session(owner: User, session_id: str, *, at: float = 0, fails: bool = False, **fields: Any) -> Any:
    """A prompt, a call and its result, so many seconds after the start of all."""
    call = tool_use("Bash", command="make")
    fields = {"sessionId": session_id, **fields}
    return store(
        owner,
        user_line("Go", timestamp=moment(at), **fields),
        assistant_line([call], timestamp=moment(at + 1), **{"model": "claude-a", **fields}),
        user_line(
            tool_result(call["id"], "Exit code 1" if fails else "ok", is_error=fails),
            timestamp=moment(at + 2),
            **{name: value for name, value in fields.items() if name != "model"},
        ),
    )


def subagent(owner: User, session_id: str, agent_id: str, **fields: Any) -> SessionTranscript:
    more = {"agentId": agent_id, "isSidechain": True, **fields}
    transcript: SessionTranscript = session(owner, session_id, **more)
    return transcript

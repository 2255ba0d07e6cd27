"""Whatever speaks OpenAI's chat completions: hosted, or a model on one's own machine."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from telemetry.ask.providers import failures
from telemetry.ask.providers.draft import (
    MAX_TOKENS,
    SCHEMA,
    TIMEOUT_SECONDS,
    TOOL_DESCRIPTION,
    TOOL_NAME,
    Draft,
    Repair,
    Usage,
    draft_of,
    usage_of,
)

if TYPE_CHECKING:
    import httpx

TOOL = {
    "type": "function",
    "function": {
        "name": TOOL_NAME,
        "description": TOOL_DESCRIPTION,
        "strict": True,
        "parameters": SCHEMA,
    },
}
CHOICE = {"type": "function", "function": {"name": TOOL_NAME}}
# From the strictest to what every model can; a server that does not know one refuses it with such a status.
UNKNOWN_FORM = (400, 422)
FORMS: tuple[dict[str, Any], ...] = (
    {"tools": [TOOL], "tool_choice": CHOICE},
    {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": TOOL_NAME, "strict": True, "schema": SCHEMA},
        }
    },
    {},
)
IN_WORDS = f"\n\nWithout tools, answer with this JSON object alone:\n{json.dumps(SCHEMA['properties'])}"


@dataclass(frozen=True)
class OpenAIChat:
    """`base_url` such as http://127.0.0.1:11434/v1; the key may be empty."""

    model: str
    api_key: str = field(repr=False)
    base_url: str
    name: str = "openai"

    def draft(self, prefix: str, question: str, repair: Repair | None = None) -> Draft:
        request = {
            "model": self.model,
            "max_tokens": MAX_TOKENS,
            "messages": _messages(prefix, question, repair),
        }
        for form in FORMS:
            response = self._post({**request, **form})
            if response.status_code not in UNKNOWN_FORM:
                break
        if not response.is_success:
            raise failures.of_status(response.status_code, response.headers, failures.OPENAI)
        return _read(response)

    def _post(self, request: dict[str, Any]) -> "httpx.Response":
        # Only whoever asks waits for its import.
        import httpx

        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        url = f"{self.base_url.rstrip('/')}/chat/completions"
        try:
            return httpx.post(url, json=request, headers=headers, timeout=TIMEOUT_SECONDS)
        except httpx.TimeoutException as error:
            raise failures.timed_out() from error
        except httpx.HTTPError as error:
            raise failures.unreachable(failures.OPENAI) from error


def _messages(prefix: str, question: str, repair: Repair | None) -> list[dict[str, Any]]:
    messages = [{"role": "system", "content": prefix + IN_WORDS}, {"role": "user", "content": question}]
    if repair is not None:
        messages += [
            {"role": "assistant", "content": repair.draft.sql},
            {"role": "user", "content": f"The engine said: {repair.error}\nWrite a better statement."},
        ]
    return messages


def _read(response: "httpx.Response") -> Draft:
    try:
        answer = response.json()
        choice = answer["choices"][0]
        content = _content(choice["message"])
        usage = _usage(answer)
        is_cut = choice.get("finish_reason") == "length"
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise failures.unusable(failures.NO_MESSAGE) from error
    if is_cut:
        raise failures.unusable("it would be too long")
    draft = draft_of(content, usage)
    if draft is None:
        raise failures.unusable()
    return draft


def _usage(answer: dict[str, Any]) -> Usage:
    """None of a server that does not count."""
    tokens = answer.get("usage")
    counted = tokens if isinstance(tokens, dict) else {}
    return usage_of(
        input=counted.get("prompt_tokens"),
        output=counted.get("completion_tokens"),
        request_id=answer.get("id"),
    )


def _content(message: dict[str, Any]) -> Any:
    """The call of the tool; of a model without tools the last JSON object that it wrote."""
    if calls := message.get("tool_calls"):
        return json.loads(calls[0]["function"]["arguments"])
    return next(reversed(list(_objects_in(message.get("content") or ""))), None)


def _objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Those that may be an answer, whatever stands around them."""
    decoder, place = json.JSONDecoder(), text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except ValueError:
            end = place + 1
        else:
            if "answerable" in value:
                yield value
        place = text.find("{", end)

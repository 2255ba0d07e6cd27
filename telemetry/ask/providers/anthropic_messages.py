"""Anthropic's Messages API, through its SDK."""

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
    from anthropic.types import Message

TOOL = {"name": TOOL_NAME, "description": TOOL_DESCRIPTION, "strict": True, "input_schema": SCHEMA}
CHOICE = {"type": "tool", "name": TOOL_NAME, "disable_parallel_tool_use": True}
WHY_NONE = {
    "max_tokens": "it would be too long",
    "refusal": "it refused",
    "model_context_window_exceeded": "the question is too long",
}


@dataclass(frozen=True)
class AnthropicMessages:
    model: str
    api_key: str = field(repr=False)
    base_url: str
    name: str = "anthropic"

    def draft(self, prefix: str, question: str, repair: Repair | None = None) -> Draft:
        # Its import takes seconds, which only who asks should spend.
        import anthropic

        try:
            with anthropic.Anthropic(
                api_key=self.api_key,
                base_url=self.base_url,
                timeout=TIMEOUT_SECONDS,
                max_retries=1,
                # Else the key and the question would go to wherever an answer points.
                http_client=anthropic.DefaultHttpxClient(follow_redirects=False),
            ) as client:
                # Plain data, as the API documents it; the SDK's types would be imported with it.
                create: Any = client.messages.create
                message = create(
                    model=self.model,
                    max_tokens=MAX_TOKENS,
                    system=[{"type": "text", "text": prefix, "cache_control": {"type": "ephemeral"}}],
                    tools=[TOOL],
                    tool_choice=CHOICE,
                    messages=_messages(question, repair),
                )
        # The first is a kind of the second.
        except anthropic.APITimeoutError as error:
            raise failures.timed_out() from error
        except anthropic.APIConnectionError as error:
            raise failures.unreachable(failures.ANTHROPIC) from error
        except anthropic.APIStatusError as error:
            status, headers = error.status_code, error.response.headers
            request_id = error.request_id or ""
            raise failures.of_status(status, headers, failures.ANTHROPIC, request_id) from error
        # The SDK lets through what is no JSON, and an object without what a message has.
        except (anthropic.APIError, ValueError, RecursionError) as error:
            raise failures.unusable(failures.NO_MESSAGE) from error
        try:
            return _read(message)
        except (AttributeError, TypeError) as error:
            raise failures.unusable(failures.NO_MESSAGE) from error


def _messages(question: str, repair: Repair | None) -> list[dict[str, Any]]:
    asked: dict[str, Any] = {"role": "user", "content": question}
    if repair is None:
        return [asked]
    draft = repair.draft
    content = {
        "answerable": draft.answerable,
        "sql": draft.sql,
        "rationale": draft.rationale,
        "assumptions": draft.assumptions,
    }
    call = {"type": "tool_use", "id": draft.call_id, "name": TOOL_NAME, "input": content}
    result = {
        "type": "tool_result",
        "tool_use_id": draft.call_id,
        "is_error": True,
        "content": repair.error,
    }
    return [asked, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]


def _read(message: "Message") -> Draft:
    import anthropic

    # A proxy's page comes back as plain text.
    if not isinstance(message, anthropic.types.Message):
        raise failures.unusable("something else than the provider answered")
    if message.stop_reason in WHY_NONE:
        raise failures.unusable(WHY_NONE[message.stop_reason])
    for block in message.content:
        if block.type == "tool_use" and (draft := draft_of(block.input, _usage(message), block.id)):
            return draft
    raise failures.unusable()


def _usage(message: "Message") -> Usage:
    usage = message.usage
    return usage_of(
        input=usage.input_tokens,
        output=usage.output_tokens,
        cache_read=usage.cache_read_input_tokens,
        request_id=message._request_id,
    )

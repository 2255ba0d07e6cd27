"""What is asked of a model, and what it answers; alike for all providers."""

from dataclasses import dataclass, field
from typing import Any, Protocol

MAX_TOKENS = 1_500
TIMEOUT_SECONDS = 20.0
# More than any statement that would be run.
MAX_CHARACTERS = 20_000
REQUEST_ID_CHARACTERS = 200
TOOL_NAME = "run_sql"
TOOL_DESCRIPTION = "Run one DuckDB SELECT statement that answers the question."
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["answerable", "sql", "rationale", "assumptions"],
    "properties": {
        "answerable": {"type": "boolean", "description": "Whether the tables can answer the question."},
        "sql": {"type": "string", "description": "One SELECT statement; empty if not answerable."},
        "rationale": {"type": "string", "description": "One or two sentences on how the SQL answers it."},
        "assumptions": {"type": "string", "description": "What was taken for granted; may be empty."},
    },
}


@dataclass(frozen=True)
class Usage:
    """Tokens, and the provider's id of the request, for who must find it again."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    request_id: str = ""


@dataclass(frozen=True)
class Draft:
    """A statement that nothing has looked at yet."""

    answerable: bool
    sql: str
    rationale: str
    assumptions: str
    usage: Usage = field(default_factory=Usage)
    # How the provider names the call of the tool, to answer it.
    call_id: str = ""


@dataclass(frozen=True)
class Repair:
    """What was tried, and what the engine said of it."""

    draft: Draft
    error: str


class Provider(Protocol):
    """`name` and `model` are for audit rows."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    def draft(self, prefix: str, question: str, repair: Repair | None = None) -> Draft:
        """`prefix` is the same for every question. Raises ProviderFailed, AskNotSetUp."""


def draft_of(content: Any, usage: Usage, call_id: str = "") -> Draft | None:
    """None where `content` does not have the form of SCHEMA: it is checked here whatever was promised."""
    if not isinstance(content, dict) or not isinstance(content.get("answerable"), bool):
        return None
    sql, rationale, assumptions = (content.get(name, "") for name in ("sql", "rationale", "assumptions"))
    if not all(isinstance(text, str) for text in (sql, rationale, assumptions)):
        return None
    return Draft(content["answerable"], _kept(sql), _kept(rationale), _kept(assumptions), usage, call_id)


def usage_of(*, input: Any, output: Any, cache_read: Any = 0, request_id: Any = "") -> Usage:
    """As a provider tells it: what is no number of tokens counts as none."""
    return Usage(
        input_tokens=_number(input),
        output_tokens=_number(output),
        cache_read_tokens=_number(cache_read),
        request_id=_kept(str(request_id or ""))[:REQUEST_ID_CHARACTERS],
    )


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _kept(text: str) -> str:
    """What a database takes, and not without end: no NUL, no half of a surrogate pair."""
    return text[:MAX_CHARACTERS].replace("\0", "\ufffd").encode(errors="replace").decode()

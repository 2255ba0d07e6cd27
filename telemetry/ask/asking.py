"""One question, from words to rows."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import User
from telemetry.ask.errors import NotAnswerable, QueryFailed, QueryRejected, WrongQuestion
from telemetry.ask.prompt import samples
from telemetry.ask.prompt.prefix import prefix
from telemetry.ask.prompt.turn import turn
from telemetry.ask.prompt.values import fixed_values
from telemetry.ask.providers.choosing import provider
from telemetry.ask.providers.draft import Draft, Provider, Repair
from telemetry.ask.running import WALL_SECONDS, Answer, run_statement
from telemetry.ask.turns import turn_of
from telemetry.ask.validating.functions import UNKNOWN_FUNCTION
from telemetry.export.freshness import publish_if_quick
from telemetry.lake.reading import current_snapshot
from telemetry.models import AskQuestion

ACTION, DOWNLOAD, FORGET = "usage.ask", "usage.ask_download", "usage.ask_forget"
QUESTION_CHARACTERS = 1_000
# So much of an engine's error goes back to the model.
ERROR_CHARACTERS = 500
# Rules that the engine itself has.
OF_THE_ENGINE = ("syntax", UNKNOWN_FUNCTION)
# A second statement has what the first left of its time, unless that is less than a process needs to start.
LEAST_SECONDS = 2
# NUL, and halves of surrogate pairs: no database takes them.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
Verdict = AskQuestion.Verdict


@dataclass
class Asked:
    """What became of a question so far. `model_ms` and `total_ms` are wall time."""

    question: str
    provider: Provider | None = None
    turn: str = ""
    drafts: list[Draft] = field(default_factory=list)
    # What the model was told of its first statement.
    repair: str = ""
    answer: Answer | None = None
    model_ms: int = 0
    total_ms: int = 0
    history_id: int | None = None

    @property
    def draft(self) -> Draft | None:
        return self.drafts[-1] if self.drafts else None

    @property
    def sql(self) -> str:
        """The last statement that there was."""
        return next((draft.sql for draft in reversed(self.drafts) if draft.sql.strip()), "")

    @property
    def first_sql(self) -> str:
        """The one that the engine refused, where there was a second."""
        return self.drafts[0].sql if len(self.drafts) > 1 else ""

    @property
    def sent(self) -> str:
        """All that the provider got, but for the form of the answer; empty where nothing was sent."""
        parts = [prefix(), self.turn] if self.turn else []
        if self.repair:
            parts += [f"Your statement: {self.drafts[0].sql}", f"The engine said: {self.repair}"]
        return "\n\n".join(parts)

    @property
    def rows(self) -> list[dict[str, Any]]:
        if self.answer is None:
            return []
        return [dict(zip(self.answer.columns, row, strict=True)) for row in self.answer.rows]


def ask(question: str, *, actor: User | None) -> Asked:
    """Raises AgnesError; where there is a statement by then, it stands in `fields` as `sql`.

    Everything that happens is audited, and kept in the person's history. `actor` None: who runs the server.
    """
    asked = Asked(question.strip())
    with _remembered(asked, actor):
        asked.provider = provider()
        _check(asked.question)
        with turn_of(actor.pk if actor else None):
            _answer(asked, asked.provider)
    return asked


def run_again(kept: AskQuestion, *, actor: User) -> Answer:
    """The rows of a kept question's statement as they are now; no model is asked. Raises AgnesError."""
    result = "error"
    try:
        with turn_of(actor.pk):
            answer = run_statement(kept.sql)
        result = "ok"
        return answer
    except AgnesError as error:
        result = error.code
        raise
    finally:
        audit.record(DOWNLOAD, actor=actor, params={"sql_sha256": _hash(kept.sql)}, result=result)


def forget(kept: QuerySet[AskQuestion], *, actor: User | None) -> int:
    """Delete kept questions; the audit rows, which hold none of their words, stay. Returns how many."""
    with transaction.atomic():
        count, _ = kept.delete()
        audit.record(FORGET, actor=actor, params={"questions": count})
    return count


def answer_of(asked: Asked) -> dict[str, Any]:
    """As JSON has it, for every door."""
    assert asked.answer is not None
    assert asked.draft is not None
    assert asked.provider is not None
    return {
        "sql": asked.sql,
        "first_sql": asked.first_sql,
        "rationale": asked.draft.rationale,
        "assumptions": asked.draft.assumptions,
        "columns": asked.answer.columns,
        "rows": asked.rows,
        "row_count": len(asked.answer.rows),
        "truncated": asked.answer.truncated,
        "duration_ms": asked.answer.duration_ms,
        "model_ms": asked.model_ms,
        "total_ms": asked.total_ms,
        "model": asked.provider.model,
        "as_of": asked.answer.as_of,
    }


def _check(question: str) -> None:
    if not question or len(question) > QUESTION_CHARACTERS or _UNSTORABLE.search(question):
        raise WrongQuestion(QUESTION_CHARACTERS)


def _answer(asked: Asked, provider: Provider) -> None:
    publish_if_quick()
    # Nobody need be asked while there is nothing to read.
    current_snapshot()
    asked.turn = _turn(asked.question)
    _draft(asked, provider)
    began = monotonic()
    try:
        asked.answer = run_statement(asked.sql)
    except (QueryFailed, QueryRejected) as error:
        left = WALL_SECONDS - (monotonic() - began)
        if not _can_be_mended(error) or left < LEAST_SECONDS:
            raise
        # An engine's error may quote rows; a parser's only the statement.
        told = error.told if isinstance(error, QueryFailed) else error.message
        asked.repair = told[:ERROR_CHARACTERS]
        _draft(asked, provider)
        asked.answer = run_statement(asked.sql, seconds=left)


def _can_be_mended(error: QueryFailed | QueryRejected) -> bool:
    """What the engine refuses; not what is against the rules."""
    return isinstance(error, QueryFailed) or error.rule in OF_THE_ENGINE


def _draft(asked: Asked, provider: Provider) -> None:
    """A statement, or a better one than that of which the engine said `asked.repair`."""
    repair = Repair(asked.draft, asked.repair) if asked.draft else None
    began = monotonic()
    try:
        draft = provider.draft(prefix(), asked.turn, repair)
    finally:
        asked.model_ms += round((monotonic() - began) * 1000)
    asked.drafts.append(draft)
    if not draft.answerable or not draft.sql.strip():
        raise NotAnswerable(draft.rationale)


def _turn(question: str) -> str:
    rows: samples.Rows = {}
    values = fixed_values()
    if settings.ASK_SAMPLE_ROWS == "synthetic":
        rows = samples.INVENTED
    elif settings.ASK_SAMPLE_ROWS == "redacted":
        rows, values = samples.real_samples(), {**values, **samples.real_values()}
    return turn(question, now=timezone.now(), values=values, samples=rows)


@contextmanager
def _remembered(asked: Asked, actor: User | None) -> Iterator[None]:
    """However it ends, it is audited; what was sent to a provider is kept, too."""
    began = monotonic()
    failure: AgnesError | None = None
    try:
        yield
    except AgnesError as error:
        failure = error
        statements = {"sql": asked.sql, "first_sql": asked.first_sql}
        error.fields = {**error.fields, **{name: sql for name, sql in statements.items() if sql}}
        raise
    finally:
        asked.total_ms = round((monotonic() - began) * 1000)
        verdict, reason = _verdict(asked, failure)
        audit.record(ACTION, actor=actor, params=_params(asked, verdict), result=reason or "ok")
        if asked.turn and asked.provider:
            _keep(asked, asked.provider, actor, verdict, reason)


def _keep(asked: Asked, provider: Provider, actor: User | None, verdict: str, reason: str) -> None:
    if actor and User.objects.filter(pk=actor.pk).exclude(erased_at=None).exists():
        # They were erased while it was answered.
        return
    row = AskQuestion.objects.create(
        user=actor,
        question=asked.question,
        verdict=verdict,
        reason=reason,
        sql=asked.sql,
        first_sql=asked.first_sql,
        rationale=asked.draft.rationale if asked.draft else "",
        provider=provider.name,
        model=provider.model,
        sent=asked.sent,
        row_count=len(asked.answer.rows) if asked.answer else None,
        duration_ms=asked.total_ms,
    )
    asked.history_id = row.pk


def _verdict(asked: Asked, failure: AgnesError | None) -> tuple[str, str]:
    if asked.answer is not None:
        return Verdict.ANSWERED, ""
    if isinstance(failure, QueryRejected):
        return Verdict.REJECTED, failure.rule
    return Verdict.FAILED, failure.code if failure else "error"


def _params(asked: Asked, verdict: str) -> dict[str, Any]:
    usages = [draft.usage for draft in asked.drafts]
    return {
        "question_sha256": _hash(asked.question),
        "sent_sha256": _hash(asked.sent),
        "sql_sha256": [_hash(draft.sql) for draft in asked.drafts],
        "verdict": verdict,
        "provider": asked.provider.name if asked.provider else None,
        "model": asked.provider.model if asked.provider else None,
        "rows": len(asked.answer.rows) if asked.answer else None,
        "truncated": asked.answer.truncated if asked.answer else None,
        "model_ms": asked.model_ms,
        "run_ms": asked.answer.duration_ms if asked.answer else None,
        "total_ms": asked.total_ms,
        "input_tokens": sum(usage.input_tokens for usage in usages),
        "output_tokens": sum(usage.output_tokens for usage in usages),
        "cache_read_tokens": sum(usage.cache_read_tokens for usage in usages),
        "request_ids": [usage.request_id for usage in usages if usage.request_id],
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()

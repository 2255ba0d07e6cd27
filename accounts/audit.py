"""The audit log's one door: every privileged action calls `record`.

Who acts and through which door is known from the context: the middleware sets it for a request, a
command or task wraps its work in `with audit.context("command"): ...`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from accounts import log_context
from accounts.models import AuditLog, ClientKind, User


@dataclass(frozen=True)
class Context:
    client_kind: str
    request_id: str
    # A function, because within a request the person is known only once a view has authenticated them.
    find_actor: Callable[[], User | None]


OUTSIDE = Context(ClientKind.COMMAND, "", lambda: None)
_current: ContextVar[Context] = ContextVar("audit_context", default=OUTSIDE)


def current() -> Context:
    return _current.get()


@contextmanager
def context(
    client_kind: str,
    *,
    actor: User | Callable[[], User | None] | None = None,
    request_id: str = "",
) -> Iterator[Context]:
    """Audit rows written inside carry this client kind, request id and, unless they name one, this actor.

    Without a request id it is the one under way: a task has that of the request which asked for it.
    """
    find_actor = actor if callable(actor) else lambda: actor
    with log_context.request(request_id) as request_id:
        made = Context(ClientKind(client_kind), request_id, find_actor)
        token = _current.set(made)
        try:
            yield made
        finally:
            _current.reset(token)


def record(
    action: str,
    *,
    target: str = "",
    actor: User | None = None,
    params: Mapping[str, Any] | None = None,
    result: str = "ok",
) -> AuditLog:
    """Write one row, in the caller's transaction: rolled back work leaves no row.

    `action` is `<family>.<verb>`, `target` names a thing by its id (`user:7`, `token:3f2a…`). `params`
    must not hold e-mail addresses or content: rows are never removed, not even when a person is erased.
    """
    now = current()
    actor = actor or now.find_actor()
    return AuditLog.objects.create(
        actor=actor.pk if actor else None,
        action=action,
        target=target[: AuditLog.TARGET_LENGTH],
        params=dict(params or {}),
        result=result[: AuditLog.RESULT_LENGTH],
        client_kind=now.client_kind,
        request_id=now.request_id,
    )

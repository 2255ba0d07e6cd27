"""What is under way, for the log and the audit log: the request's id, and the task that it asked for.

Knows no models, since the log is set up before there are any. A task that is enqueued while a request is
answered carries the request's id with it, into whichever worker runs it.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, NamedTuple


class UnderWay(NamedTuple):
    """'' where there is none."""

    request_id: str = ""
    task: str = ""


NOTHING = UnderWay()
_under_way: ContextVar[UnderWay] = ContextVar("under_way", default=NOTHING)
# How to go back, for each task that this process runs.
_before: dict[str, Token[UnderWay]] = {}


def under_way() -> UnderWay:
    return _under_way.get()


def new_request_id() -> str:
    return secrets.token_hex(8)


@contextmanager
def request(request_id: str = "") -> Iterator[str]:
    """Without an id the one that is under way goes on, or a new one begins."""
    now = _under_way.get()
    request_id = request_id or now.request_id or new_request_id()
    token = _under_way.set(now._replace(request_id=request_id))
    try:
        yield request_id
    finally:
        _under_way.reset(token)


def connect() -> None:
    from django_q.signals import post_execute, post_execute_in_worker, pre_enqueue, pre_execute

    pre_enqueue.connect(_give, dispatch_uid="log context")
    pre_execute.connect(_enter, dispatch_uid="log context")
    post_execute_in_worker.connect(_leave, dispatch_uid="log context")
    post_execute.connect(_note_result, dispatch_uid="log context")


def _give(sender: Any, task: dict[str, Any], **signal: Any) -> None:
    if request_id := under_way().request_id:
        task["request_id"] = request_id


def _enter(sender: Any, task: dict[str, Any], **signal: Any) -> None:
    """In the process that runs the task. What runs by the clock begins an id of its own."""
    _before[task["id"]] = _under_way.set(_of(task))


def _leave(sender: Any, task: dict[str, Any], **signal: Any) -> None:
    if token := _before.pop(task["id"], None):
        _under_way.reset(token)


def _note_result(sender: Any, task: dict[str, Any], **signal: Any) -> None:
    """In the process that notes results, one after another, and logs which failed."""
    if not task.get("sync"):
        _under_way.set(_of(task))


def _of(task: dict[str, Any]) -> UnderWay:
    request_id = task.setdefault("request_id", new_request_id())
    func = task["func"]
    return UnderWay(request_id, func if isinstance(func, str) else func.__qualname__)

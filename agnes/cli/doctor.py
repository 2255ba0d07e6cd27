"""Whether everything works on this machine, end to end: what is wrong, and the cure."""

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from agnes.cli import claude, config, folders
from agnes.cli.accounts import ask_who
from agnes.cli.api import Api, Patience, in_path
from agnes.cli.config import Login
from agnes.cli.errors import ClientError, ServerAway
from agnes.cli.private.marks import marks
from agnes.cli.push.ledger import open_ledger
from agnes.cli.setup.workspace import Place, Scope, is_set_up

SESSION_PREFIX = "agnes-doctor-"
# For the server's worker, which looks for work when something came.
WORKER_SECONDS = 60.0
PAUSE_SECONDS = 1.0
CLOCK_SECONDS = 120.0


class Verdict(StrEnum):
    GOOD = "good"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    what: str
    verdict: Verdict
    told: str
    cure: str = ""


def examine(workspace: str, *, on_finding: Callable[[Finding], None], seconds: float | None = None) -> bool:
    """Whether nothing is bad. What needs what is bad is not looked at."""
    is_good = True
    for finding in _findings(workspace, WORKER_SECONDS if seconds is None else seconds):
        is_good = is_good and finding.verdict != Verdict.BAD
        on_finding(finding)
    return is_good


def _findings(workspace: str, seconds: float) -> Iterator[Finding]:
    yield _checked("This machine's files", _own_files)
    yield _checked("Claude Code", _claude)
    yield _hooks(workspace)
    try:
        login = config.login()
    except ClientError as error:
        yield _bad("Login", error)
        return
    yield Finding("Login", Verdict.GOOD, f"{login.server}, {login.account or 'a token of the environment'}")
    # Whoever waits here wants to know at once.
    with Api.of(login, patience=Patience(0)) as api:
        try:
            me = ask_who(api)
        except ClientError as error:
            yield _bad("Server", error)
            return
        yield Finding("Server", Verdict.GOOD, f"answers as {me['email']}")
        yield _clock(api)
        yield from _scopes(me, login)
        if {"upload", "read"} <= set(me["scopes"] or ()):
            yield from _round_trip(api, seconds)


def _own_files() -> str:
    for folder in (folders.config_folder(), folders.state_folder(), folders.data_folder()):
        probe = folder / ".doctor"
        folders.write_private(probe, "x")
        probe.unlink()
    if config.token_file_is_open():
        config.close_token_file()
        raise ClientError("Others could read your access token.", "They cannot any more: make another one.")
    private = len(marks())
    with open_ledger("") as ledger:
        ledger.notes()
    return f"can be written; {private} private sessions"


def _claude() -> str:
    if not claude.projects_folder().is_dir():
        raise ClientError(
            f"There is no {claude.projects_folder()}.",
            "Use Claude Code once, or say where it keeps its files with CLAUDE_CONFIG_DIR.",
        )
    command = claude.command()
    return f"keeps sessions in {claude.projects_folder()}" + (
        "" if command else "; `claude` is not on the PATH"
    )


def _hooks(workspace: str) -> Finding:
    what = "Hooks"
    try:
        scopes = [scope for scope in Scope if is_set_up(Place.of(scope, Path(workspace)))]
    except ClientError as error:
        return _bad(what, error)
    if not scopes:
        return Finding(
            what,
            Verdict.LOOK,
            f"{workspace} is not set up, so nothing is sent by itself.",
            "Run `agnes init`.",
        )
    if Scope.PROJECT in scopes and shutil.which("agnes") is None:
        return Finding(
            what,
            Verdict.BAD,
            "The hooks call `agnes`, which is not on the PATH.",
            "Add its folder to the PATH.",
        )
    return Finding(what, Verdict.GOOD, f"are set up ({', '.join(scopes)})")


def _clock(api: Api) -> Finding:
    """Times in transcripts are those of this machine."""
    answer = api.send("GET", "/me")
    try:
        there = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return Finding("Clock", Verdict.LOOK, "The server does not tell the time.")
    off = abs((datetime.now(UTC) - there).total_seconds())
    if off > CLOCK_SECONDS:
        return Finding(
            "Clock",
            Verdict.LOOK,
            f"It is {off:.0f} seconds off that of the server.",
            "Set this machine's clock.",
        )
    return Finding("Clock", Verdict.GOOD, "agrees with the server's")


def _scopes(me: dict[str, Any], login: Login) -> Iterator[Finding]:
    missing = [it for it in ("upload", "read") if it not in (me["scopes"] or ())]
    if missing:
        yield Finding(
            "Token", Verdict.BAD, f"It lacks the scope {' and '.join(missing)}.", "Run `agnes login` again."
        )
    else:
        yield Finding("Token", Verdict.GOOD, f"may {', '.join(me['scopes'])}")


def _round_trip(api: Api, seconds: float) -> Iterator[Finding]:
    """A session of its own goes there, is seen there, counted, and removed."""
    session = f"{SESSION_PREFIX}{uuid.uuid4()}"
    try:
        api.json("POST", "/upload/sessions", content=_transcript(session), headers=JSON_LINES)
    except ClientError as error:
        yield _bad("Upload", error)
        return
    yield Finding("Upload", Verdict.GOOD, "a test session arrived")
    try:
        yield _seen(api, session, seconds)
    finally:
        yield _removed(api, session)


def _seen(api: Api, session: str, seconds: float) -> Finding:
    deadline = time.monotonic() + seconds
    state = ""
    try:
        while True:
            mine = api.get("/sessions", {"limit": 200})["items"]
            state = next((it["state"] for it in mine if it["session_id"] == session), "")
            if state not in ("waiting", "at work") or time.monotonic() >= deadline:
                break
            time.sleep(PAUSE_SECONDS)
    except ClientError as error:
        return _bad("Read", error)
    if not state:
        return Finding("Read", Verdict.BAD, "The test session cannot be seen.", "Tell an operator.")
    if state != "done":
        return Finding(
            "Read",
            Verdict.LOOK,
            f"The test session is there and is not counted yet ({state}).",
            "If it stays so, tell an operator to look at the server's task worker.",
        )
    return Finding("Read", Verdict.GOOD, "it is seen and counted")


def _removed(api: Api, session: str) -> Finding:
    try:
        api.json("DELETE", f"/sessions/{in_path(session)}")
    except ClientError as error:
        return _bad("Remove", error)
    return Finding("Remove", Verdict.GOOD, "it is gone again")


JSON_LINES = {"Content-Type": "application/x-ndjson"}


def _transcript(session: str) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = {
        "type": "user",
        "uuid": str(uuid.uuid4()),
        "parentUuid": None,
        "sessionId": session,
        "timestamp": now,
        "cwd": os.path.sep,
        "isMeta": True,
        "message": {"role": "user", "content": "A test of `agnes doctor`."},
    }
    return json.dumps(record).encode() + b"\n"


def _checked(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, Verdict.GOOD, check())
    except ClientError as error:
        return _bad(what, error)


def _bad(what: str, error: ClientError) -> Finding:
    away = (
        " Check the address, the network, and whether the server runs."
        if isinstance(error, ServerAway)
        else ""
    )
    return Finding(what, Verdict.BAD, error.message, f"{error.hint}{away}".strip())

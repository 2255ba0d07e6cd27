"""agnes push"""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from agnes.cli import config
from agnes.cli.errors import ClientError, Incomplete, LocalTrouble
from agnes.cli.output import as_json, plural, say, size, table, warn
from agnes.cli.push import detached, locking, pushing
from agnes.cli.push.pushing import Report, Wish
from agnes.cli.push.sending import Outcome, Sent
from agnes.cli.transcripts import Transcript
from agnes.cli.workspaces import workspace_of

# Somebody who waits at the terminal for another push to end.
LOCK_SECONDS = 600.0
HOOK_BYTES = 1_000_000

All = Annotated[bool, typer.Option("--all", help="Of all workspaces on this machine.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
Again = Annotated[bool, typer.Option("--again", help="Try those again that the server refused.")]
Hook = Annotated[bool, typer.Option("--hook", help="For hooks of Claude Code: goes on in the background.")]
Background = Annotated[bool, typer.Option("--background", hidden=True)]
More = Annotated[list[str] | None, typer.Option("--transcript", hidden=True)]
Skip = Annotated[str, typer.Option("--skip", hidden=True)]


def register(app: typer.Typer) -> None:
    app.command()(push)


def push(
    all: All = False,
    dry_run: DryRun = False,
    json: Json = False,
    quiet: Quiet = False,
    again: Again = False,
    hook: Hook = False,
    background: Background = False,
    transcript: More = None,
    skip: Skip = "",
) -> None:
    """Send new and grown sessions of this workspace to the server.

    Private ones stay here, and credentials are taken out of what is sent.
    """
    if hook:
        _run_as_hook()
        return
    workspace = None if all else workspace_of(os.getcwd())
    wish = Wish(workspace, tuple(transcript or ()), skip=skip or None, again=again)
    if background:
        _push_in_background(wish)
    elif dry_run:
        _show_waiting(wish, json=json)
    else:
        _push(wish, json=json, quiet=quiet)


def _push(wish: Wish, *, json: bool, quiet: bool) -> None:
    login = config.login()
    with locking.push_lock(seconds=0) as is_free:
        if is_free:
            report = pushing.push(login, wish, _progress(quiet=quiet or json))
    if not is_free:
        if not quiet:
            warn("Another push is under way: waiting for it.")
        with locking.push_lock(seconds=LOCK_SECONDS) as is_free:
            if not is_free:
                raise LocalTrouble("Another push has been under way for 10 minutes.", "Try again later.")
            report = pushing.push(login, wish, _progress(quiet=quiet or json))
    if locking.has_requests():
        detached.start(["push", "--background"], folder=None)
    if json:
        as_json(report.as_dict())
    elif not quiet:
        _show(report)
    _fail_where_it_failed(report)


def _push_in_background(wish: Wish) -> None:
    """For a hook. Where another push is under way, that one does this one's work."""
    locking.leave_request(wish.as_text())
    # Asked once more after the lock is gone: one may be left between the last look and its end.
    while locking.has_requests():
        with locking.push_lock(seconds=0) as is_free:
            if not is_free:
                return
            for text in locking.take_requests():
                _push_for_hook(Wish.of_text(text))


def _push_for_hook(wish: Wish) -> None:
    login = config.login()
    if not pushing.may_try(login):
        return
    report = pushing.push(login, wish)
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    if report.stopped or report.refused or report.outcomes[Outcome.SENT]:
        warn(f"{stamp} {json.dumps(report.as_dict())}")


def _run_as_hook() -> None:
    """Says nothing: what a hook prints goes into the session. Whatever goes wrong is in the log."""
    told = _read_hook()
    event, folder = told.get("hook_event_name"), told.get("cwd")
    arguments = ["push", "--background"]
    if event == "SessionStart":
        # It has just begun, or goes on: it is sent when it ends.
        arguments += ["--skip", str(told.get("session_id") or "")]
    elif isinstance(path := told.get("transcript_path"), str) and path:
        arguments += ["--transcript", str(Path(path).expanduser())]
    try:
        detached.start(arguments, folder=folder if isinstance(folder, str) else None)
    except ClientError as error:
        warn(f"agnes: {error.text}")


def _read_hook() -> dict[str, Any]:
    if sys.stdin.isatty():
        return {}
    try:
        told = json.loads(sys.stdin.buffer.read(HOOK_BYTES))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _show_waiting(wish: Wish, *, json: bool) -> None:
    waiting = pushing.look(config.login(), wish)
    rows = [{"session": it.session, "name": it.name, "size": it.size} for it in waiting.transcripts]
    if json:
        as_json(
            {
                "waiting": rows,
                "private": waiting.private,
                "known": waiting.known,
                "refused_before": waiting.refused,
            }
        )
        return
    shown = [{**row, "size": size(each.size)} for row, each in zip(rows, waiting.transcripts, strict=True)]
    table(shown, {"Transcript": "name", "Size": "size"}, empty="Nothing is waiting.")


def _progress(*, quiet: bool) -> pushing.OnSent:
    def show(transcript: Transcript, sent: Sent) -> None:
        if sent.outcome == Outcome.SENT:
            say(f"{transcript.name}  {size(sent.bytes)}")

    return (lambda *_: None) if quiet or not sys.stdout.isatty() else show


def _show(report: Report) -> None:
    done = report.outcomes
    say(
        f"{plural(done[Outcome.SENT], 'transcript')} sent, {report.known + done[Outcome.SAME]} known before"
        + (f", {done[Outcome.PRIVATE]} private" if done[Outcome.PRIVATE] else "")
        + (f", {report.left} left" if report.left else "")
        + "."
    )
    if report.redacted:
        what = ", ".join(f"{count} {name}" for name, count in sorted(report.redacted.items()))
        say(f"Taken out before sending: {what}.")
    if report.told:
        say(f"The server was told of {plural(report.told, 'private session')}.")
    for name, reason in report.refused.items():
        warn(f"{name} was refused: {reason}")
    if report.untold and not report.stopped:
        warn(f"{report.untold.message} {report.untold.hint}")


def _fail_where_it_failed(report: Report) -> None:
    if report.stopped:
        raise report.stopped
    if report.refused:
        raise Incomplete(
            f"The server refused {plural(len(report.refused), 'transcript')} for good.",
            "They are not sent again unless they change; --again tries.",
        )

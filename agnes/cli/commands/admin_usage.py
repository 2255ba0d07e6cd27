"""agnes admin usage"""

from pathlib import Path
from typing import Annotated

import typer

from agnes.cli import config
from agnes.cli.api import Api
from agnes.cli.output import as_json, say, size, warn
from agnes.cli.people import id_of
from agnes.cli.receiving import receive

app = typer.Typer(no_args_is_help=True, help="Usage data as a whole.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count only, and change nothing.")]
# Of what a prune removes.
ROWS = ("events", "messages", "transcripts")


@app.command("export")
def export(
    dataset: Annotated[str | None, typer.Option(help="Such as events, the default.")] = None,
    format: Annotated[str | None, typer.Option(help="csv (the default), json, ndjson or parquet.")] = None,
    since: Annotated[str | None, typer.Option(help="Inclusive, such as 2026-05-01.")] = None,
    until: Annotated[str | None, typer.Option(help="Exclusive.")] = None,
    user: Annotated[str | None, typer.Option(help="One person: the e-mail address, or the id.")] = None,
    source: Annotated[str | None, typer.Option(help="curated, flea or builtin.")] = None,
    spreadsheet_safe: Annotated[
        bool, typer.Option("--spreadsheet-safe", help="For CSV that a spreadsheet opens.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="A file; else standard output.")] = None,
) -> None:
    """Export usage data; the file holds the same rows as the API's answer."""
    with Api.of(config.login()) as api:
        query = {
            "dataset": dataset, "format": format, "since": since, "until": until, "source": source,
            "user_id": id_of(api, user) if user else None,
            "spreadsheet_safe": "1" if spreadsheet_safe else None,
        }  # fmt: skip
        received = receive(api, "/admin/usage/export", out, params=query)
    if out is not None:
        rows = received.headers.get("x-agnes-rows", "?")
        warn(f"{out}: {rows} rows, {size(received.bytes)}, as of {received.headers.get('x-agnes-as-of')}")


@app.command("reprocess")
def reprocess(
    dry_run: DryRun = False,
    session_by_session: Annotated[
        bool,
        typer.Option(
            "--session-by-session",
            help="Remove nothing beforehand: replace one transcript after another.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Have everything extracted anew from the stored transcripts."""
    _run("reprocess", {"dry_run": dry_run, "session_by_session": session_by_session}, json=json)


@app.command("prune")
def prune(dry_run: DryRun = False, json: Json = False) -> None:
    """Delete what is older than the server keeps."""
    _run("prune", {"dry_run": dry_run}, json=json)


def _run(what: str, options: dict[str, bool], *, json: bool) -> None:
    query = {name: "true" for name, wanted in options.items() if wanted}
    with Api.of(config.login()) as api:
        answer = api.json("POST", f"/admin/usage/{what}", params=query, timeout=120.0)
    if json:
        as_json(answer)
        return
    counted = answer.get("removed") or {name: answer[name] for name in ROWS if name in answer}
    verb = "Would remove" if options["dry_run"] else "Removed"
    say(f"{verb} {', '.join(f'{count} {name}' for name, count in counted.items()) or 'nothing'}.")
    if answer.get("message"):
        say(answer["message"])
    elif not answer.get("complete", True) and not options["dry_run"]:
        say("More is left: the server's worker goes on with it.")

"""agnes admin sessions"""

import re
from pathlib import Path
from typing import Annotated

import typer

from agnes.cli import config
from agnes.cli.api import Api, in_path
from agnes.cli.errors import WrongInput
from agnes.cli.output import as_json, say, size, table, warn
from agnes.cli.people import id_of
from agnes.cli.receiving import receive

# What the server calls a transcript, with the id of its person.
SESSION_FILE = re.compile(r"u(\d{1,18})_.+\.jsonl")

app = typer.Typer(no_args_is_help=True, help="People's sessions.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Who = Annotated[str, typer.Option("--user", help="Whose: the e-mail address, or the id.")]
MaybeWho = Annotated[str | None, typer.Option("--user", help="Whose: the e-mail address, or the id.")]
File = Annotated[
    str, typer.Argument(help="As the list has it, such as u7_….jsonl; or the session with --user.")
]


@app.command("list")
def list_sessions(
    user: Who,
    since: Annotated[str | None, typer.Option(help="Inclusive, such as 2026-05-01.")] = None,
    until: Annotated[str | None, typer.Option(help="Exclusive.")] = None,
    errors: Annotated[bool, typer.Option("--errors", help="With tool errors only.")] = False,
    model: Annotated[str | None, typer.Option(help="Whose most used model it is.")] = None,
    project: Annotated[str | None, typer.Option(help="The project folder, whole.")] = None,
    plugin: Annotated[str | None, typer.Option(help="That used it, such as kits/tidy.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many.")] = None,
    offset: Annotated[int | None, typer.Option(help="Without the newest so many.")] = None,
    json: Json = False,
) -> None:
    """List a person's sessions, newest first."""
    query = {
        "since": since, "until": until, "errors": "1" if errors else None, "model": model,
        "project": project, "plugin": plugin, "limit": limit, "offset": offset,
    }  # fmt: skip
    with Api.of(config.login()) as api:
        found = api.get(f"/admin/users/{id_of(api, user)}/sessions", query)
    if json:
        as_json(found)
        return
    table(found["items"], COLUMNS)
    if (rest := found["total"] - found["offset"] - len(found["items"])) > 0:
        warn(f"{rest} more: --offset {found['offset'] + len(found['items'])}.")


@app.command("show")
def show(session: File, user: MaybeWho = None, json: Json = False) -> None:
    """Show a session with its figures and its subagents."""
    with Api.of(config.login()) as api:
        found = api.get(_path(api, session, user))
    if json:
        as_json(found)
        return
    for name, value in found.items():
        if name not in ("subagents", "download") and value is not None:
            say(f"{name.replace('_', ' '):22} {value}")
    if found["subagents"]:
        say()
        table(found["subagents"], COLUMNS)


@app.command("download")
def download(
    session: Annotated[
        str | None, typer.Argument(help="As the list has it; none for all of a person.")
    ] = None,
    user: MaybeWho = None,
    out: Annotated[Path | None, typer.Option(help="A file; else standard output.")] = None,
) -> None:
    """Download a transcript as it was uploaded, or all of a person as a zip."""
    with Api.of(config.login()) as api:
        if session is not None:
            path = f"{_path(api, session, user)}/download"
        elif user is not None:
            path = f"/admin/users/{id_of(api, user)}/sessions/download-all"
        else:
            raise WrongInput("Which session?", "Name one, or --user for all of a person.")
        received = receive(api, path, out)
    if out is not None:
        warn(f"{out}: {size(received.bytes)}")


COLUMNS = {
    "Transcript": "session_file", "Began": "started_at", "Project": "project", "Prompts": "prompts",
    "Calls": "tool_calls", "Errors": "errors", "Size": "bytes", "State": "state",
}  # fmt: skip


def _path(api: Api, session: str, user: str | None) -> str:
    named = SESSION_FILE.fullmatch(session)
    if named:
        return f"/admin/users/{named[1]}/sessions/{in_path(session)}"
    if user is None:
        raise WrongInput(
            f"Whose session is {session}?", "Say --user, or name the transcript as the list has it."
        )
    user_id = id_of(api, user)
    return f"/admin/users/{user_id}/sessions/{in_path(f'u{user_id}_{session}.jsonl')}"

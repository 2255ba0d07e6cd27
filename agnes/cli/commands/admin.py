"""agnes admin"""

from typing import Annotated

import typer

from agnes.cli import config
from agnes.cli.api import Api
from agnes.cli.commands import admin_sessions, admin_usage
from agnes.cli.output import as_json, say, table, warn

ASK_SECONDS = 180.0

app = typer.Typer(no_args_is_help=True, help="For admins, as far as their permissions reach.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(main: typer.Typer) -> None:
    app.add_typer(admin_usage.app, name="usage")
    app.add_typer(admin_sessions.app, name="sessions")
    main.add_typer(app, name="admin")


@app.command("ask")
def ask(question: Annotated[str, typer.Argument(help="In plain language.")], json: Json = False) -> None:
    """Ask the usage data; a model writes the SQL, which is shown."""
    with Api.of(config.login()) as api:
        # Asked again, it would cost again.
        answer = api.json(
            "POST", "/admin/usage/ask", json={"question": question}, again=False, timeout=ASK_SECONDS
        )
    if json:
        as_json(answer)
        return
    say(answer["sql"])
    if answer["assumptions"]:
        say(answer["assumptions"])
    say()
    table(answer["rows"], {name: name for name in answer["columns"]}, empty="No rows.")
    if answer["truncated"]:
        warn(f"Only the first {len(answer['rows'])} rows are shown.")


@app.command("activity")
def activity(
    who: Annotated[str | None, typer.Option(help="An id or an e-mail address.")] = None,
    action: Annotated[str | None, typer.Option(help="Such as usage.export.")] = None,
    target: Annotated[str | None, typer.Option(help="Such as user:7.")] = None,
    since: Annotated[str | None, typer.Option(help="Inclusive, such as 2026-05-01.")] = None,
    until: Annotated[str | None, typer.Option(help="Exclusive.")] = None,
    client: Annotated[str | None, typer.Option(help="web, api, cli, command or task.")] = None,
    before: Annotated[int | None, typer.Option(help="Rows after the one with this id.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many.")] = None,
    json: Json = False,
) -> None:
    """Show who did what, newest first."""
    query = {
        "who": who, "action": action, "target": target, "since": since, "until": until, "client": client,
        "before": before, "limit": limit,
    }  # fmt: skip
    with Api.of(config.login()) as api:
        found = api.get("/admin/activity", query)
    if json:
        as_json(found)
        return
    columns = {
        "Id": "id", "At": "at", "Who": "actor_email", "Action": "action", "Target": "target",
        "Result": "result", "By": "client_kind",
    }  # fmt: skip
    table(found["items"], columns)

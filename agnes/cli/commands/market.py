"""agnes market"""

from pathlib import Path
from typing import Annotated, Any

import typer

from agnes.cli import config, market
from agnes.cli.api import Api
from agnes.cli.errors import Refused
from agnes.cli.output import as_json, say, table, warn

app = typer.Typer(no_args_is_help=True, help="The plugins of the server, and those of your stack.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="Such as tidy, kits/tidy or curated:kits/tidy.")]


def register(main: typer.Typer) -> None:
    main.add_typer(app, name="market")


@app.command("list")
def list_items(
    words: Annotated[list[str] | None, typer.Argument(help="Words to look for.")] = None,
    stack: Annotated[bool, typer.Option("--stack", help="Those of your stack.")] = False,
    sort: Annotated[str | None, typer.Option(help="most_used, trending, recent or name.")] = None,
    source: Annotated[str | None, typer.Option(help="curated or flea.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many.")] = None,
    offset: Annotated[int | None, typer.Option(help="Without the first so many.")] = None,
    json: Json = False,
) -> None:
    """List plugins with their use of the last 30 days, the most used first."""
    with Api.of(config.login()) as api:
        if stack:
            _show_stack(api.get("/marketplace/stack"), json=json)
            return
        query = {
            "q": " ".join(words) if words else None, "sort": sort, "source": source, "limit": limit,
            "offset": offset,
        }  # fmt: skip
        listed = api.get("/marketplace/items", query)
    if json:
        as_json(listed)
        return
    columns = {
        "Name": "name", "Source": "source", "Id": "ref_id", "Calls": "invocations_30d",
        "People": "unique_users_30d", "Trend %": "trend_pct", "What it is": "description",
    }  # fmt: skip
    table(listed["items"], columns, empty="Nothing.")
    if (rest := listed["total"] - listed["offset"] - len(listed["items"])) > 0:
        warn(f"{rest} more: --offset {listed['offset'] + len(listed['items'])}.")


@app.command("show")
def show(name: Name, json: Json = False) -> None:
    """Show a plugin with its parts and their use."""
    with Api.of(config.login()) as api:
        details = market.show(api, name)
    if json:
        as_json(details)
        return
    say(f"{details['title']}  {details['source']}:{details['ref_id']}  {details['version']}")
    say(details["description"])
    say(f"{details['invocations_30d']} calls by {details['unique_users_30d']} people in 30 days")
    if details["does_not_load"]:
        warn(f"Claude Code does not load it: {details['does_not_load']}")
    columns = {
        "Kind": "kind", "Name": "name", "Called": "identifier", "Calls": "invocations_30d",
        "Errors": "errors_30d", "What it does": "description",
    }  # fmt: skip
    table(details["components"], columns, empty="What is in it is not known.")


@app.command("install")
def install(name: Name, json: Json = False) -> None:
    """Add a plugin to your stack, and install it in Claude Code where that has your marketplace."""
    with Api.of(config.login()) as api:
        done = market.install(api, name)
    if json:
        as_json({"item": done.item, "installed": bool(done.in_claude), "lines": done.lines})
        return
    say(f"{done.item['title']} is in your stack.")
    if done.item["why_not"]:
        warn(f"It is not served: {done.item['why_not']}")
    elif done.in_claude is None:
        say("Claude Code here does not have your marketplace: `agnes init --marketplace` adds it, or paste:")
        for line in done.lines:
            say(f"  {line}")
    else:
        say(done.in_claude)


@app.command("remove")
def remove(name: Name, json: Json = False) -> None:
    """Take a plugin out of your stack, and out of Claude Code."""
    with Api.of(config.login()) as api:
        done = market.remove(api, name)
    if json:
        as_json({"item": done.item, "uninstalled": bool(done.in_claude)})
        return
    say(f"{done.item['title']} is no longer in your stack.")
    if done.in_claude:
        say(done.in_claude)


@app.command("upload")
def upload(
    path: Annotated[Path, typer.Argument(help="One .zip, one .md, or a folder.")],
    kind: Annotated[str, typer.Option(help="skill, agent, command or plugin; else its files tell.")] = "",
    name: Annotated[str, typer.Option(help="Its name; else its files tell.")] = "",
    description: Annotated[str, typer.Option(help="Shown in place of what its files say.")] = "",
    json: Json = False,
) -> None:
    """Upload a skill, an agent, a command or a plugin to the flea market."""
    try:
        with Api.of(config.login()) as api:
            uploaded = market.upload(api, path, kind=kind, name=name, description=description)
    except Refused as error:
        if json:
            as_json({"error": error.details})
        else:
            _show_findings(error.details.get("findings"))
        raise
    if json:
        as_json(uploaded)
        return
    _show_findings(uploaded["findings"])
    for note in uploaded["notes"]:
        say(note)
    held = uploaded["verdict"] == "held"
    say(f"{uploaded['slug']} is {'held until an admin has looked at it' if held else 'published'}.")


def _show_stack(stack: dict[str, Any], *, json: bool) -> None:
    if json:
        as_json(stack)
        return
    columns = {"Name": "name", "Title": "title", "Source": "source", "Id": "ref_id", "Not served": "why_not"}
    table(stack["items"], columns, empty="Your stack is empty: `agnes market install NAME`.")


def _show_findings(findings: Any) -> None:
    for each in findings if isinstance(findings, list) else ():
        where = f"{each['path']}:{each['line']}" if each["line"] else each["path"]
        warn(f"{each['severity']}  {where}  {each['text']}  {each['cure']}")

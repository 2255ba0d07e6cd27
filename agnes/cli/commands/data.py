"""agnes catalog, pull, query, snapshot"""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from agnes.cli import config
from agnes.cli.accounts import with_account
from agnes.cli.api import Api
from agnes.cli.datasets import downloading, kept, querying
from agnes.cli.datasets.catalogue import read_catalogue
from agnes.cli.datasets.kept import Kept, Kind, Shelf
from agnes.cli.errors import NotFound, WrongInput
from agnes.cli.output import as_json, plural, say, size, table

# A terminal shows so many; a pipe gets all.
SHOWN_ROWS = 200

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Mine = Annotated[bool, typer.Option("--mine", help="Your own rows only, where you see everybody's.")]
Names = Annotated[list[str] | None, typer.Argument(help="Data sets, such as events; else all.")]

snapshots = typer.Typer(no_args_is_help=True, help="Parts of tables that are too large to pull.")


def register(app: typer.Typer) -> None:
    app.command()(catalog)
    app.command()(pull)
    app.command()(query)
    app.add_typer(snapshots, name="snapshot")


def catalog(json: Json = False) -> None:
    """List the data sets that you may see, and what of them is on this machine."""
    with _connected() as (api, account):
        listed = read_catalogue(api)
    here = {it.name: it for it in Shelf(account, Kind.DATASET).all()}
    rows = [{**item, **_local(here.get(item["name"]))} for item in listed["items"]]
    if json:
        as_json({"as_of": listed["as_of"], "items": rows})
        return
    table(
        rows,
        {
            "Data set": "name", "Table": "table", "One row is": "description", "Whose": "whose",
            "Rows here": "rows", "As of": "pulled_as_of",
        },
    )  # fmt: skip


def pull(names: Names = None, mine: Mine = False, json: Json = False) -> None:
    """Download data sets, so that `agnes query` can ask them. What has not changed is not sent again."""
    pulled = []
    with _connected() as (api, account):
        items = _chosen(read_catalogue(api, mine=mine)["items"], names)
        shelf = Shelf(account, Kind.DATASET)
        for item in items:
            filters = {"mine": "true"} if mine else {}
            got, is_new = downloading.download(api, shelf, item, name=item["name"], filters=filters)
            pulled.append({**_described(got), "new": is_new})
            if not json:
                told = size(got.bytes) if is_new else "unchanged"
                say(f"{got.view}: {plural(got.rows, 'row')}, {told}")
    if json:
        as_json({"items": pulled})


def query(
    statement: Annotated[str, typer.Argument(metavar="SQL", help="In DuckDB's SQL; `-` reads it in.")],
    json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Ask what was pulled, on this machine, such as "SELECT count(*) FROM usage_events"."""
    text = sys.stdin.read() if statement == "-" else statement
    answer = querying.query(_account(), text)
    if json:
        as_json(answer.as_objects())
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerows([answer.columns, *answer.rows])
    else:
        shown = answer.rows[:SHOWN_ROWS] if sys.stdout.isatty() else answer.rows
        rows = [dict(enumerate(row)) for row in shown]
        table(
            [{str(at): value for at, value in row.items()} for row in rows],
            _headings(answer.columns),
            empty="No rows.",
        )
        if len(shown) < len(answer.rows):
            say(f"… and {len(answer.rows) - len(shown)} more: --csv or --json prints all.")


@snapshots.command("create")
def create(
    name: Annotated[str, typer.Argument(help="How queries will call it, such as last_month.")],
    of: Annotated[str, typer.Option("--table", help="A data set, such as events.")],
    columns: Annotated[str | None, typer.Option(help="Some of them, with commas.")] = None,
    since: Annotated[str | None, typer.Option(help="Inclusive, such as 2026-05-01.")] = None,
    until: Annotated[str | None, typer.Option(help="Exclusive.")] = None,
    source: Annotated[str | None, typer.Option(help="curated, flea or builtin.")] = None,
    tool: Annotated[str | None, typer.Option(help="The name of a tool.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many rows.")] = None,
    mine: Mine = False,
    replace: Annotated[bool, typer.Option("--replace", help="In place of one of this name.")] = False,
    json: Json = False,
) -> None:
    """Download a part of a table: the server chooses rows and columns."""
    kept.check_name(name)
    filters = {
        "columns": columns, "since": since, "until": until, "source": source, "tool": tool,
        "limit": limit, "mine": "true" if mine else None,
    }  # fmt: skip
    with _connected() as (api, account):
        shelf = Shelf(account, Kind.SNAPSHOT)
        if shelf.read(name) and not replace:
            raise WrongInput(f"There is a snapshot {name} already.", "Choose another name, or --replace it.")
        [item] = _chosen(read_catalogue(api)["items"], [of])
        given = {key: value for key, value in filters.items() if value is not None}
        got, _ = downloading.download(api, shelf, item, name=name, filters=given)
    if json:
        as_json(_described(got))
    else:
        say(f"{name}: {plural(got.rows, 'row')} of {got.table}, {size(got.bytes)}")


@snapshots.command("list")
def list_snapshots(json: Json = False) -> None:
    """List the snapshots on this machine."""
    rows = [_described(it) for it in Shelf(_account(), Kind.SNAPSHOT).all()]
    if json:
        as_json({"items": rows})
        return
    shown = [{**row, "filters": " ".join(f"{k}={v}" for k, v in row["filters"].items())} for row in rows]
    headings = {"Name": "name", "Table": "table", "Rows": "rows", "Part": "filters", "As of": "as_of"}
    table(shown, headings, empty="None yet: `agnes snapshot create`.")


@snapshots.command("drop")
def drop(name: Annotated[str, typer.Argument()]) -> None:
    """Remove a snapshot from this machine."""
    if not Shelf(_account(), Kind.SNAPSHOT).drop(kept.check_name(name)):
        raise NotFound(f"There is no snapshot {name}.", "`agnes snapshot list` shows them.")
    say(f"{name} is gone.")


@contextmanager
def _connected() -> Iterator[tuple[Api, str]]:
    login = config.login()
    with Api.of(login) as api:
        yield api, with_account(login, api).key


def _account() -> str:
    """Known after the first pull, without asking the server."""
    login = config.login()
    if login.account is None:
        with Api.of(login) as api:
            login = with_account(login, api)
    return login.key


def _chosen(items: list[dict[str, Any]], names: list[str] | None) -> list[dict[str, Any]]:
    """By either of their names."""
    if not names:
        return items
    by_name = {name: it for it in items for name in (it["name"], it["table"])}
    if unknown := [name for name in names if name not in by_name]:
        known = ", ".join(it["name"] for it in items)
        raise NotFound(f"There is no data set {unknown[0]} for you.", f"There are {known}.")
    return [by_name[name] for name in dict.fromkeys(names)]


def _local(here: Kept | None) -> dict[str, Any]:
    return {"rows": here and here.rows, "pulled_as_of": here and here.as_of, "bytes": here and here.bytes}


def _described(got: Kept) -> dict[str, Any]:
    names = ("name", "view", "table", "rows", "bytes", "as_of", "whose", "filters", "pulled_at")
    return {name: getattr(got, name) for name in names}


def _headings(columns: Any) -> dict[str, str]:
    """Two columns may have one name, and headings may not."""
    headings: dict[str, str] = {}
    for at, name in enumerate(columns):
        headings[name if name not in headings else f"{name} ({at + 1})"] = str(at)
    return headings

"""agnes doctor"""

import os
from typing import Annotated

import typer

from agnes.cli.doctor import Finding, Verdict, examine
from agnes.cli.output import as_json, say
from agnes.cli.workspaces import workspace_of

FAILED = 1
MARKS = {Verdict.GOOD: "ok  ", Verdict.LOOK: "look", Verdict.BAD: "BAD "}

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(json: Json = False) -> None:
    """Check everything end to end: sends a test session, looks for it on the server, and removes it."""
    found: list[Finding] = []

    def note(finding: Finding) -> None:
        found.append(finding)
        if not json:
            say(f"{MARKS[finding.verdict]}  {finding.what}: {finding.told}")
            if finding.cure:
                say(f"      {finding.cure}")

    is_good = examine(workspace_of(os.getcwd()), on_finding=note)
    if json:
        as_json({"good": is_good, "findings": [vars(finding) for finding in found]})
    if not is_good:
        raise typer.Exit(FAILED)

"""Ask the telemetry in plain language."""

import json
import unicodedata
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from accounts import audit
from accounts.errors import AgnesError
from telemetry.ask.asking import Asked, answer_of, ask


class Command(BaseCommand):
    help = "Ask the telemetry in plain language: prints the SQL that a model wrote, and its rows."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("question", help="such as: how many times was Bash invoked yesterday?")
        parser.add_argument("--json", action="store_true", help="for machines: what the API answers")

    def handle(self, *args: Any, question: str, **options: Any) -> None:
        try:
            with audit.context("command"):
                asked = ask(question, actor=None)
        except AgnesError as error:
            raise CommandError(_refusal(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(answer_of(asked), ensure_ascii=False))
        else:
            self._show(asked)

    def _show(self, asked: Asked) -> None:
        answer = asked.answer
        assert answer is not None
        table = Table(*map(_printable, answer.columns), box=None, header_style="bold")
        for row in answer.rows:
            table.add_row(*("" if value is None else _printable(value) for value in row))
        out = cast(IO[str], self.stdout)
        console = Console(file=out, markup=False, emoji=False, highlight=False, soft_wrap=True)
        console.print(_printable(asked.sql), "\n")
        console.print(table)
        more = "; there are more" if answer.truncated else ""
        count = f"{len(answer.rows)} row{'' if len(answer.rows) == 1 else 's'}"
        console.print(f"\n{count}{more}, as of {answer.as_of}.")
        if asked.first_sql:
            console.print("\nThe engine refused a first statement:\n", _printable(asked.first_sql), sep="")


def _printable(value: object) -> str:
    """Without what a terminal would obey: rows hold whatever people's folders and skills are called."""
    return "".join(
        character if character in "\n\t" or unicodedata.category(character)[0] != "C" else "\ufffd"
        for character in str(value)
    )


def _refusal(error: AgnesError) -> str:
    statements = [error.fields[name] for name in ("sql", "first_sql") if name in error.fields]
    return "\n\n".join(map(_printable, [error.text, *statements]))

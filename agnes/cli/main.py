"""The commands, put together, and how errors become exit codes."""

import os
import sys
from typing import Annotated

import typer

from agnes.cli import VERSION
from agnes.cli.commands import admin, data, doctor, init, login, market, private, push, status
from agnes.cli.errors import ClientError
from agnes.cli.output import tell, warn

INTERRUPTED = 130
DEBUG = "AGNES_DEBUG"

app = typer.Typer(
    name="agnes",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Sends sessions of Claude Code to a server of Agnes, and shows what is there.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"agnes {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


for subject in (login, init, push, private, status, doctor, data, market, admin):
    subject.register(app)


def main() -> None:
    try:
        app()
    except ClientError as error:
        tell(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        warn("agnes: interrupted.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Who reads has enough. Python would complain of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        warn(f"agnes: this is a fault of the client: {type(error).__name__}: {error}. {DEBUG}=1 shows where.")
        sys.exit(1)

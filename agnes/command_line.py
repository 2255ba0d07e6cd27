"""Django's command line, with plain sentences for what whoever called it can cure."""

from django.core.management import execute_from_command_line
from django.db import DatabaseError, OperationalError, connection

from agnes.env import WrongSettings


def run(arguments: list[str]) -> None:
    """Runs a command; a deliberate `--traceback` shows where an error came from."""
    try:
        execute_from_command_line(arguments)
    except (WrongSettings, OperationalError) as error:
        if "--traceback" in arguments or not (sentence := _sentence(error)):
            raise
        raise SystemExit(sentence) from None


def _sentence(error: WrongSettings | OperationalError) -> str:
    if isinstance(error, WrongSettings):
        return str(error)
    return "" if _database_opens() else f"The database cannot be opened: {str(error).strip()}\n{CURE}"


CURE = "Correct DATABASE_URL, or see that its server runs; without DATABASE_URL, look into AGNES_DATA_DIR."


def _database_opens() -> bool:
    try:
        connection.ensure_connection()
    except DatabaseError:
        return False
    return True

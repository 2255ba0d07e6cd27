"""Django's command line, with plain sentences for what whoever called it can cure."""

from django.core.management import execute_from_command_line
from django.db import DatabaseError, OperationalError, ProgrammingError, connection

from accounts.disk_trouble import disk_trouble
from agnes.env import WrongSettings
from agnes.health import migrations

Trouble = WrongSettings | DatabaseError | OSError
# What SQLite says, and PostgreSQL's codes, where a table or a column is not there.
MISSING = ("no such table", "no such column", "has no column named")
MISSING_STATES = ("42P01", "42703")


def run(arguments: list[str]) -> None:
    """Runs a command; a deliberate `--traceback` shows where an error came from."""
    try:
        execute_from_command_line(arguments)
    except (WrongSettings, DatabaseError, OSError) as error:
        if "--traceback" in arguments or not (sentence := _sentence(error, arguments)):
            raise
        raise SystemExit(sentence) from None


def _sentence(error: Trouble, arguments: list[str]) -> str:
    """'' where whoever called cannot cure it: then the traceback is for who can."""
    if isinstance(error, WrongSettings):
        return str(error)
    if trouble := disk_trouble(error):
        return trouble.text
    if not isinstance(error, OperationalError | ProgrammingError):
        return ""
    if not _database_opens():
        return f"The database cannot be opened: {str(error).strip()}\n{CURE}"
    # A migration that fails itself is not cured by migrating.
    is_curable = "migrate" not in arguments and _misses_something(error) and bool(migrations.missing())
    return _of_missing_tables() if is_curable else ""


CURE = "Correct DATABASE_URL, or see that its server runs; without DATABASE_URL, look into AGNES_DATA_DIR."


def _database_opens() -> bool:
    try:
        connection.ensure_connection()
    except DatabaseError:
        return False
    return True


def _misses_something(error: OperationalError | ProgrammingError) -> bool:
    """A table or a column."""
    state = getattr(error.__cause__, "sqlstate", None)
    return state in MISSING_STATES or any(words in str(error) for words in MISSING)


def _of_missing_tables() -> str:
    return (
        f"The database {_name_of_database()} lacks tables that this version of Agnes needs: run "
        "`manage.py migrate`; or, if the server keeps its data elsewhere, set AGNES_DATA_DIR or DATABASE_URL "
        "as it has them."
    )


def _name_of_database() -> str:
    """A path, or host and name: never the user's name or password."""
    database = connection.settings_dict
    host = ":".join(str(database[part]) for part in ("HOST", "PORT") if database[part])
    return f"{host}/{database['NAME']}" if host else str(database["NAME"])

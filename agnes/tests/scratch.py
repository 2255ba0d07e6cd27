"""A database without tables, beside that of the suite, for processes that bring their own."""

from collections.abc import Iterator

import pytest
from django.db import connection


@pytest.fixture
def scratch_database(db: None) -> Iterator[str]:
    """The URL of a PostgreSQL database; '' where the suite runs on SQLite."""
    if connection.vendor == "sqlite":
        yield ""
        return
    import psycopg

    known = connection.settings_dict
    name = f"{known['NAME']}_scratch"
    address = f"{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}"
    with psycopg.connect(f"postgres://{address}/postgres", autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
        yield f"postgres://{address}/{name}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

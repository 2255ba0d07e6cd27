"""Bring an old installation forward, as its operator does, and look at it: a process of its own.

python -m agnes.tests.upgrade.upgrading [SQLITE]

With the SQLite database of an old installation it is first carried to this process's database, whose tables
are made as they were then. Prints what was found as JSON.
"""

import io
import json
import sqlite3
import sys
from contextlib import closing
from typing import Any

import django

LOADED = "old"
# What an admin looks at first. `{…}` is filled in.
PAGES = (
    "/readyz",
    "/admin/",
    "/admin/activity/",
    "/admin/accounts/user/",
    "/admin/accounts/user/{owner}/change/",
    "/admin/telemetry/sessiontranscript/",
    "/admin/telemetry/sessiontranscript/{transcript}/change/",
    "/admin/telemetry/usageevent/",
    "/admin/telemetry/usagetooldaily/",
    "/marketplace/",
    "/marketplace/curated/market/toolbox/",
    "/api/marketplace/items",
    "/api/admin/users/{owner}/sessions",
    "/api/admin/users/{owner}/sessions/{session_file}/download",
    "/api/admin/usage/export?dataset=events&format=csv",
    "/api/admin/usage/export?dataset=sessions&format=json",
)


def main(sqlite: str = "") -> None:
    django.setup()
    if sqlite:
        carry_over(sqlite)
    told = [run("migrate", "--verbosity=0"), run("sync_schedules")]
    from telemetry import worker_heartbeat

    found: dict[str, Any] = {"migrated": figures()}
    told += [run("process_sessions", f"--processor={name}") for name in ("verification", "usage")]
    found["processed"] = figures()
    # A worker runs, as far as the database tells.
    worker_heartbeat.beat("agnes:test")
    found["pages"] = pages()
    told += [run("verify"), run("doctor")]
    json.dump({**found, "told": "\n".join(told)}, sys.stdout)


def run(name: str, *arguments: str) -> str:
    """What the command wrote, also where it failed."""
    from django.core.management import CommandError, call_command

    out = io.StringIO()
    try:
        call_command(name, *arguments, stdout=out, stderr=out)
    except CommandError as error:
        out.write(f"{name}: {error}")
    return out.getvalue()


def figures() -> Any:
    from agnes.tests.upgrade.figures import figures_of
    from telemetry.database.bulk import fetch

    return figures_of(fetch)


def pages() -> dict[str, int]:
    """The status of each page, for the admin of then."""
    from django.test import Client

    from accounts.models import User
    from telemetry.models import SessionTranscript

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email="admin@example.com"))
    transcript = SessionTranscript.objects.order_by("pk")[0]
    names = {
        "owner": transcript.owner_id,
        "transcript": transcript.pk,
        "session_file": transcript.session_file,
    }
    statuses = {}
    for page in PAGES:
        answer: Any = client.get(page.format(**names))
        if answer.streaming:
            b"".join(answer.streaming_content)
        statuses[page] = answer.status_code
    return statuses


def carry_over(sqlite: str) -> None:
    """All rows of an old SQLite database to this one, through the models of then."""
    from django.core.management import call_command
    from django.db import connection, connections, transaction
    from django.db.migrations.loader import MigrationLoader

    with closing(sqlite3.connect(sqlite)) as database:
        done = database.execute("SELECT app, name FROM django_migrations").fetchall()
    for app in sorted({app for app, _ in done}):
        call_command("migrate", app, max(name for of, name in done if of == app), verbosity=0)
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": sqlite}
    connections.databases[LOADED] = {**connection.settings_dict, "OPTIONS": {}, **settings}
    models = MigrationLoader(connection).project_state(done).apps.get_models(include_auto_created=True)
    with transaction.atomic():
        empty(models)
        for model in models:
            model._base_manager.bulk_create(model._base_manager.using(LOADED).order_by("pk"))
        count_on(models)


def empty(models: Any) -> None:
    """What `migrate` wrote itself is among the rows that are to come."""
    from django.db import connection

    from accounts import audit_triggers

    tables = ", ".join(f'"{model._meta.db_table}"' for model in models)
    audit_triggers.lift("default")
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
    audit_triggers.install("default")


def count_on(models: Any) -> None:
    """New ids come after those that are there."""
    from django.core.management.color import no_style
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)


if __name__ == "__main__":
    main(*sys.argv[1:])

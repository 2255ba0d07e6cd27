"""Events and messages that are there twice.

Ids are a time and a hash of person and identity. Copies of one record have the same time, and so the same id;
the fingerprints of transcripts keep out the rare copy that has another time. If one is there, they failed.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection

from accounts.diagnosis import Finding, some_of
from telemetry.charts import counted
from telemetry.database.bulk import fetch
from telemetry.models import SessionTranscript, UsageEvent, UsageMessage
from telemetry.processors.reprocessing import process_again

MOST = 10_000


def examine(min_age: timedelta) -> Iterator[Finding]:
    for model in (UsageEvent, UsageMessage):
        session_files = _with_copies(model)
        if session_files:
            yield _finding(model, session_files)


def _finding(model: type[UsageEvent] | type[UsageMessage], session_files: list[str]) -> Finding:
    what = f"{model._meta.verbose_name_plural} that are there twice"
    return Finding(
        f"{counted(len(session_files), 'transcript')} with {what}: {some_of(session_files)}.",
        "Have these transcripts processed again with --fix. If they are found anew afterwards, report it.",
        lambda: _process_again(session_files),
    )


def _with_copies(model: type[UsageEvent] | type[UsageMessage]) -> list[str]:
    """One pass over the table: the hash is all of an id after its first 48 bits."""
    table = model._meta.db_table
    hash_of = "substr(id, 13)" if connection.vendor == "sqlite" else "right(id::text, 22)"
    # Once, whatever PostgreSQL believes of a table that was filled a minute ago.
    query = f"""
        WITH twice AS MATERIALIZED
            (SELECT {hash_of} AS hash FROM {table} GROUP BY 1 HAVING count(*) > 1 LIMIT {MOST})
        SELECT DISTINCT session_file FROM {table} WHERE {hash_of} IN (SELECT hash FROM twice)
    """
    return sorted(session_file for (session_file,) in fetch(query))


def _process_again(session_files: list[str]) -> str:
    transcripts = SessionTranscript.objects.filter(session_file__in=session_files)
    count = process_again(transcripts, by=None)
    return f"{counted(count, 'transcript')} will be processed again."

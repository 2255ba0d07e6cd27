"""A process that does real work and kills itself with -9 at a chosen moment.

python -m telemetry.tests.kills.victim STAGE NTH process
python -m telemetry.tests.kills.victim STAGE NTH task
python -m telemetry.tests.kills.victim STAGE NTH publish
python -m telemetry.tests.kills.victim STAGE NTH upload EMAIL FILE
python -m telemetry.tests.kills.victim STAGE NTH withhold EMAIL SESSION_ID
python -m telemetry.tests.kills.victim STAGE NTH reprocess
python -m telemetry.tests.kills.victim STAGE NTH prune
python -m telemetry.tests.kills.victim STAGE NTH erase EMAIL
python -m telemetry.tests.kills.victim poison SESSION_ID process

A poison session kills whoever reads it.
"""

import importlib
import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import django


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Stage(NamedTuple):
    """Die before or after the nth call of `name` in `module`."""

    module: str
    name: str
    after: bool


PROCESSING = {
    "before an attempt is counted": Stage("telemetry.processors.person", "begin_attempt", False),
    "after an attempt is counted": Stage("telemetry.processors.person", "begin_attempt", True),
    "while a transcript is read": Stage("telemetry.transcripts.extracting", "name_tool_call", True),
    "before anything is written": Stage("telemetry.processors.person", "is_current", False),
    "among the rows": Stage("telemetry.processors.usage", "insert_rows", True),
    "before the days are marked": Stage("telemetry.processors.usage", "mark_dirty", False),
    "before the commit": Stage("telemetry.processors.person", "note_success", True),
    "after the commit": Stage("telemetry.processors.person.PersonRun", "_write", True),
    "before the claim is released": Stage("telemetry.processors.claims.Claim", "release", False),
}
PUBLISHING = {
    "before the marks are read": Stage("telemetry.publishing", "read_marks", False),
    "after the marks are read": Stage("telemetry.publishing", "read_marks", True),
    "among the tables": Stage("telemetry.rollups.base.DailyRollup", "replace", True),
    "among the windows": Stage("telemetry.rollups.plugin_window", "rebuild", True),
    "among the files of the lake": Stage("telemetry.lake.writing.OpenTable", "_write_file", True),
    "among the uploads to the lake": Stage("telemetry.lake.writing.OpenTable", "upload", True),
    "among the tables of the lake": Stage("telemetry.lake.writing.OpenTable", "commit", True),
    "before the snapshot is noted": Stage("telemetry.lake.publishing.PublishedLake", "note", False),
    "before the marks are removed": Stage("telemetry.publishing", "remove_marks", False),
    "before the commit": Stage("telemetry.publishing", "remove_marks", True),
    "after the commit": Stage("telemetry.publishing", "_publish_days", True),
    "before the lease is released": Stage("telemetry.leases.Lease", "release", False),
}
STARTING_ANEW = {
    "among the new tables": Stage("telemetry.lake.opening", "_create", True),
    "before the days are marked": Stage("telemetry.lake.opening", "mark_dirty", False),
    "after the days are marked": Stage("telemetry.lake.opening", "_start_anew", True),
    "after the first day": Stage("telemetry.publishing", "_publish_days", True),
}
PURGING = {
    "before old files are removed": Stage("telemetry.lake.publishing", "remove_old_files", False),
    "among the tables of old files": Stage("telemetry.lake.vacuuming", "_vacuum", True),
    "before copies are removed": Stage("telemetry.lake.publishing", "remove_copies", False),
    "while copies are removed": Stage("telemetry.lake.caching", "_remove_folder", False),
    "after copies are removed": Stage("telemetry.lake.publishing", "remove_copies", True),
    "before the last marks are removed": Stage("telemetry.lake.publishing", "remove_marks", False),
    "before the last commit": Stage("telemetry.lake.publishing", "remove_marks", True),
}
INTAKE = {
    "while it is received": Stage("telemetry.intake.storing", "scan", False),
    "before the file is saved": Stage("telemetry.intake.spooling.Spool", "save_as", False),
    "after the file is saved": Stage("telemetry.intake.spooling.Spool", "save_as", True),
    "in the transaction": Stage("telemetry.intake.storing", "_add_part", True),
    "before the commit": Stage("telemetry.processors.wakeup", "request_runs", True),
    "after the commit": Stage("telemetry.intake.storing", "_write", True),
}
WITHHOLDING = {
    "among the rows": Stage("telemetry.maintenance.withholding", "remove_transcripts", True),
    "before the commit": Stage("telemetry.processors.wakeup", "request_runs", True),
    "after the commit": Stage("telemetry.maintenance.withholding", "_remove", True),
    "before a copy is replaced": Stage("telemetry.maintenance.stored_copies", "doom", False),
    "after a copy is replaced": Stage("telemetry.maintenance.stored_copies", "_replace", True),
    "among the files": Stage("telemetry.maintenance.doomed_files", "_delete", True),
    "before it is noted": Stage("telemetry.maintenance.withholding", "_publish_without", True),
}
REPROCESSING = {
    "before it begins": Stage("telemetry.maintenance.reprocess", "go_on", False),
    "among the rows of a transcript": Stage("telemetry.maintenance.removing", "deleted", True),
    "among the transcripts": Stage("telemetry.maintenance.reprocess", "_step", True),
    "at its end": Stage("telemetry.maintenance.reprocess", "_finish", True),
    "before it is published": Stage("telemetry.maintenance.reprocess", "publish", False),
}
PRUNING = {
    "before days freeze": Stage("telemetry.maintenance.freezing", "_freeze", False),
    "after days froze": Stage("telemetry.maintenance.freezing", "_freeze", True),
    "among the rows": Stage("telemetry.maintenance.old_rows", "deleted", True),
    "before rows are noted": Stage("telemetry.maintenance.pruning._Pruning", "_note", False),
    "after some rows": Stage("telemetry.maintenance.pruning._Pruning", "_is_over", True),
    "among the files": Stage("telemetry.maintenance.old_transcripts", "doom", True),
    "before files are deleted": Stage("telemetry.maintenance.old_transcripts", "delete_doomed", False),
    "before it is published": Stage("telemetry.maintenance.pruning", "publish", False),
    "at its end": Stage("telemetry.maintenance.pruning", "_record", True),
}
ZIPPING = {
    "once it is in the audit log": Stage("telemetry.sessions.zipping.SessionsZip", "_record", True),
    "among the transcripts": Stage("telemetry.sessions.zipping", "open_transcript", True),
    "before it is closed": Stage("telemetry.sessions.zipping.SessionsZip", "close", False),
}
EXPORTING = {
    "once its process runs": Stage("telemetry.export.process.ExportProcess", "_start", True),
    "once the rows are counted": Stage("telemetry.export.process.ExportProcess", "begin", True),
    "among the bytes": Stage("telemetry.export.process.ExportProcess", "read", True),
    "before it is closed": Stage("telemetry.export.process.ExportProcess", "close", False),
}
ERASING = {
    "before anything": Stage("agnes.erasing.listing", "write", False),
    "after the list is written": Stage("agnes.erasing.listing", "write", True),
    "among the rows": Stage("agnes.erasing.erasing", "_remove_some", True),
    "among the transcripts": Stage("telemetry.maintenance.erasing", "remove_transcripts", True),
    "among the files of an item": Stage("marketplace.store.packs", "replace_files", True),
    "before they are a pseudonym": Stage("accounts.erasing.people", "become_pseudonym", False),
    "after they are a pseudonym": Stage("agnes.erasing.erasing", "forget", True),
    "among the files": Stage("telemetry.maintenance.doomed_files", "_delete", True),
    "before it is published": Stage("agnes.erasing.erasing", "publish_purged", False),
    "before the database is rewritten": Stage("agnes.erasing.erasing", "rewrite_database", False),
    "before the end": Stage("agnes.erasing.erasing", "_finish", False),
}
POISON = "poison"


def main() -> None:
    stage, which, work, *arguments = sys.argv[1:]
    django.setup()
    stages, act = WORK[work]
    if stage == POISON:
        die_of(which)
    else:
        die_at(stages[stage], int(which))
    act(*arguments)


def process() -> None:
    from telemetry.processors.runner import run

    run("usage")


def task() -> None:
    from telemetry.tasks import process_pending

    process_pending()


def publish() -> None:
    """One day at a time."""
    from telemetry import publishing

    publishing.BATCH_DAYS = 1
    publishing.publish()


def upload(email: str, path: str) -> None:
    from accounts.models import User
    from telemetry.intake.storing import store_transcript

    store_transcript(User.objects.get(email=email), [Path(path).read_bytes()])


def withhold(email: str, session_id: str) -> None:
    from accounts.models import User
    from telemetry.maintenance import withholding

    bob = User.objects.get(email=email)
    withholding.withhold(bob, session_id, reason=withholding.Reason.PRIVATE, actor=bob)


def reprocess() -> None:
    """One transcript at a time."""
    from telemetry.maintenance import reprocess

    reprocess.BATCH = 1
    reprocess.reprocess(reprocess.Mode.AT_ONCE, actor=None)


def prune() -> None:
    """Few rows at a time."""
    from telemetry.maintenance import old_rows, pruning

    old_rows.BATCH = 3
    pruning.prune(actor=None)


def erase(email: str) -> None:
    """A few rows at a time, through the command."""
    from django.core.management import call_command

    from accounts.erasing import kinds
    from telemetry.maintenance import erasing

    kinds.BATCH = erasing.TRANSCRIPTS_AT_ONCE = 1
    call_command("erase_person", email, "--erase")


def die_at(stage: Stage, nth: int, *, kill: Callable[[], None] = kill_this_process) -> None:
    place = _resolve(stage.module)
    original: Callable[..., Any] = getattr(place, stage.name)
    calls = itertools.count(1)

    def lethal(*args: Any, **kwargs: Any) -> Any:
        call = next(calls)
        if call == nth and not stage.after:
            kill()
        result = original(*args, **kwargs)
        if call == nth:
            kill()
        return result

    setattr(place, stage.name, lethal)


def die_of(session_id: str) -> None:
    """Die as soon as bytes of that session are read."""
    from telemetry.processors.base import Job

    open_parts = Job.open_parts

    def lethal(job: Job) -> Any:
        if job.transcript.session_id == session_id:
            kill_this_process()
        return open_parts(job)

    setattr(Job, "open_parts", lethal)  # noqa: B010


def _resolve(path: str) -> Any:
    """A module, or a class in one."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


WORK: dict[str, tuple[dict[str, Stage], Callable[..., None]]] = {
    "process": (PROCESSING, process),
    "task": (PROCESSING, task),
    "publish": (PUBLISHING | STARTING_ANEW | PURGING, publish),
    "upload": (INTAKE, upload),
    "withhold": (WITHHOLDING, withhold),
    "reprocess": (REPROCESSING, reprocess),
    "prune": (PRUNING, prune),
    "erase": (ERASING, erase),
}

if __name__ == "__main__":
    main()

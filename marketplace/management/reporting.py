"""What the commands of the marketplaces print."""

from typing import Protocol

from marketplace.catalogue.attributing import reattribute
from marketplace.catalogue.syncing import SyncReport
from telemetry.models import SessionTranscript
from telemetry.processors import usage


class Output(Protocol):
    def write(self, text: str) -> object: ...


def summary(report: SyncReport) -> str:
    """One line."""
    at = f"{report.slug}: {report.plugins} plugins at {report.commit[:12]}"
    stored = report.stored
    if not stored.changed:
        return f"{at}, nothing changed, {report.seconds:.1f} s"
    counts = {
        "added": stored.added,
        "updated": stored.updated,
        "ended": stored.ended,
        "renamed": stored.renamed,
    }
    changes = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"{at}, {changes}, {report.seconds:.1f} s"


def print_next_step(output: Output) -> None:
    """Work off what changed in the attribution, and say what is left to do."""
    reattribute()
    pending = SessionTranscript.objects.pending(usage.NAME).count()
    if pending:
        output.write(
            f"{pending} transcripts wait to be processed: the task worker does it; without one, run "
            "`manage.py process_sessions`."
        )

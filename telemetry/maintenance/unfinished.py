"""What was begun and is not finished, because it takes longer than a task may, or was killed."""

from telemetry.maintenance import pruning, reprocess, withholding
from telemetry.maintenance.doomed_files import delete_doomed
from telemetry.processors import wakeup


def go_on(*, seconds: float | None = None) -> None:
    """Go on with it, for about `seconds` each; a few queries where there is nothing. Whatever is left then,
    a later run of the processors goes on with, which is asked for or planned."""
    is_clean = [withholding.go_on(seconds=seconds), delete_doomed()]
    if not all(is_clean):
        # Not at once: what does not answer now will hardly do in a moment.
        wakeup.plan_run()
    reprocess.go_on(seconds=seconds)
    if pruning.is_under_way():
        pruning.go_on(seconds=seconds)

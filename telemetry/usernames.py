"""The usage tables carry a person's e-mail address; when it changes, so do they."""

from typing import Any

from django.db import models, transaction
from django.db.models.signals import post_save
from django_q.tasks import async_task

from accounts.models import User
from telemetry.dirty_days import mark_dirty, stored_days
from telemetry.models import SessionProcessorState, UsageEvent, UsageSessionSummary

TASK = "telemetry.tasks.rewrite_username"
# So many transcripts are rewritten in one transaction.
BATCH = 100


def rewrite_username(user_id: int) -> int:
    """Bring a person's rows to their present e-mail address; the number of transcripts rewritten.

    In short transactions, each of which marks its days dirty: it may be stopped anywhere and run again.
    """
    username = User.objects.values_list("email", flat=True).get(pk=user_id)
    rewritten = 0
    while session_files := _outdated(user_id, username):
        with transaction.atomic():
            _rewrite(session_files, username)
        rewritten += len(session_files)
    return rewritten


def _outdated(user_id: int, username: str) -> list[str]:
    summaries = UsageSessionSummary.objects.filter(user_id=user_id).exclude(username=username)
    return list(summaries.values_list("session_file", flat=True)[:BATCH])


def _rewrite(session_files: list[str], username: str) -> None:
    models_with_names: list[type[models.Model]] = [UsageEvent, SessionProcessorState, UsageSessionSummary]
    for model in models_with_names:
        model._default_manager.filter(session_file__in=session_files).update(username=username)
    mark_dirty(stored_days(session_file__in=session_files))


def rewrite_when_changed(sender: type[User], instance: User, created: bool, **signal: Any) -> None:
    """Ask the task queue for it when a person was saved whose rows have another address."""
    fields = signal.get("update_fields")
    if created or (fields is not None and "email" not in fields):
        return
    if _outdated(instance.pk, instance.email):
        async_task(TASK, instance.pk, task_name="rewrite username")


def connect() -> None:
    post_save.connect(rewrite_when_changed, sender=User, dispatch_uid="telemetry.usernames")

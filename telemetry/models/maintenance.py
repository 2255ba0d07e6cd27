"""What was removed, what is being removed, and what may not come back."""

from django.conf import settings
from django.db import models

from telemetry.models.lengths import NAME_LENGTH


class RetentionState(models.Model):
    """One row. Days before `pruned_before` are frozen (docs/RETENTION.md): their events and messages are gone
    or going, and their roll-ups stay as they are.

    `finished_at` is NULL while a prune is under way; `removed` is what it has removed so far, by name, and
    `begun_by` who asked for it, NULL for the clock.
    """

    pruned_before = models.DateField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    removed = models.JSONField(default=dict, blank=True)
    begun_by = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "usage_retention"
        default_permissions = ()

    def __str__(self) -> str:
        return f"pruned before {self.pruned_before}"


class ReprocessState(models.Model):
    """One row: the last reprocess, which walks over the transcripts with ids after `after`, up to `until`.

    `finished_at` is NULL while it has some before it; the processor follows behind, by itself.
    """

    class Mode(models.TextChoices):
        AT_ONCE = "at_once", "everything at once"
        BY_SESSION = "by_session", "session by session"

    mode = models.CharField(max_length=10, choices=Mode)
    begun_at = models.DateTimeField()
    after = models.BigIntegerField(default=0)
    until = models.BigIntegerField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "usage_reprocess"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.mode} since {self.begun_at}"


class WithheldSessionQuerySet(models.QuerySet["WithheldSession"]):
    def in_force(self) -> "WithheldSessionQuerySet":
        return self.filter(readmitted_at=None)


class WithheldSession(models.Model):
    """A session that may not be here: its uploads are refused.

    `fingerprint` are hashes of the records that were removed with it (telemetry/transcripts/fingerprints.py),
    so that copies of them in other transcripts stay out too. `cleaned_at` is NULL while something of it is
    still to be removed. `readmitted_at` says since when it is taken again: the row stays, since an older
    backup or list may say otherwise.
    """

    class Reason(models.TextChoices):
        PRIVATE = "private", "marked private by its person"
        ERASED = "erased", "removed by an admin"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="withheld_sessions", db_index=False
    )
    session_id = models.CharField(max_length=NAME_LENGTH)
    reason = models.CharField(max_length=8, choices=Reason)
    at = models.DateTimeField()
    fingerprint = models.BinaryField(default=b"")
    cleaned_at = models.DateTimeField(null=True, blank=True)
    readmitted_at = models.DateTimeField(null=True, blank=True)

    objects = WithheldSessionQuerySet.as_manager()

    class Meta:
        db_table = "withheld_sessions"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "session_id"], name="withheld_sessions_key"),
        ]
        # What is still to be cleaned: usually nothing.
        indexes = [
            models.Index(
                fields=["at"], name="withheld_sessions_unclean", condition=models.Q(cleaned_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.session_id}"


class DoomedFile(models.Model):
    """A file of the storage whose rows are gone: written in their transaction, so that a crash before it is
    deleted does not leave it behind for good."""

    key = models.CharField(max_length=NAME_LENGTH, unique=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "doomed_files"
        default_permissions = ()

    def __str__(self) -> str:
        return self.key

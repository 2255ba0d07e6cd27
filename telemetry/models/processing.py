"""Which processor has done what, who is at work, and which days wait to be published."""

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now

from telemetry.models.lengths import NAME_LENGTH, SESSION_FILE_LENGTH

# After so many attempts a transcript waits for an operator (docs/ARCHITECTURE.md, the way of a transcript).
MAX_ATTEMPTS = 3


class SessionProcessorStateQuerySet(models.QuerySet["SessionProcessorState"]):
    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        """What has no state is pending again, and is looked for among the unsettled."""
        # That module stands on this one.
        from telemetry.models.transcripts import SessionTranscript

        SessionTranscript.objects.filter(session_file__in=self.order_by().values("session_file")).unsettle()
        return super().delete()


class SessionProcessorState(models.Model):
    """What one processor did with one transcript.

    `attempts` is raised before the work begins, so that a transcript that kills the worker is given up.
    `processed_at` is NULL until the work on `revision` is done.
    """

    processor_name = models.CharField(max_length=64)
    session_file = models.CharField(max_length=SESSION_FILE_LENGTH)
    username = models.CharField(max_length=254)
    processed_at = models.DateTimeField(null=True, blank=True)
    items_extracted = models.PositiveIntegerField(default=0)
    revision = models.PositiveIntegerField()
    processor_version = models.PositiveIntegerField()
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(null=True, blank=True)

    objects = SessionProcessorStateQuerySet.as_manager()

    class Meta:
        db_table = "session_processor_state"
        verbose_name = "processor state"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["processor_name", "session_file"], name="session_processor_state_key"
            )
        ]
        indexes = [
            # One transcript's states, for the admin.
            models.Index(fields=["session_file"], name="session_processor_state_file"),
            # What waits for an operator, and what never came back.
            models.Index(
                fields=["processor_name", "attempts"],
                name="session_processor_state_open",
                condition=models.Q(processed_at__isnull=True),
            ),
            # Whether something was done by an earlier version.
            models.Index(fields=["processor_name", "processor_version"], name="session_processor_state_old"),
        ]

    def __str__(self) -> str:
        return f"{self.processor_name}: {self.session_file}"


class SessionProcessorClaim(models.Model):
    """One worker's right to process one person's transcripts, until it expires."""

    processor_name = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    holder = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "session_processor_claims"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["processor_name", "user"], name="session_processor_claims_key")
        ]

    def __str__(self) -> str:
        return f"{self.processor_name}: {self.user_id}"


class ProcessingWakeup(models.Model):
    """One row: whether a run of the processors is queued already. A burst of uploads enqueues one task."""

    queued_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "processing_wakeup"
        default_permissions = ()

    def __str__(self) -> str:
        return f"queued at {self.queued_at}"


class WorkerHeartbeat(models.Model):
    """One row for each task worker, written anew while it lives (telemetry/worker_heartbeat.py)."""

    cluster = models.CharField(max_length=64, unique=True)
    host = models.CharField(max_length=64)
    beat_at = models.DateTimeField()

    class Meta:
        db_table = "worker_heartbeats"
        default_permissions = ()

    def __str__(self) -> str:
        return self.host


class UsageDirtyDay(models.Model):
    """A UTC day whose events changed and whose roll-ups wait to be rebuilt; NULL = events without a time.

    Marks are only inserted and deleted, never updated, so that workers never wait for each other here.
    """

    day = models.DateField(null=True)
    # Something was deleted for privacy: old files of the lake that hold the day must go at once.
    purge = models.BooleanField(default=False, db_default=False)
    # How long it waits. The transaction that marks it may commit later.
    marked_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "usage_dirty_days"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.day)


class VerificationFinding(models.Model):
    """One way in which a transcript differs from the format that Agnes knows."""

    class Kind(models.TextChoices):
        MALFORMED_LINE = "malformed_line"
        TRUNCATED_TAIL = "truncated_tail"
        UNKNOWN_LINE_TYPE = "unknown_line_type"
        UNKNOWN_KEY = "unknown_key"
        UNKNOWN_BLOCK_TYPE = "unknown_block_type"
        INCOMPLETE_RECORD = "incomplete_record"
        NO_TIMESTAMP = "no_timestamp"
        CLOCK_SKEW = "clock_skew"
        MISSING_PART = "missing_part"

    session_file = models.CharField(max_length=SESSION_FILE_LENGTH)
    kind = models.CharField(max_length=32, choices=Kind)
    detail = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    count = models.PositiveIntegerField()

    class Meta:
        db_table = "verification_findings"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["session_file", "kind", "detail"], name="verification_findings_key"
            )
        ]
        # What occurs how often is told by this index alone, and read in its order.
        indexes = [models.Index(fields=["kind", "detail", "-count", "id"], name="verification_findings_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.detail}"

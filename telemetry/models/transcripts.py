"""What was uploaded: one row a transcript, one row a stored file of it."""

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from telemetry.models.lengths import NAME_LENGTH, SESSION_FILE_LENGTH
from telemetry.models.processing import MAX_ATTEMPTS, SessionProcessorState


class SessionTranscriptQuerySet(models.QuerySet["SessionTranscript"]):
    def pending(self, processor_name: str) -> "SessionTranscriptQuerySet":
        """Transcripts that a processor has neither done in this revision nor given up."""
        return self.unsettled().readable().filter(~Exists(_settling(processor_name)))

    def readable(self) -> "SessionTranscriptQuerySet":
        """Those whose files are kept. What was extracted of the others stays as it is."""
        return self.filter(content_removed_at=None)

    def unsettled(self) -> "SessionTranscriptQuerySet":
        """Among these is what is pending."""
        return self.filter(is_unsettled=True)

    def settled(self, processor_names: Iterable[str]) -> "SessionTranscriptQuerySet":
        """Transcripts that each of these processors has done in this revision, or given up."""
        return self.filter(*(Exists(_settling(name)) for name in processor_names))

    def unsettle(self) -> int:
        """To be called in the transaction that makes them pending. Those that are unsettled are written, too:
        somebody may be settling them at this moment."""
        return self.order_by().update(is_unsettled=True)

    def given_up(self, *processor_names: str) -> "SessionTranscriptQuerySet":
        """Transcripts that one of these processors failed on too often, and that wait for an operator. There
        are few of them, so their states lead the way."""
        states = SessionProcessorState.objects.filter(
            processor_name__in=processor_names, processed_at__isnull=True, attempts__gte=MAX_ATTEMPTS
        )
        same = states.filter(session_file=OuterRef("session_file"), revision=OuterRef("revision"))
        return self.filter(Exists(same), session_file__in=states.values("session_file"))

    def of(self, user_id: int) -> "SessionTranscriptQuerySet":
        return self.filter(owner_id=user_id)


def _settling(processor_name: str) -> "models.QuerySet[SessionProcessorState]":
    return SessionProcessorState.objects.filter(
        Q(processed_at__isnull=False) | Q(attempts__gte=MAX_ATTEMPTS),
        processor_name=processor_name,
        session_file=OuterRef("session_file"),
        revision=OuterRef("revision"),
    )


class SessionTranscript(models.Model):
    """One transcript, known by (owner, session_id, agent_id); agent_id '' is the main one.

    `revision` rises by one whenever its content changes: processors compare it with what they did.
    """

    # No index of its own: those that begin with the owner serve.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="transcripts", db_index=False
    )
    session_id = models.CharField(max_length=NAME_LENGTH)
    agent_id = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    session_file = models.CharField(max_length=SESSION_FILE_LENGTH, unique=True)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    client_version = models.CharField(max_length=NAME_LENGTH, null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    # Where lists of sessions have it: when its own records begin, once processed; before that, or without a
    # time, when what is known of it began or came.
    listed_at = models.DateTimeField(default=timezone.now, db_default=Now())
    # False only where no processor has anything to do (telemetry/processors/settling.py): so that what is
    # pending is found among few, and not by a look at the states of all.
    is_unsettled = models.BooleanField(default=True, db_default=True)
    # When retention removed its files: its rows stay, and what comes of it again is compared with them.
    content_removed_at = models.DateTimeField(null=True, blank=True)

    objects = SessionTranscriptQuerySet.as_manager()

    class Meta:
        db_table = "session_transcripts"
        verbose_name = "transcript"
        default_permissions = ("view",)
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "session_id", "agent_id"], name="session_transcripts_key"
            )
        ]
        indexes = [
            # The admin's list and a person's page show the newest first.
            models.Index(fields=["owner", "-received_at"], name="session_transcripts_owner_new"),
            models.Index(fields=["-received_at"], name="session_transcripts_new"),
            # The admin's search: whose the session is may not be known.
            models.Index(fields=["session_id"], name="session_transcripts_session"),
            # What may be pending: of everybody, the oldest first, and by person.
            models.Index(
                fields=["updated_at"], name="session_transcripts_waiting", condition=Q(is_unsettled=True)
            ),
            models.Index(
                fields=["owner"], name="session_transcripts_unsettled", condition=Q(is_unsettled=True)
            ),
            # The sessions of everybody, and a person's, newest first.
            models.Index(
                fields=["-listed_at", "-id"], name="session_transcripts_listed", condition=Q(agent_id="")
            ),
            models.Index(
                fields=["owner", "-listed_at", "-id"],
                name="session_transcripts_person",
                condition=Q(agent_id=""),
            ),
        ]
        permissions = [
            ("read_transcripts", "Can read and download transcripts"),
            ("export_usage", "Can export usage data"),
            ("ask_usage", "Can ask questions about usage data"),
            ("manage_processing", "Can run, reprocess and prune the processing of transcripts"),
        ]

    def __str__(self) -> str:
        return self.session_file

    @property
    def audit_target(self) -> str:
        """What rows of the audit log call it: they outlive it, so they hold no id of a session."""
        return f"transcript:{self.pk}"


class Session(SessionTranscript):
    """A session as people speak of it: its main transcript, with those of its subagents beside it."""

    class Meta:
        proxy = True
        verbose_name = "session"
        # Who may read transcripts sees them.
        default_permissions = ()


class SessionTranscriptPartQuerySet(models.QuerySet["SessionTranscriptPart"]):
    def live(self) -> "SessionTranscriptPartQuerySet":
        """Parts that are read, in the order in which COUNTING section 3 reads them."""
        return self.filter(superseded=False).order_by(F("first_at").asc(nulls_last=True), "sha256")

    def stored(self) -> "SessionTranscriptPartQuerySet":
        """Parts that have a file."""
        return self.filter(superseded=False, transcript__content_removed_at=None)


class SessionTranscriptPart(models.Model):
    """One stored file of a transcript.

    A superseded part is the beginning of a longer one; its row stays, so that the same bytes are known
    when they come again, its file does not.
    """

    transcript = models.ForeignKey(SessionTranscript, models.CASCADE, related_name="parts")
    uploaded_name = models.CharField(max_length=NAME_LENGTH, null=True, blank=True)
    raw_bytes = models.BigIntegerField()
    stored_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    superseded = models.BooleanField(default=False)
    first_at = models.DateTimeField(null=True, blank=True)
    fingerprint = models.BinaryField()
    received_at = models.DateTimeField()

    objects = SessionTranscriptPartQuerySet.as_manager()

    class Meta:
        db_table = "session_transcript_parts"
        verbose_name = "part"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["transcript", "sha256"], name="session_transcript_parts_key")
        ]

    def __str__(self) -> str:
        return self.sha256

    @property
    def storage_key(self) -> str:
        """Reads self.transcript: load it with the part."""
        return storage_key(self.transcript.owner_id, self.sha256)


def storage_key(user_id: int, sha256: str) -> str:
    """Where the storage keeps a person's raw bytes with this hash, compressed."""
    return f"{storage_folder(user_id)}/{sha256}.jsonl.zst"


def storage_folder(user_id: int) -> str:
    """Where the storage keeps all files of a person."""
    return f"transcripts/{user_id}"

"""What was extracted: events, messages, and a summary of each transcript (docs/COUNTING.md)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from telemetry.models.lengths import NAME_LENGTH, SESSION_FILE_LENGTH


class Source(models.TextChoices):
    CURATED = "curated"
    FLEA = "flea"
    BUILTIN = "builtin"


class EventType(models.TextChoices):
    TOOL_USE = "tool_use"
    MCP_CALL = "mcp_call"
    SUBAGENT = "subagent"
    SLASH_COMMAND = "slash_command"


class InvokedBy(models.TextChoices):
    MODEL = "model"
    HUMAN = "human"


class ErrorKind(models.TextChoices):
    NONE = "none"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXIT_CODE = "exit_code"
    TOOL_ERROR = "tool_error"
    OTHER = "other"


def unconstrained_user() -> "models.ForeignKey[object, object]":
    """Who, without a constraint or an index of its own: these tables take many rows a second."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )


def optional_name(length: int = NAME_LENGTH) -> "models.CharField[str | None, str | None]":
    """A name that the source may lack: NULL then, never ''."""
    return models.CharField(max_length=length, null=True, blank=True)


class UsageEvent(models.Model):
    """One tool call or slash command.

    `id` is a UUID of version 8: 48 bits of occurred_at in milliseconds (0 without a time), then a hash of
    person and identity. Ids grow with time, so a day is a range of ids and new rows stay together.
    """

    id = models.UUIDField(primary_key=True)
    session_id = models.CharField(max_length=NAME_LENGTH)
    session_file = models.CharField(max_length=SESSION_FILE_LENGTH)
    agent_id = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    user = unconstrained_user()
    username = models.CharField(max_length=254)
    event_uuid = models.CharField(max_length=NAME_LENGTH)
    parent_uuid = optional_name()
    event_type = models.CharField(max_length=16, choices=EventType)
    tool_name = optional_name()
    skill_name = optional_name()
    subagent_type = optional_name()
    command_name = optional_name()
    invoked_by = models.CharField(max_length=8, choices=InvokedBy)
    is_builtin = models.BooleanField(default=False)
    is_error = models.BooleanField(null=True)
    error_kind = models.CharField(max_length=16, choices=ErrorKind, default=ErrorKind.NONE)
    source = models.CharField(max_length=8, choices=Source, default=Source.BUILTIN)
    ref_id = optional_name()
    component_kind = optional_name(32)
    component_name = optional_name()
    evidence_marketplace = optional_name()
    evidence_plugin = optional_name()
    evidence_version = optional_name()
    model = optional_name()
    cwd = optional_name()
    git_branch = optional_name()
    cli_version = optional_name()
    occurred_at = models.DateTimeField(null=True, blank=True)
    processor_version = models.PositiveIntegerField()
    extracted_at = models.DateTimeField()

    class Meta:
        db_table = "usage_events"
        default_permissions = ("view",)
        # Few indexes: each one costs every insert, and the lake answers analysis. Ids follow time.
        indexes = [
            # Replacing one transcript's events.
            models.Index(fields=["session_file"], name="usage_events_session_file"),
            # One person's newest events.
            models.Index(fields=["user", "id"], name="usage_events_user"),
            # The rare kinds, newest first; the common ones are found by walking the key.
            models.Index(
                fields=["event_type", "id"],
                name="usage_events_rare_type",
                condition=~Q(event_type=EventType.TOOL_USE),
            ),
            models.Index(
                fields=["source", "id"],
                name="usage_events_source",
                condition=~Q(source=Source.BUILTIN),
            ),
            models.Index(
                fields=["source", "ref_id", "id"],
                name="usage_events_item",
                condition=~Q(source=Source.BUILTIN),
            ),
            models.Index(
                fields=["error_kind", "id"],
                name="usage_events_error",
                condition=~Q(error_kind=ErrorKind.NONE),
            ),
            # A person's skills in the last days.
            models.Index(
                fields=["user", "id"], name="usage_events_skill", condition=Q(skill_name__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.tool_name or self.command_name}"


class UsageMessage(models.Model):
    """One message of the API after de-duplication, with its tokens. `id` as in UsageEvent."""

    id = models.UUIDField(primary_key=True)
    user = unconstrained_user()
    message_id = models.CharField(max_length=NAME_LENGTH)
    session_file = models.CharField(max_length=SESSION_FILE_LENGTH)
    agent_id = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    model = optional_name()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cache_read_tokens = models.BigIntegerField()
    cache_creation_tokens = models.BigIntegerField()
    occurred_at = models.DateTimeField(null=True, blank=True)
    skill_name = optional_name()
    source = models.CharField(max_length=8, choices=Source, default=Source.BUILTIN)
    ref_id = optional_name()

    class Meta:
        db_table = "usage_messages"
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["user", "message_id"], name="usage_messages_key")]
        indexes = [models.Index(fields=["session_file"], name="usage_messages_session_file")]

    def __str__(self) -> str:
        return self.message_id


class UsageSessionSummary(models.Model):
    """The figures of one transcript, over the records and events that are its own."""

    session_file = models.CharField(max_length=SESSION_FILE_LENGTH, unique=True)
    session_id = models.CharField(max_length=NAME_LENGTH)
    agent_id = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    user = unconstrained_user()
    username = models.CharField(max_length=254)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    active_seconds = models.DecimalField(max_digits=15, decimal_places=3)
    wall_seconds = models.DecimalField(max_digits=15, decimal_places=3)
    user_messages = models.PositiveIntegerField()
    programmatic_prompts = models.PositiveIntegerField()
    assistant_messages = models.PositiveIntegerField()
    tool_calls = models.PositiveIntegerField()
    tool_errors = models.PositiveIntegerField()
    skill_invocations = models.PositiveIntegerField()
    subagent_dispatches = models.PositiveIntegerField()
    mcp_calls = models.PositiveIntegerField()
    slash_commands = models.PositiveIntegerField()
    distinct_tools = models.PositiveIntegerField()
    distinct_skills = models.PositiveIntegerField()
    primary_model = optional_name()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cache_read_tokens = models.BigIntegerField()
    cache_creation_tokens = models.BigIntegerField()
    rejections = models.PositiveIntegerField()
    interruptions = models.PositiveIntegerField()
    cancelled = models.PositiveIntegerField()
    unanswered = models.PositiveIntegerField()
    api_errors = models.PositiveIntegerField()
    api_retries = models.PositiveIntegerField()
    server_tool_calls = models.PositiveIntegerField()
    builtin_commands = models.PositiveIntegerField()
    events = models.PositiveIntegerField()
    compactions = models.PositiveIntegerField()
    lines = models.PositiveIntegerField()
    malformed_lines = models.PositiveIntegerField()
    cwd = optional_name()
    cli_version = optional_name()
    processor_version = models.PositiveIntegerField()
    extracted_at = models.DateTimeField()

    class Meta:
        db_table = "usage_session_summary"
        verbose_name = "session summary"
        verbose_name_plural = "session summaries"
        default_permissions = ("view",)
        indexes = [
            # One person's sessions, and everybody's, newest first.
            models.Index(fields=["user", "-started_at"], name="usage_session_summary_user"),
            models.Index(fields=["-started_at"], name="usage_session_summary_start"),
            # The sessions of everybody by what they were: newest first, without those of subagents.
            models.Index(
                fields=["primary_model", "-started_at", "-id"],
                name="usage_session_summary_model",
                condition=Q(agent_id=""),
            ),
            models.Index(
                fields=["cwd", "-started_at", "-id"],
                name="usage_session_summary_cwd",
                condition=Q(agent_id=""),
            ),
            models.Index(
                fields=["-started_at", "-id"],
                name="usage_session_summary_errors",
                condition=Q(agent_id="", tool_errors__gt=0),
            ),
            # A person's sessions with errors.
            models.Index(
                fields=["user", "-started_at", "-id"],
                name="usage_session_summary_failed",
                condition=Q(agent_id="", tool_errors__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.session_file


class UsageSessionItem(models.Model):
    """How often a transcript invoked an item of a marketplace: the events that belong to it.

    `main_file` is the session_file of the session's main transcript, whether or not that was uploaded;
    `listed_at` is that transcript's.
    """

    session_file = models.CharField(max_length=SESSION_FILE_LENGTH)
    main_file = models.CharField(max_length=SESSION_FILE_LENGTH)
    source = models.CharField(max_length=8, choices=Source)
    ref_id = models.CharField(max_length=NAME_LENGTH)
    invocations = models.PositiveIntegerField()
    listed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "usage_session_items"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["session_file", "source", "ref_id"], name="usage_session_items_key"
            )
        ]
        indexes = [
            # Whether a session used an item.
            models.Index(fields=["source", "ref_id", "main_file"], name="usage_session_items_item"),
            # Which sessions did, newest first.
            models.Index(
                fields=["source", "ref_id", "-listed_at", "main_file"], name="usage_session_items_listed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_file} {self.source}: {self.ref_id}"

"""Roll-ups: figures by UTC day and by window, which the publisher makes from what was extracted.

Their definitions: docs/COUNTING.md. Written by telemetry/rollups/ only. '' stands where a part of a key is
absent from the source.
"""

from django.db import models

from telemetry.models.lengths import NAME_LENGTH
from telemetry.models.usage import Source, unconstrained_user


def _figure() -> "models.PositiveBigIntegerField[int, int]":
    return models.PositiveBigIntegerField(default=0)


def _name(length: int = NAME_LENGTH) -> "models.CharField[str, str]":
    return models.CharField(max_length=length, blank=True, default="")


def _source() -> "models.CharField[str, str]":
    return models.CharField(max_length=8, choices=Source)


class UsageToolDaily(models.Model):
    """Events with a tool_name, by day and tool."""

    day = models.DateField()
    tool_name = _name()
    source = _source()
    invocations = _figure()
    error_count = _figure()
    distinct_users = _figure()
    distinct_sessions = _figure()

    class Meta:
        db_table = "usage_tool_daily"
        verbose_name = "tool by day"
        verbose_name_plural = "tools by day"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["day", "tool_name", "source"], name="usage_tool_daily_key")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.tool_name}"


class UsagePluginDaily(models.Model):
    """Events that belong to an item of a marketplace, by day and item."""

    day = models.DateField()
    source = _source()
    ref_id = _name()
    invocations = _figure()
    error_count = _figure()
    distinct_users = _figure()
    distinct_sessions = _figure()

    class Meta:
        db_table = "usage_plugin_daily"
        verbose_name = "plugin by day"
        verbose_name_plural = "plugins by day"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["day", "source", "ref_id"], name="usage_plugin_daily_key")
        ]
        # One item's days, and in their order what each card of the marketplace draws.
        indexes = [
            models.Index(fields=["source", "ref_id", "day", "invocations"], name="usage_plugin_daily_bars")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.source}: {self.ref_id}"


class UsageComponentDaily(models.Model):
    """The same for each skill, agent, command or MCP server in an item."""

    day = models.DateField()
    source = _source()
    ref_id = _name()
    component_kind = _name(32)
    component_name = _name()
    invocations = _figure()
    error_count = _figure()
    distinct_users = _figure()
    distinct_sessions = _figure()

    class Meta:
        db_table = "usage_component_daily"
        verbose_name = "component by day"
        verbose_name_plural = "components by day"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["day", "source", "ref_id", "component_kind", "component_name"],
                name="usage_component_daily_key",
            )
        ]
        # One item's components and their days.
        indexes = [models.Index(fields=["source", "ref_id", "day"], name="usage_component_daily_item")]

    def __str__(self) -> str:
        return f"{self.day} {self.source}: {self.ref_id} {self.component_name}"


class UsageDaily(models.Model):
    """Everything that happened on a day."""

    day = models.DateField(primary_key=True)
    people = _figure()
    sessions = _figure()
    messages = _figure()
    prompts = _figure()
    invocations_curated = _figure()
    invocations_flea = _figure()
    invocations_builtin = _figure()
    errors = _figure()
    input_tokens = _figure()
    output_tokens = _figure()
    cache_read_tokens = _figure()
    cache_creation_tokens = _figure()

    class Meta:
        db_table = "usage_daily"
        verbose_name = "day"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.day)


class UsageUserDaily(models.Model):
    """One person's day. Tokens stand in the rows with tool_name '', under the item whose turn it was."""

    day = models.DateField()
    user = unconstrained_user()
    tool_name = _name()
    source = _source()
    ref_id = _name()
    invocations = _figure()
    error_count = _figure()
    input_tokens = _figure()
    output_tokens = _figure()
    cache_read_tokens = _figure()
    cache_creation_tokens = _figure()

    class Meta:
        db_table = "usage_user_daily"
        verbose_name = "person by day"
        verbose_name_plural = "people by day"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["day", "user", "tool_name", "source", "ref_id"], name="usage_user_daily_key"
            )
        ]
        # One person's days, newest first.
        indexes = [models.Index(fields=["user", "-day"], name="usage_user_daily_user")]

    def __str__(self) -> str:
        return f"{self.day} {self.user_id} {self.tool_name}"


class UsagePluginWindow(models.Model):
    """An item's use in the last 7 or 30 days, with true distinct people."""

    class Period(models.TextChoices):
        WEEK = "7d", "7 days"
        MONTH = "30d", "30 days"

    period = models.CharField(max_length=3, choices=Period)
    source = _source()
    ref_id = _name()
    invocations = _figure()
    distinct_users = _figure()
    previous_invocations = _figure()
    refreshed_at = models.DateTimeField()

    class Meta:
        db_table = "usage_plugin_window"
        verbose_name = "plugin in the last days"
        verbose_name_plural = "plugins in the last days"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["period", "source", "ref_id"], name="usage_plugin_window_key")
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.source}: {self.ref_id}"

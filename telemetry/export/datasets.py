"""What can be exported: some of the lake's tables, under the names that people use."""

from enum import StrEnum

from django.db import models

from telemetry.lake.tables import TABLES, LakeTable
from telemetry.models import (
    UsageComponentDaily,
    UsageEvent,
    UsageMessage,
    UsagePluginDaily,
    UsageSessionSummary,
    UsageToolDaily,
)


class Dataset(StrEnum):
    EVENTS = "events"
    MESSAGES = "messages"
    SESSIONS = "sessions"
    TOOL_DAILY = "tool_daily"
    PLUGIN_DAILY = "plugin_daily"
    COMPONENT_DAILY = "component_daily"

    @property
    def table(self) -> LakeTable:
        return next(table for table in TABLES if table.model is _MODELS[self])

    @property
    def row(self) -> str:
        """What one row is."""
        return _ROWS[self]

    @property
    def has_people(self) -> bool:
        """Whether each row is somebody's."""
        return "user_id" in self.table.columns

    @property
    def moment(self) -> str:
        """The column that `since` and `until` compare."""
        moment = self.table.moment
        assert moment is not None
        return moment

    @property
    def is_by_day(self) -> bool:
        return self.moment == "day"


_MODELS: dict[Dataset, type[models.Model]] = {
    Dataset.EVENTS: UsageEvent,
    Dataset.MESSAGES: UsageMessage,
    Dataset.SESSIONS: UsageSessionSummary,
    Dataset.TOOL_DAILY: UsageToolDaily,
    Dataset.PLUGIN_DAILY: UsagePluginDaily,
    Dataset.COMPONENT_DAILY: UsageComponentDaily,
}

_ROWS = {
    Dataset.EVENTS: "a tool call or slash command",
    Dataset.MESSAGES: "a message of the API, with its tokens",
    Dataset.SESSIONS: "a transcript, summarised",
    Dataset.TOOL_DAILY: "a tool on a UTC day",
    Dataset.PLUGIN_DAILY: "a plugin on a UTC day",
    Dataset.COMPONENT_DAILY: "a skill, agent, command or MCP server of a plugin on a UTC day",
}

"""What can be exported: some of the lake's tables, under the names that people use."""

from enum import StrEnum

from django.db import models

from telemetry.lake.tables import TABLES, LakeTable
from telemetry.models import (
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

    @property
    def table(self) -> LakeTable:
        return next(table for table in TABLES if table.model is _MODELS[self])

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
}

from telemetry.models.attribution import (
    AgentAttribution,
    Attribution,
    CommandAttribution,
    McpServerAttribution,
    SkillAttribution,
)
from telemetry.models.processing import (
    MAX_ATTEMPTS,
    ProcessingWakeup,
    SessionProcessorClaim,
    SessionProcessorState,
    UsageDirtyDay,
    VerificationFinding,
)
from telemetry.models.publishing import LakeSnapshot, PublishingLease, PublishingState
from telemetry.models.rollups import (
    UsageComponentDaily,
    UsageDaily,
    UsagePluginDaily,
    UsagePluginWindow,
    UsageToolDaily,
    UsageUserDaily,
)
from telemetry.models.transcripts import (
    SessionTranscript,
    SessionTranscriptPart,
    storage_folder,
    storage_key,
)
from telemetry.models.usage import (
    ErrorKind,
    EventType,
    InvokedBy,
    Source,
    UsageEvent,
    UsageMessage,
    UsageSessionSummary,
)

__all__ = [
    "MAX_ATTEMPTS",
    "AgentAttribution",
    "Attribution",
    "CommandAttribution",
    "ErrorKind",
    "EventType",
    "InvokedBy",
    "LakeSnapshot",
    "McpServerAttribution",
    "ProcessingWakeup",
    "PublishingLease",
    "PublishingState",
    "SessionProcessorClaim",
    "SessionProcessorState",
    "SessionTranscript",
    "SessionTranscriptPart",
    "SkillAttribution",
    "Source",
    "UsageComponentDaily",
    "UsageDaily",
    "UsageDirtyDay",
    "UsageEvent",
    "UsageMessage",
    "UsagePluginDaily",
    "UsagePluginWindow",
    "UsageSessionSummary",
    "UsageToolDaily",
    "UsageUserDaily",
    "VerificationFinding",
    "storage_folder",
    "storage_key",
]

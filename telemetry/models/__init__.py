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
from telemetry.models.transcripts import SessionTranscript, SessionTranscriptPart, storage_key
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
    "McpServerAttribution",
    "ProcessingWakeup",
    "SessionProcessorClaim",
    "SessionProcessorState",
    "SessionTranscript",
    "SessionTranscriptPart",
    "SkillAttribution",
    "Source",
    "UsageDirtyDay",
    "UsageEvent",
    "UsageMessage",
    "UsageSessionSummary",
    "VerificationFinding",
    "storage_key",
]

"""What Claude Code is known to write (versions 1.0.17 to 2.1.237): what is not here is format drift."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LINE_TYPES = _words("""
    agent-name ai-title assistant atis-latch attachment bridge-session custom-title file-history-delta
    file-history-snapshot frame-link last-prompt mode permission-mode pr-link progress queue-operation summary
    system user
""")

BLOCK_TYPES = _words("""
    advisor_tool_result document fallback image redacted_thinking server_tool_use text thinking tool_reference
    tool_result tool_use
""")

# Top-level keys of user, assistant, system and attachment lines.
KEYS = _words("""
    advisorModel agentId apiErrorStatus attachment attributionAgent attributionMcpServer attributionMcpTool
    attributionPlugin attributionSkill cause classifierMetaLines compactMetadata content cwd durationMs effort
    entrypoint error errorDetails forkedFrom gitBranch hasOutput hookAdditionalContext hookCount hookErrors
    hookInfos imagePasteIds interruptedMessageId isAbortedMidStream isApiErrorMessage isCompactSummary isMeta
    isSidechain isVisibleInTranscriptOnly level logicalParentUuid maxRetries mcpMeta message messageCount
    microcompactMetadata origin parentUuid pendingBackgroundAgentCount pendingWorkflowCount permissionMode
    planContent preventedContinuation promptId promptSource queuePriority requestId retryAttempt retryInMs
    sessionId sessionKind session_id slug sourceToolAssistantUUID sourceToolUseID stopReason subtype teamName
    thinkingMetadata timestamp todos toolDenialKind toolUseID toolUseResult type url userType uuid version
""")

"""Values that some columns have whatever anybody does: fixed words, and Claude Code's own tools."""

from telemetry.models import ErrorKind, EventType, InvokedBy, Source

# Those of Claude Code today; a name says nothing of anybody.
BUILTIN_TOOLS = (
    "Agent", "AskUserQuestion", "Bash", "BashOutput", "Edit", "ExitPlanMode", "Glob", "Grep", "KillShell",
    "LS", "MultiEdit", "NotebookEdit", "Read", "Skill", "SlashCommand", "Task", "TodoWrite", "WebFetch",
    "WebSearch", "Write",
)  # fmt: skip


def fixed_values() -> dict[str, list[str]]:
    """By column."""
    return {
        "event_type": list(EventType.values),
        "error_kind": list(ErrorKind.values),
        "invoked_by": list(InvokedBy.values),
        "source": list(Source.values),
        "tool_name": list(BUILTIN_TOOLS),
    }

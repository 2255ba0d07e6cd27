"""Skills and slash commands: called by Claude, typed by a person, or of the user interface itself."""

from telemetry.demo.vocabulary import (
    FLEA_VERSIONS,
    MARKETPLACE,
    PLUGIN_VERSIONS,
    SERVED_MARKETPLACE,
    USER_INTERFACE_COMMANDS,
)
from telemetry.demo.writer import TranscriptWriter


def skill_call(writer: TranscriptWriter, skill: str) -> None:
    """Claude calls the Skill tool; now and then it gets the name wrong."""
    call = {"type": "tool_use", "id": writer.new_id("toolu_"), "name": "Skill", "input": {"skill": skill}}
    if writer.rng.random() < 0.06:
        call["input"] = {"skill": f"{skill}-all"}
        words = f"<tool_use_error>Unknown skill: {skill}-all</tool_use_error>"
        line = writer.message([call])
        writer.result(call, line, words, f"Error: {words}", is_error=True)
        return
    line = writer.message([call])
    writer.wait(0.1, 0.4)
    writer.result(call, line, f"Launching skill: {skill}", {"success": True, "commandName": skill})
    writer.injected(body_of(writer.setting.home, skill), sourceToolUseID=call["id"])


def plugin_command(writer: TranscriptWriter, name: str) -> None:
    """A person types a command that expands: a skill's body, or the text of a plain command."""
    tags = f"<command-message>{name}</command-message>\n<command-name>/{name}</command-name>"
    writer.user(tags)
    if name.endswith((":cut", ":explain", ":handover")):
        writer.injected("Prepare the next release: read the changelog, then propose a version.")
    else:
        writer.injected(body_of(writer.setting.home, name))


def user_interface(writer: TranscriptWriter) -> None:
    """A command of Claude Code itself: it never reaches the model."""
    name = writer.rng.choice(USER_INTERFACE_COMMANDS)
    message = f"<command-message>{name}</command-message>"
    tags = f"<command-name>/{name}</command-name>\n{message}\n<command-args></command-args>"
    if name == "mcp":
        writer.system("local_command", content=tags, level="info", isMeta=False)
    else:
        writer.user(tags)
        writer.user("<local-command-stdout></local-command-stdout>")
    writer.wait(2, 20)


def body_of(home: str, name: str) -> str:
    return f"Base directory for this skill: {_folder(home, name)}\n\nFollow the steps below, in order."


def _folder(home: str, name: str) -> str:
    plugin, _, skill = name.rpartition(":")
    if not plugin:
        return f"{home}/.claude/skills/{skill}"
    market = SERVED_MARKETPLACE if plugin in FLEA_VERSIONS else MARKETPLACE
    version = (FLEA_VERSIONS | PLUGIN_VERSIONS)[plugin]
    return f"{home}/.claude/plugins/cache/{market}/{plugin}/{version}/skills/{skill}"

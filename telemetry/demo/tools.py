"""What tool calls look like: their input, what they answer, and how they fail."""

from dataclasses import dataclass
from random import Random
from typing import Any

from telemetry.demo.people import Person
from telemetry.demo.vocabulary import MCP_TOOLS, Project

BUILT_IN = {
    "Read": 26,
    "Bash": 30,
    "Edit": 16,
    "Grep": 11,
    "Glob": 4,
    "Write": 4,
    "TaskUpdate": 4,
    "WebFetch": 1,
}
ASK_PERMISSION = frozenset({"Bash", "Edit", "Write", "WebFetch"})
REJECTED = (
    "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file "
    "edit, the new_string was NOT written to the file). STOP what you are doing and wait for the user to "
    "tell you how to proceed."
)
CANCELLED = "<tool_use_error>Cancelled: parallel tool call {name} errored</tool_use_error>"
# How often a call fails by itself, and with what words.
FAILURES = {
    "Bash": (0.09, "Exit code 1\n{word}: 2 failed, 31 passed in 4.12s"),
    "Edit": (0.05, "<tool_use_error>String to replace not found in file.\nString: {word}</tool_use_error>"),
    "Read": (0.02, "<tool_use_error>File does not exist.</tool_use_error>"),
    "mcp": (0.06, "MCP error -32603: upstream timed out after 30 s"),
    "WebFetch": (0.2, "Request failed with status code 404"),
}


@dataclass(frozen=True)
class ToolCall:
    name: str
    input: dict[str, Any]
    answer: str
    failure: str = ""

    @property
    def asks_permission(self) -> bool:
        return self.name in ASK_PERMISSION


def pick(person: Person, project: Project, cwd: str, rng: Random) -> ToolCall:
    """A call such as this person makes in this project; `failure` is set when it goes wrong by itself."""
    if rng.random() < 0.06:
        server = rng.choice(person.team.mcp_servers)
        tool = rng.choice(MCP_TOOLS[server])
        call = ToolCall(f"mcp__{server}__{tool}", {"query": rng.choice(project.words)}, '{"rows": 12}')
    else:
        name = rng.choices(list(BUILT_IN), list(BUILT_IN.values()))[0]
        call = ToolCall(name, *_built_in(name, project, cwd, rng))
    share, words = FAILURES.get("mcp" if call.name.startswith("mcp__") else call.name, (0.0, ""))
    if rng.random() < share:
        return ToolCall(call.name, call.input, call.answer, words.format(word=rng.choice(project.words)))
    return call


def _built_in(name: str, project: Project, cwd: str, rng: Random) -> tuple[dict[str, Any], str]:
    path, word = f"{cwd}/{rng.choice(project.files)}", rng.choice(project.words)
    line = rng.randrange(1, 180)
    match name:
        case "Read":
            return {"file_path": path}, "\n".join(f"{line + row:6}\t    {word} = {row}" for row in range(9))
        case "Bash":
            command = rng.choice((project.tests, project.tests, *project.shell))
            return {
                "command": command,
                "description": f"Run {command.split()[0]}",
            }, f"{word}: 33 passed in 3.90s"
        case "Edit":
            change = {"file_path": path, "old_string": f"{word} = 1", "new_string": f"{word} = 2"}
            return change, f"The file {path} has been updated successfully."
        case "Grep":
            return {"pattern": word, "output_mode": "content"}, f"{path}:{line}:    {word}(order)"
        case "Glob":
            return {"pattern": "**/*" + path[path.rfind(".") :]}, path
        case "Write":
            return {"file_path": path, "content": f"# {word}\n"}, f"File created successfully at: {path}"
        case "TaskUpdate":
            return {"taskId": str(line % 5 + 1), "status": "completed"}, "Updated task status"
    return {
        "url": "https://docs.example/guide",
        "prompt": f"What is {word}?",
    }, f"{word} is described in chapter 3."

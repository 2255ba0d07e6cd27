"""Where Claude Code keeps what, on this machine.

<projects>/<folder of the workspace>/<session>.jsonl                       a session
<projects>/…/agent-<agent>.jsonl                                           a subagent, of old versions
<projects>/…/<session>/subagents/agent-<agent>.jsonl                       a subagent
<projects>/…/<session>/subagents/workflows/<run>/agent-<agent>.jsonl
"""

import json
import os
import shutil
from pathlib import Path

CONFIG = "CLAUDE_CONFIG_DIR"
SESSION = "CLAUDE_CODE_SESSION_ID"
DEFAULT_CLEANUP_DAYS = 30
# Of a longer name it keeps the beginning, and something that it works out from the whole.
LONGEST_NAME = 200


def config_folder() -> Path:
    given = os.environ.get(CONFIG)
    return Path(given).expanduser() if given else Path.home() / ".claude"


def projects_folder() -> Path:
    return config_folder() / "projects"


def project_name(folder: str) -> str:
    """What Claude Code calls a folder: different ones may have the same name.

    It counts characters as JavaScript does, where one beyond the basic plane is two.
    """
    return "".join(
        it if it.isascii() and it.isalnum() else "-" * (2 if ord(it) > 0xFFFF else 1) for it in folder
    )


def may_be_project_of(name: str, folder: str) -> bool:
    """Whether sessions of this folder, or of one below it, may lie under this name."""
    wanted = project_name(folder)
    if len(wanted) > LONGEST_NAME:
        return name.startswith(wanted[:LONGEST_NAME])
    return name == wanted or name.startswith(f"{wanted}-")


def current_session() -> str | None:
    """The one that this process was started in."""
    return os.environ.get(SESSION) or None


def cleanup_days() -> int:
    """After so many days Claude Code removes transcripts."""
    try:
        settings = json.loads((config_folder() / "settings.json").read_text(encoding="utf-8"))
        days = settings["cleanupPeriodDays"]
    except (OSError, ValueError, KeyError, TypeError):
        return DEFAULT_CLEANUP_DAYS
    return days if isinstance(days, int) and days >= 0 else DEFAULT_CLEANUP_DAYS


def command() -> str | None:
    """Claude Code's own command."""
    return shutil.which("claude")

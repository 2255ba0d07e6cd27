"""What an uploaded name claims, and what the server calls a transcript. A name never becomes a path."""

import hashlib
import re
from dataclasses import dataclass

from telemetry.transcripts.values import clean

SUFFIX = ".jsonl"
SHOWN_CHARACTERS = 120
# An underscore separates the ids in a session_file, so that only the last of them may hold one.
PLAIN_SESSION_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
PLAIN_AGENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def session_file_of(user_id: int, session_id: str, agent_id: str) -> str:
    """`u7_<session id>.jsonl`, `u7_<session id>_<agent id>.jsonl`: unique, and safe in any URL or path."""
    parts = [f"u{user_id}", _plain(session_id, PLAIN_SESSION_ID)]
    if agent_id:
        parts.append(_plain(agent_id, PLAIN_AGENT_ID))
    return "_".join(parts) + SUFFIX


def main_file_of(session_file: str) -> str:
    """The session_file of the main transcript of the same session."""
    owner, session, *_agent = session_file.removesuffix(SUFFIX).split("_", 2)
    return f"{owner}_{session}{SUFFIX}"


@dataclass(frozen=True)
class Claim:
    """Whose transcript a name says that a file is. `session_id` None: it does not say."""

    session_id: str | None
    agent_id: str


def claim_of(name: str) -> Claim | None:
    """What Claude Code's layout says, in any folder:

    <session id>.jsonl                                  main transcript
    agent-<agent id>.jsonl                              subagent, old layout
    <session id>/subagents/agent-<agent id>.jsonl       subagent
    <session id>/subagents/workflows/<run>/agent-<agent id>.jsonl
    """
    *folders, last = clean_path(name)
    if not last.endswith(SUFFIX):
        return None
    stem = last.removesuffix(SUFFIX)
    if not stem.startswith("agent-"):
        return Claim(stem, "")
    return Claim(_session_folder(folders), stem.removeprefix("agent-"))


def mismatch(name: str, session_id: str, agent_id: str) -> str | None:
    """A sentence if the name says something else than the content, which decides."""
    claim = claim_of(name)
    if claim and claim.agent_id == agent_id and claim.session_id in (None, session_id):
        return None
    content = f"subagent {agent_id} of session {session_id}" if agent_id else f"session {session_id}"
    shown = clean(name[-SHOWN_CHARACTERS:])
    return f"The name {shown!r} does not fit the content, which is {content}; the content decides."


def clean_path(name: str) -> list[str]:
    """The folders and the file name of a path of any system, at least one element."""
    return [clean(part) for part in re.split(r"[/\\]", name)]


def _session_folder(folders: list[str]) -> str | None:
    if "subagents" not in folders:
        return None
    index = folders.index("subagents")
    return folders[index - 1] if index else None


def _plain(identifier: str, shape: re.Pattern[str]) -> str:
    if shape.fullmatch(identifier):
        return identifier
    return hashlib.blake2b(identifier.encode(), digest_size=8).hexdigest()

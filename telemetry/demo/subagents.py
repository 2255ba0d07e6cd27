"""Subagents: the call in the main transcript, and the agent's own file beside it."""

from dataclasses import dataclass
from random import Random

from telemetry.demo.writer import Json, TranscriptWriter


@dataclass(frozen=True)
class Dispatch:
    """A subagent under way: its transcript, begun with its prompt, and the call that waits for its report."""

    sender: TranscriptWriter
    agent: TranscriptWriter
    call: Json
    line: Json

    def report(self, answer: str) -> None:
        """The agent's last words, in its own file and as the result of the call."""
        self.agent.message([{"type": "text", "text": answer}])
        self.sender.now = max(self.sender.now, self.agent.now)
        self.sender.wait(0.1, 1)
        outcome = {
            "status": "completed",
            "agentId": self.agent.agent_id,
            "agentType": self.call["input"]["subagent_type"],
            "totalTokens": self.agent.context,
        }
        self.sender.result(self.call, self.line, answer, outcome)


def dispatch(sender: TranscriptWriter, kind: str, task: str) -> Dispatch:
    prompt = f"{task} Report what you find in a few sentences."
    call = {
        "type": "tool_use",
        "id": sender.new_id("toolu_"),
        "name": "Agent",
        "input": {"subagent_type": kind, "description": task[:40], "prompt": prompt},
    }
    line = sender.message([call])
    sender.wait(0.2, 1)
    agent = TranscriptWriter(
        Random(sender.rng.getrandbits(64)),
        sender.setting,
        sender.now,
        session_id=sender.session_id,
        agent_id=f"a{sender.rng.getrandbits(64):016x}",
    )
    agent.user(prompt)
    return Dispatch(sender, agent, call, line)

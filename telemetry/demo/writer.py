"""The lines of one transcript file, written as Claude Code writes them."""

import copy
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

Json = dict[str, Any]
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Setting:
    """What every line repeats, and the day of the demo's sixty on which it is written."""

    home: str
    cwd: str
    branch: str
    version: str
    model: str
    day: int


class TranscriptWriter:
    def __init__(
        self, rng: Random, setting: Setting, start: datetime, *, session_id: str = "", agent_id: str = ""
    ) -> None:
        self.rng = rng
        self.setting = setting
        self.now = start
        self.agent_id = agent_id
        self.session_id = session_id or self.new_uuid()
        self.records: list[Json] = []
        self.parent: str | None = None
        self.context = rng.randrange(14_000, 22_000)

    # --- Time and ids --------------------------------------------------------------------------------

    def wait(self, least: float, most: float) -> None:
        self.now += timedelta(milliseconds=round(self.rng.uniform(least, most) * 1000))

    def new_uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def new_id(self, prefix: str) -> str:
        return prefix + "01" + "".join(self.rng.choices(BASE62, k=22))

    # --- Lines ---------------------------------------------------------------------------------------

    def user(self, content: str | list[Json], **fields: Any) -> Json:
        return self._line("user", message={"role": "user", "content": content}, **fields)

    def injected(self, text: str, **fields: Any) -> Json:
        return self.user([{"type": "text", "text": text}], isMeta=True, **fields)

    def system(self, subtype: str, **fields: Any) -> Json:
        return self._line("system", subtype=subtype, **fields)

    def attachment(self, **attachment: Any) -> Json:
        return self._line("attachment", attachment=attachment)

    def state(self, type: str, **fields: Any) -> None:
        """A line without uuid and time, as titles and modes are."""
        self.records.append({"type": type, "sessionId": self.session_id, **fields})

    def message(self, blocks: list[Json]) -> Json:
        """One message of the API: a line a block, usage repeated, the output count right on the last only."""
        message_id, request_id = self.new_id("msg_"), self.new_id("req_")
        usage = self._next_usage()
        final = usage["output_tokens"]
        for number, block in enumerate(blocks, start=1):
            last = number == len(blocks)
            self.wait(0.4, 4)
            line = self._line(
                "assistant",
                requestId=request_id,
                message={
                    "id": message_id,
                    "type": "message",
                    "role": "assistant",
                    "model": self.setting.model,
                    "content": [block],
                    "stop_reason": _stop_reason(block) if last else None,
                    "stop_sequence": None,
                    "usage": {**usage, "output_tokens": final if last else self.rng.randrange(1, 9)},
                },
            )
        return line

    def result(self, call: Json, asked: Json, content: str, outcome: Any, *, is_error: bool = False) -> Json:
        """The answer to a tool call; `asked` is the assistant's line."""
        block = {"type": "tool_result", "tool_use_id": call["id"], "content": content, "is_error": is_error}
        return self.user([block], toolUseResult=outcome, sourceToolAssistantUUID=asked["uuid"])

    def raw(self) -> bytes:
        lines = (json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in self.records)
        return "".join(f"{line}\n" for line in lines).encode()

    def fork(self, rng: Random, setting: Setting, start: datetime) -> "TranscriptWriter":
        """A new session that begins with a copy of this one's history, as Claude Code writes forks."""
        forked = TranscriptWriter(rng, setting, start)
        while forked.session_id < self.session_id:
            # Both begin at the same moment, and then the smaller id owns the history: let it be the original.
            forked.session_id = forked.new_uuid()
        forked.records = copy.deepcopy(self.records)
        for record in forked.records:
            record["sessionId"] = forked.session_id
        forked.parent, forked.context = self.parent, self.context
        return forked

    def _line(self, type: str, **fields: Any) -> Json:
        line: Json = {
            "parentUuid": self.parent,
            "isSidechain": bool(self.agent_id),
            "userType": "external",
            "entrypoint": "cli",
            "cwd": self.setting.cwd,
            "sessionId": self.session_id,
            "version": self.setting.version,
            "gitBranch": self.setting.branch,
            "type": type,
            "uuid": self.new_uuid(),
            "timestamp": f"{self.now:%Y-%m-%dT%H:%M:%S}.{self.now.microsecond // 1000:03d}Z",
            **fields,
        }
        if self.agent_id:
            line["agentId"] = self.agent_id
        self.parent = line["uuid"]
        self.records.append(line)
        return line

    def _next_usage(self) -> Json:
        cached, added = self.context, self.rng.randrange(150, 2600)
        self.context += added
        return {
            "input_tokens": self.rng.randrange(2, 40),
            "cache_creation_input_tokens": added,
            "cache_read_input_tokens": cached,
            "output_tokens": int(self.rng.lognormvariate(5.3, 0.8)) + 20,
            "service_tier": "standard",
        }


def _stop_reason(block: Json) -> str:
    return "tool_use" if block["type"] == "tool_use" else "end_turn"

"""A local server that speaks Anthropic's Messages API and OpenAI's chat completions, as a test wants it.

It answers with what the test put into `says`, one after another, and keeps every request.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Say:
    """One answer: `sql` as a call of the tool; or `body` word for word, with `status` and `headers`."""

    sql: str = ""
    answerable: bool = True
    rationale: str = "because"
    status: int = 200
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    stop_reason: str = "tool_use"
    seconds: float = 0
    is_cut: bool = False
    without_tool: bool = False


@dataclass
class Server:
    url: str
    says: list[Say] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def answer(self) -> Say:
        """The next; the last of them again and again."""
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]


@contextmanager
def messages_api(*says: Say) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.requests.append(json.loads(body))
            known.headers.append({name.lower(): value for name, value in self.headers.items()})
            say = known.answer()
            time.sleep(say.seconds)
            content = (_body(say, self.path) if say.body is None else say.body).encode()
            self.send_response(say.status)
            for name, value in {"Content-Type": "application/json", **say.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + 100 if say.is_cut else len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Nothing to tell."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known = Server(f"http://127.0.0.1:{server.server_port}", list(says))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield known
        finally:
            server.shutdown()


def _body(say: Say, path: str) -> str:
    if say.status != 200:
        return json.dumps({"type": "error", "error": {"type": "x", "message": "no"}})
    call = {"answerable": say.answerable, "sql": say.sql, "rationale": say.rationale, "assumptions": ""}
    if path.endswith("/chat/completions"):
        return json.dumps(_completion(say, call))
    block: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "run_sql", "input": call}
    if say.without_tool:
        block = {"type": "text", "text": "I would rather talk."}
    return json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5",
            "content": [block],
            "stop_reason": say.stop_reason,
            "stop_sequence": None,
            "usage": {"input_tokens": 900, "output_tokens": 60, "cache_read_input_tokens": 800},
        }
    )


def _completion(say: Say, call: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(call)
    message: dict[str, Any] = {"role": "assistant", "content": f"Here:\n```json\n{text}\n```"}
    if not say.without_tool:
        function = {"name": "run_sql", "arguments": text}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": function}]}
    return {"id": "chat_1", "choices": [{"message": message, "finish_reason": "stop"}], "usage": {}}

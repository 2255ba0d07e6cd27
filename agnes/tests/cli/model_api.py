"""A stand-in for the model: it answers a prompt with one tool after another, then with a word."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

Tool = tuple[str, dict[str, Any]]


@contextmanager
def model_api(tools: Sequence[Tool]) -> Iterator[str]:
    """Its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(tools))
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(tools: Sequence[Tool]) -> type[BaseHTTPRequestHandler]:
    numbers = count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            if "count_tokens" in self.path or "messages" not in body:
                self._send("application/json", json.dumps({"input_tokens": 10}))
                return
            message = self._message(body)
            if body.get("stream"):
                self._send("text/event-stream", "".join(map(_event, _events(message))))
            else:
                self._send("application/json", json.dumps(message))

        def do_GET(self) -> None:
            self._send("application/json", "{}")

        do_HEAD = do_GET

        def _message(self, body: dict[str, Any]) -> dict[str, Any]:
            done = _results(body["messages"])
            block: dict[str, Any] = {"type": "text", "text": "Done."}
            if body.get("tools") and done < len(tools):
                name, tool_input = tools[done]
                id = f"toolu_{next(numbers):024}"
                block = {"type": "tool_use", "id": id, "name": name, "input": tool_input}
            return {
                "id": f"msg_{next(numbers):024}",
                "type": "message",
                "role": "assistant",
                "model": body["model"],
                "content": [block],
                "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 3, "output_tokens": 5},
            }

        def _send(self, content_type: str, text: str) -> None:
            content = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _results(messages: list[dict[str, Any]]) -> int:
    contents = [it["content"] for it in messages if isinstance(it["content"], list)]
    return sum(block.get("type") == "tool_result" for content in contents for block in content)


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    [block] = message["content"]
    yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}}
    if block["type"] == "text":
        begun, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        begun = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield {"type": "content_block_start", "index": 0, "content_block": begun}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}}
    yield {"type": "message_stop"}


def _event(event: dict[str, Any]) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"

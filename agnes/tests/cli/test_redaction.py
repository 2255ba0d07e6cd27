"""None of the planted credentials is in what leaves the machine."""

import json
import re
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agnes.cli.redaction.redacting import redact
from agnes.tests.cli.machines import Machine
from agnes.tests.cli.planted import SAMPLES
from agnes.tests.cli.scripted import Scripted
from marketplace.guardrails.credentials import FAMILIES as GUARDRAILS
from marketplace.guardrails.credentials import find_credentials
from telemetry.tests.builders import assistant_line, tool_result, tool_use, user_line

# So much of a secret in a row gives it away.
PIECE = 10
Shape = Callable[[str], str]


def _numbered(text: str) -> str:
    return "\n".join(f"{number:6}→{line}" for number, line in enumerate(text.split("\n"), 1))


SHAPES: dict[str, Shape] = {
    "as it is": str,
    "in a sentence": lambda text: f"use {text} for this",
    "between lines": lambda text: f"first\n{text}\nlast",
    "in quotes": lambda text: f'x = "{text}"',
    "in JSON": lambda text: json.dumps({"value": text, "more": [text]}),
    "in JSON in JSON": lambda text: json.dumps({"body": json.dumps({"value": text})}),
    "in JSON thrice": lambda text: json.dumps([json.dumps([json.dumps([f"a\n{text}\nb"])])]),
    "with numbered lines": _numbered,
    "with CR LF": lambda text: f"a\r\n{text}\r\nb".replace("\n", "\r\n"),
    "indented": lambda text: f"  - {text}".replace("\n", "\n    "),
}


def line_with(text: str, *, escape: str = "") -> bytes:
    """A line of a transcript; the characters in `escape` are written as JSON may write any."""
    line = json.dumps(user_line(tool_result("toolu_1", text), toolUseResult={"stdout": text}))
    content = json.dumps(text)[1:-1]
    for character in escape:
        content_ = content.replace(character, f"\\u{ord(character):04x}")
        line = line.replace(content, content_)
        content = content_
    return f"{line}\n".encode()


def pieces(secret: str) -> set[str]:
    """All that would give it away, line by line."""
    return {
        line[start : start + PIECE]
        for line in secret.split("\n")
        if not line.startswith("-----")
        for start in range(max(1, len(line) - PIECE + 1))
    }


def leaked(line: bytes, secret: str) -> set[str]:
    """What can be read of it, however often the escapes are undone."""
    text = json.dumps(json.loads(line), ensure_ascii=False)
    plain = re.sub(r"\\+(?:n|r|t|\")|\s|→", "", text)
    return {piece for piece in pieces(secret) if piece in text or piece in plain}


@pytest.mark.parametrize(("secret", "text"), SAMPLES.values(), ids=SAMPLES)
def test_none_is_left(secret: str, text: str):
    for name, shape in SHAPES.items():
        redacted, found = redact(line_with(shape(text)))
        assert leaked(redacted, secret) == set(), name
        assert found.total() >= 1, name
        assert redacted.endswith(b"\n"), name


@pytest.mark.parametrize(("secret", "text"), SAMPLES.values(), ids=SAMPLES)
def test_none_is_left_with_escaped_letters(secret: str, text: str):
    """As some programs write them: _ - = / + and a letter."""
    redacted, _ = redact(line_with(text, escape="_-=/+" + secret[-1]))
    assert leaked(redacted, secret) == set()


BY_NAME = {"aws secret", "address", "bearer", "password", "api key", "azure"}
WRAPPED = {
    name: sample
    for name, sample in SAMPLES.items()
    if name not in BY_NAME and not name.startswith(("private key", "slack webhook", "discord"))
}


BREAKS = ("\n", "\n    ", "\r\n", "\\\n", "\n    12→")


@pytest.mark.parametrize(("secret", "text"), WRAPPED.values(), ids=WRAPPED)
def test_none_is_left_where_a_line_end_breaks_it(secret: str, text: str):
    places = (len(secret) // 3, len(secret) // 2, len(secret) - 12)
    for at, broken in product(places, BREAKS):
        wrapped = f"{secret[:at]}{broken}{secret[at:]}"
        redacted, _ = redact(line_with(f"TOKEN\n{wrapped}\nnext"))
        assert leaked(redacted, f"{secret[:at]}\n{secret[at:]}") == set(), (at, broken)
        assert b"next" in redacted


def test_what_follows_a_credential_on_the_next_line_stays():
    secret, _ = SAMPLES["anthropic"]
    for following in ("export NEXT=1", "documentation of it", "OTHER_NAME2=x"):
        redacted, _ = redact(line_with(f"KEY={secret}\n{following}"))
        assert following.encode() in redacted


def test_a_key_that_is_cut_off_at_either_end():
    secret, text = SAMPLES["private key"]
    lines = text.split("\n")
    for part in (lines[:4], lines[3:]):
        redacted, _ = redact(line_with("\n".join(part)))
        assert leaked(redacted, secret) == set()


def test_every_family_of_the_guardrails_is_known_here():
    """What is found in uploads to the flea market does not leave the machine in a transcript either."""
    found = {each.family for _, text in SAMPLES.values() for each in find_credentials(text)}
    assert {family.name for family in GUARDRAILS} <= found


def test_it_counts_each_once_and_by_family():
    token, _ = SAMPLES["github"]
    _, found = redact(json.dumps(user_line(f"token={token} password: hT7!kk0-Pq%z")).encode())
    assert found == {"GitHub token": 1, "password or key": 1}


def test_what_is_no_credential_stays():
    for text in (
        "the password is required", "password: string", 'const token = getToken("x1")', "input_tokens: 12345",
        "secretary1: Anna", "key: value1x", "api_key=os.environ['API_KEY']", "password=${DB_PASSWORD1}",
        "https://user@example.com:8080/x", "postgres://user:password@localhost/db", "sk-something-like-this",
        "token_count = 12345678", "SKILL.md", "commit 29824e69f54612133e76f7eaac726eef6c875baf",
        "6f1c2a8e-0000-4000-8000-000000000001", "toolu_01A2b3C4d5E6f7G8h9", "msg_01A2b3C4d5E6f7G8h9J0k1L2",
    ):  # fmt: skip
        line = line_with(text)
        assert redact(line) == (line, {})


def test_ids_and_names_of_a_transcript_stay():
    """Figures depend on them."""
    line = json.dumps(
        assistant_line(
            tool_use(
                "mcp__plugin_vault_token__read", id="toolu_01AbCdEfGhIjKlMnOpQrStUv", subagent_type="a:b"
            ),
            message_id="msg_01AbCdEfGhIjKlMnOpQrStUv",
            requestId="req_011CSHoEeqs5C35K2UUqR7Fy",
        )
    ).encode()
    assert redact(line) == (line, {})


texts = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from([text for _, text in SAMPLES.values()]),
        st.sampled_from(["\\", '"', "\n", "\\n", '\\"', "password=", "'", "\\u0041", "/", "://a:b", "@x"]),
    ),
    max_size=8,
).map("".join)


@settings(max_examples=40)
@given(texts, st.integers(0, 3))
def test_what_was_json_stays_json(text: str, depth: int):
    for _ in range(depth):
        text = json.dumps({"x": text})
    line = json.dumps({"a": text, "password": text, "b": [text, 1]}).encode()
    redacted, _ = redact(line)
    value = json.loads(redacted)
    assert list(value) == ["a", "password", "b"]
    assert value["b"][1] == 1


@given(st.binary(max_size=200))
def test_whatever_stands_on_a_line_goes_through(line: bytes):
    redact(line)


class TestPush:
    def test_none_leaves_and_none_is_printed(self, client: Machine, server: Scripted):
        lines = client.session("s1") + [
            user_line(f"{name}:\n{text}", sessionId="s1", uuid=f"u-{name}")
            for name, (_, text) in SAMPLES.items()
        ]
        client.write("s1", lines)
        done = client.run("push", "--json")
        [body] = server.latest().values()
        assert body.count(b"\n") == len(lines)
        for line in body.splitlines():
            assert not [name for name, (secret, _) in SAMPLES.items() if leaked(line, secret)]
        told = json.loads(done.stdout)
        assert sum(told["redacted"].values()) >= len(SAMPLES)
        assert not any(leaked(json.dumps(done.stdout).encode(), secret) for secret, _ in SAMPLES.values())
        assert "[redacted]" not in done.stdout

    def test_a_grown_session_begins_as_it_did(self, client: Machine, server: Scripted):
        secret, _ = SAMPLES["github"]
        first = [*client.session("s1"), user_line(f"here: {secret}", sessionId="s1")]
        client.write("s1", first)
        client.ok("push")
        client.write("s1", [*first, user_line("more", sessionId="s1")])
        client.ok("push")
        before, after = server.stored["s1.jsonl"]
        assert after.startswith(before)

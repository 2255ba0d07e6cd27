from typing import Any

import pytest

from telemetry.tests.builders import tool_result
from telemetry.transcripts.records import lenient_record
from telemetry.transcripts.results import CallResult, call_result


def result_of(content: Any, *, is_error: Any = True, **fields: Any) -> CallResult:
    block = tool_result("t", content) | {"is_error": is_error}
    record = lenient_record({"type": "user", "message": {"content": [block]}, **fields})
    return call_result(record, record.blocks[0])


# In the order in which they are tried.
KINDS = [
    ("The user doesn't want to proceed with this tool use.", "rejected"),
    ("The user doesn't want to take this action right now.", "rejected"),
    ("[Request interrupted by user for tool use]", "rejected"),
    ("Permission to use Bash has been denied.", "rejected"),
    ("Permission for this action was denied by the rules.", "rejected"),
    ("Claude requested permissions to write, but you haven't granted it yet.", "rejected"),
    ("<tool_use_error>Cancelled: parallel tool call errored</tool_use_error>", "cancelled"),
    ("<tool_use_error>Sibling tool call errored</tool_use_error>", "cancelled"),
    ("Something. Sibling tool call errored.", "cancelled"),
    ("Exit code 1\nSibling tool call errored", "cancelled"),
    ("Exit code 127\nnot found", "exit_code"),
    ("<tool_use_error>File not found</tool_use_error>", "tool_error"),
    ("Permission denied", "other"),
    ("The Exit code was 1", "other"),
    ("permission to use Bash", "other"),
    ("", "other"),
]


class TestErrorKinds:
    @pytest.mark.parametrize(("text", "kind"), KINDS)
    def test_the_text_tells_the_kind(self, text: str, kind: str):
        assert result_of(text).error_kind == kind
        assert result_of(f"\n {text}").error_kind == kind
        assert result_of([{"type": "text", "text": text}]).error_kind == kind

    @pytest.mark.parametrize(("text", "kind"), KINDS)
    def test_a_denial_is_a_rejection_whatever_the_text(self, text: str, kind: str):
        assert result_of(text, toolDenialKind="user-rejected").error_kind == "rejected"
        assert result_of(text, toolDenialKind="").error_kind == kind
        assert result_of(text, toolDenialKind=True).error_kind == kind

    @pytest.mark.parametrize(("text", "kind"), KINDS)
    @pytest.mark.parametrize("is_error", [False, None, 1, "true"])
    def test_only_true_is_an_error(self, text: str, kind: str, is_error: object):
        assert result_of(text, is_error=is_error, toolDenialKind="x") == CallResult("none")

    @pytest.mark.parametrize("content", [None, 7, {"type": "text", "text": "Exit code 1"}, [None, 7], []])
    def test_content_without_text_is_other(self, content: object):
        assert result_of(content).error_kind == "other"

    def test_the_text_blocks_are_read_as_one(self):
        blocks = [{"type": "image"}, {"type": "text", "text": "Exit code 1"}, {"type": "text", "text": "x"}]
        assert result_of(blocks).error_kind == "exit_code"


class TestAgentNotFound:
    @pytest.mark.parametrize("opening", ["", "<tool_use_error>", "\n"])
    def test_it_is_told_from_other_errors(self, opening: str):
        text = f"{opening}Agent type 'toolbox:reviewer' not found. Available agents: Explore"
        assert result_of(text).agent_not_found
        assert not result_of(text, is_error=False).agent_not_found

    @pytest.mark.parametrize("text", ["Agent type 'x' stopped", "The Agent type 'x' not found", ""])
    def test_other_texts_are_not_it(self, text: str):
        assert not result_of(text).agent_not_found

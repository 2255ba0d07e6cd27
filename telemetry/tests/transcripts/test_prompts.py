from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.transcripts.prompts import (
    UserClass,
    classify,
    command_name,
    is_programmatic,
    is_steering_prompt,
    spoken_text,
)
from telemetry.transcripts.records import lenient_record


def class_of(content: Any = "Hello", *, main_thread: bool = True, **fields: Any) -> UserClass:
    record = lenient_record({"type": "user", "message": {"content": content}, **fields})
    return classify(record, main_thread=main_thread)


RESULT = [{"type": "tool_result", "tool_use_id": "t"}]

# Each row of COUNTING section 4, in order: what makes a record fall into the class, alone.
IN_ORDER: list[tuple[UserClass, dict[str, Any]]] = [
    (UserClass.TOOL_RESULT, {"content": RESULT}),
    (UserClass.BY_AGENT, {"main_thread": False}),
    (UserClass.SUMMARY, {"isCompactSummary": True}),
    (UserClass.INJECTED, {"isMeta": True}),
    (UserClass.COMMAND, {"content": "<command-name>/x</command-name>"}),
    (UserClass.OUTPUT, {"content": "<local-command-stdout>x"}),
    (UserClass.SHELL, {"content": "<bash-input>ls"}),
    (UserClass.INTERRUPTION, {"content": "[Request interrupted by user]"}),
    (UserClass.NOTIFICATION, {"origin": {"kind": "task-notification"}}),
    (UserClass.PEER, {"content": "<teammate-message"}),
    (UserClass.PLAN, {"planContent": "x"}),
    (UserClass.INJECTED, {"promptSource": "system"}),
    (UserClass.EMPTY, {"content": ""}),
    (UserClass.PROGRAMMATIC_PROMPT, {"entrypoint": "sdk-cli"}),
    (UserClass.HUMAN_PROMPT, {}),
]


class TestClasses:
    @pytest.mark.parametrize(("expected", "made_by"), IN_ORDER)
    def test_each_has_its_sign(self, expected: UserClass, made_by: dict[str, Any]):
        assert class_of(**made_by) is expected

    @pytest.mark.parametrize("first", range(len(IN_ORDER)))
    def test_the_first_that_holds_decides(self, first: int):
        """Two signs together: the earlier row wins. Signs in the content exclude each other."""
        expected, sign = IN_ORDER[first]
        for _, later in IN_ORDER[first + 1 :]:
            assert class_of(**(later | sign)) is expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("<command-name>", UserClass.COMMAND),
            ("<command-message>x is running", UserClass.COMMAND),
            ("<local-command-stdout>", UserClass.OUTPUT),
            ("<local-command-stderr>", UserClass.OUTPUT),
            ("<local-command-caveat>", UserClass.OUTPUT),
            ("<bash-input>ls", UserClass.SHELL),
            ("<bash-stdout>x", UserClass.SHELL),
            ("<bash-stderr>x", UserClass.SHELL),
            ("[Request interrupted by user for tool use]", UserClass.INTERRUPTION),
            ("<task-notification>x", UserClass.NOTIFICATION),
            ('<teammate-message teammate_id="a">', UserClass.PEER),
            ("Another Claude session sent a message: x", UserClass.PEER),
            ("Implement the following plan:\n", UserClass.PLAN),
            ("Operation stopped by hook: x", UserClass.INJECTED),
            ("<scheduled-task name='x'>", UserClass.INJECTED),
            ("<ci-monitor-event>", UserClass.INJECTED),
        ],
    )
    def test_texts_tell_by_their_beginning(self, text: str, expected: UserClass):
        assert class_of(text) is expected
        assert class_of(f" \n{text} more") is expected
        assert class_of([{"type": "text", "text": text}]) is expected
        assert class_of(f"<system-reminder>x</system-reminder>\n{text}") is expected
        assert class_of(f"Look: {text}") is UserClass.HUMAN_PROMPT
        assert class_of(text.swapcase()) is UserClass.HUMAN_PROMPT

    def test_a_tool_result_may_stand_beside_other_blocks(self):
        assert class_of([{"type": "text", "text": "x"}, None, *RESULT]) is UserClass.TOOL_RESULT
        assert class_of(RESULT, main_thread=False) is UserClass.TOOL_RESULT

    @pytest.mark.parametrize("value", [False, None, "true", 1])
    def test_flags_hold_only_where_they_are_true(self, value: object):
        assert class_of(isMeta=value, isCompactSummary=value) is UserClass.HUMAN_PROMPT

    @pytest.mark.parametrize("value", [None, "", "text", {}, False])
    def test_the_key_plan_content_suffices(self, value: object):
        assert class_of(planContent=value) is UserClass.PLAN

    @pytest.mark.parametrize("kind", ["peer", "task-notification"])
    def test_the_origin_tells_what_the_text_does_not(self, kind: str):
        expected = {"peer": UserClass.PEER, "task-notification": UserClass.NOTIFICATION}[kind]
        assert class_of(origin={"kind": kind}) is expected

    @pytest.mark.parametrize("origin", [None, {}, {"kind": 7}, "peer", {"kind": "human"}, {"kind": "new"}])
    def test_an_unknown_origin_means_nothing(self, origin: object):
        assert class_of(origin=origin) is UserClass.HUMAN_PROMPT

    @pytest.mark.parametrize(
        "content",
        ["", " \n", None, 7, {}, [], [{"type": "text", "text": " "}], [{"type": "tool_reference"}], [None]],
    )
    def test_nothing_is_no_prompt(self, content: object):
        assert class_of(content) is UserClass.EMPTY

    def test_what_the_harness_put_in_is_nothing(self):
        assert class_of("<ide_opened_file>a.py</ide_opened_file>") is UserClass.EMPTY

    @pytest.mark.parametrize("block_type", ["image", "document"])
    def test_a_picture_is_a_prompt(self, block_type: str):
        assert class_of([{"type": block_type}]) is UserClass.HUMAN_PROMPT
        assert class_of([{"type": block_type}], entrypoint="sdk-py") is UserClass.PROGRAMMATIC_PROMPT


class TestProgrammatic:
    @pytest.mark.parametrize(
        ("fields", "programmatic"),
        [
            ({"entrypoint": "sdk-cli"}, True),
            ({"entrypoint": "sdk-"}, True),
            ({"entrypoint": "sdk-py", "origin": {"kind": "human"}}, True),
            ({"entrypoint": "cli"}, False),
            ({"entrypoint": "my-sdk-cli"}, False),
            ({"entrypoint": 7}, False),
            ({"promptSource": "sdk"}, True),
            ({"promptSource": "sdk", "origin": {"kind": "other"}}, True),
            ({"promptSource": "sdk", "origin": {"kind": "human"}}, False),
            ({"promptSource": "typed"}, False),
            ({}, False),
        ],
    )
    def test_it_is_told_by_entry_point_or_source(self, fields: dict[str, Any], programmatic: bool):
        assert is_programmatic(lenient_record(fields)) is programmatic


class TestSteering:
    GOOD: dict[str, Any] = {"type": "queued_command", "commandMode": "prompt"}

    def is_steering(self, **changes: Any) -> bool:
        return is_steering_prompt(lenient_record({"attachment": self.GOOD | changes}))

    @pytest.mark.parametrize(
        "changes", [{}, {"isMeta": False}, {"isMeta": None}, {"origin": {"kind": "human"}}, {"origin": {}}]
    )
    def test_a_queued_prompt_of_a_human_is_one(self, changes: dict[str, Any]):
        assert self.is_steering(**changes)

    @pytest.mark.parametrize(
        "changes",
        [
            {"type": "other"},
            {"type": None},
            {"commandMode": "task-notification"},
            {"commandMode": None},
            {"isMeta": True},
            {"origin": {"kind": "task-notification"}},
            {"origin": {"kind": "peer"}},
        ],
    )
    def test_anything_else_is_none(self, changes: dict[str, Any]):
        assert not self.is_steering(**changes)

    @pytest.mark.parametrize("attachment", [None, "queued_command", []])
    def test_it_needs_an_attachment(self, attachment: object):
        assert not is_steering_prompt(lenient_record({"attachment": attachment}))


class TestCommandNames:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("<command-name>/review</command-name>", "review"),
            ("<command-name>review</command-name>", "review"),
            ("<command-name> /a b:c.ü </command-name>", "a b:c.ü"),
            ("<command-name>/review", "review"),
            ("<command-message>review is running…</command-message>\n<command-name>/review<", "review"),
            ("<command-message></command-message>\t\r\n <command-name>/review<", "review"),
            ("<command-name>/review</command-name><command-args>x</command-args>", "review"),
            ("<command-name>//x<", "/x"),
            ("<command-name>" + "x" * 300, "x" * 255),
        ],
    )
    def test_they_follow_the_tag_that_begins_the_text(self, text: str, name: str):
        assert command_name(text) == name

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "<command-name></command-name>",
            "<command-name>/</command-name>",
            "<command-name> <x>",
            "<command-message>review</command-message>",
            "<command-message>review</command-message> then <command-name>/review</command-name>",
            "<command-message>a<b</command-message><command-name>/review</command-name>",
            "<command-message>a<command-name>/review</command-name>",
            "Please explain <command-name>/review</command-name>",
            "<command-args>x</command-args><command-name>/review</command-name>",
        ],
    )
    def test_there_is_none_in_prose(self, text: str):
        assert command_name(text) == ""


class TestSpokenText:
    @pytest.mark.parametrize("tag", ["ide_opened_file", "ide_selection", "system-reminder"])
    def test_what_the_harness_put_in_is_dropped_wherever_it_stands(self, tag: str):
        inserted = f"<{tag}>one\n<b>two</{tag}>"
        assert spoken_text(f"{inserted}\n Hello {inserted}world{inserted}") == "Hello world"

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            (" plain\n", "plain"),
            ("<system-reminder>a", "<system-reminder>a"),
            ("a</system-reminder>", "a</system-reminder>"),
            ("<system-reminder>a</ide_selection>b", "<system-reminder>a</ide_selection>b"),
            ("<system-reminder>a<ide_selection>b</ide_selection>c", "<system-reminder>ac"),
            ("<system-reminder>a<ide_selection>b</system-reminder>c</ide_selection>", "c</ide_selection>"),
            ("<system-reminder>a<system-reminder>b</system-reminder>c", "c"),
            ("<system-reminder x>a</system-reminder>", "<system-reminder x>a</system-reminder>"),
            ("<other>a</other>", "<other>a</other>"),
        ],
    )
    def test_only_closed_tags_of_the_harness_are(self, text: str, kept: str):
        assert spoken_text(text) == kept

    @given(
        st.lists(
            st.sampled_from(
                [f"<{slash}{tag}>" for slash in ("", "/") for tag in ("ide_selection", "system-reminder")]
                + ["a", "<ide_opened_file>"]
            )
        ).map("".join)
    )
    def test_it_is_what_the_plain_rule_gives(self, text: str):
        assert spoken_text(text) == by_the_plain_rule(text)

    @pytest.mark.parametrize("piece", ["<system-reminder>", "<system-reminder><ide_selection>", "<ide_"])
    def test_it_takes_linear_time(self, piece: str):
        """The plain rule takes minutes for a megabyte of openings."""
        text = piece * (1_000_000 // len(piece))
        started = process_time()
        assert spoken_text(text) == text
        assert spoken_text(text + "</system-reminder>").count("<system-reminder>") == 0
        assert process_time() - started < 2


def by_the_plain_rule(text: str) -> str:
    """Leftmost tag first, each up to its first closing."""
    position = 0
    while position < len(text):
        for tag in ("ide_opened_file", "ide_selection", "system-reminder"):
            closing = text.find(f"</{tag}>", position)
            if text.startswith(f"<{tag}>", position) and closing >= 0:
                text = text[:position] + text[closing + len(f"</{tag}>") :]
                break
        else:
            position += 1
    return text.strip()

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.tests.builders import (
    START,
    Line,
    assistant_line,
    command_line,
    line,
    moment,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.tests.transcripts.helpers import (
    event_of,
    events_of,
    extraction_of_parts,
    figures_of,
    messages_of,
)
from telemetry.tests.transcripts.strategies import LINES
from telemetry.transcripts.extracting import extract
from telemetry.transcripts.figures import OF_NO_PLUGIN, Event, Evidence, digest
from telemetry.transcripts.scanning import NotATranscript, scan
from telemetry.transcripts.values import iso_ms
from telemetry.transcripts.verifying import verify


def at(seconds: float) -> int:
    return int(START.timestamp() * 1000 + seconds * 1000)


def call(name: str, tool_input: Any = None, **block: Any) -> Line:
    """An assistant line with one tool call."""
    return assistant_line({"type": "tool_use", "id": "t1", "name": name, "input": tool_input, **block})


def expansion(command: Line, text: str = "Do it.", **fields: Any) -> Line:
    return user_line([{"type": "text", "text": text}], isMeta=True, parentUuid=command["uuid"], **fields)


STEERING = {"type": "queued_command", "commandMode": "prompt"}
BODY = "Base directory for this skill: /home/x/.claude/skills/review\nDo it."


class TestEventTypes:
    def test_a_tool_call(self):
        event = event_of(call("Bash", {"command": "ls"}))
        assert (event.event_type, event.tool_name, event.invoked_by) == ("tool_use", "Bash", "model")
        assert (event.skill_name, event.subagent_type, event.command_name) == ("", "", "")
        assert event.is_builtin is False

    @pytest.mark.parametrize("name", ["mcp__ide__x", "mcp__", "mcp__plugin_a_b__c__d"])
    def test_an_mcp_call(self, name: str):
        event = event_of(call(name, {"skill": "x", "subagent_type": "y"}))
        assert (event.event_type, event.tool_name) == ("mcp_call", name)
        assert (event.skill_name, event.subagent_type) == ("", "")

    @pytest.mark.parametrize("name", ["Task", "Agent"])
    @pytest.mark.parametrize(
        ("tool_input", "subagent_type"),
        [
            ({"subagent_type": "Explore"}, "Explore"),
            ({"subagent_type": " a:b "}, "a:b"),
            ({"subagent_type": "/x"}, "/x"),
            ({"subagent_type": ""}, "general-purpose"),
            ({"subagent_type": 7}, "general-purpose"),
            ({}, "general-purpose"),
            (None, "general-purpose"),
            ("text", "general-purpose"),
        ],
    )
    def test_a_subagent(self, name: str, tool_input: Any, subagent_type: str):
        event = event_of(call(name, tool_input))
        assert (event.event_type, event.tool_name) == ("subagent", name)
        assert event.subagent_type == subagent_type

    @pytest.mark.parametrize("name", ["TaskCreate", "TaskOutput", "agent", "Workflow", "xmcp__a", "MCP__a"])
    def test_names_that_only_look_alike_are_plain_tools(self, name: str):
        assert event_of(call(name, {"subagent_type": "x"})).event_type == "tool_use"

    @pytest.mark.parametrize(
        ("tool_input", "skill_name"),
        [
            ({"skill": "toolbox:review", "args": "x"}, "toolbox:review"),
            ({"skill": "/review"}, "review"),
            ({"command": "review"}, "review"),
            ({"name": "review"}, "review"),
            ({"skill": "", "command": " / ", "name": "review"}, "review"),
            ({"skill": 7, "command": "b", "name": "c"}, "b"),
            ({"skill": "a", "command": "b"}, "a"),
            ({}, ""),
            (None, ""),
            (["review"], ""),
        ],
    )
    def test_a_skill_call(self, tool_input: Any, skill_name: str):
        event = event_of(call("Skill", tool_input))
        assert (event.event_type, event.tool_name, event.skill_name) == ("tool_use", "Skill", skill_name)

    @pytest.mark.parametrize(
        ("tool_input", "command_name"),
        [
            ({"command": "/review --fast now"}, "review"),
            ({"command": "  review\tnow"}, "review"),
            ({"command": "/"}, ""),
            ({"command": ""}, ""),
            ({"command": ["review"]}, ""),
            ({"name": "review"}, ""),
            (None, ""),
        ],
    )
    def test_a_slash_command_call(self, tool_input: Any, command_name: str):
        event = event_of(call("SlashCommand", tool_input))
        assert (event.event_type, event.tool_name) == ("tool_use", "SlashCommand")
        assert (event.command_name, event.skill_name) == (command_name, "")

    @pytest.mark.parametrize("name", [None, 7, "", " "])
    def test_a_call_without_a_name_counts(self, name: object):
        figures = figures_of(call(name))  # type: ignore[arg-type]
        assert (figures.tool_calls, figures.distinct_tools) == (1, 0)

    def test_what_else_looks_like_a_call_is_none(self):
        block = {"type": "tool_use", "id": "t1", "name": "Bash"}
        progress = line("progress", data={"type": "agent_progress", "message": assistant_line(block)})
        assert (
            events_of(
                assistant_line(), user_line([block]), line("system", message={"content": [block]}), progress
            )
            == []
        )

    def test_server_tools_are_counted_apart(self):
        figures = figures_of(
            assistant_line([{"type": "server_tool_use", "id": "t", "name": "web_search"}] * 2)
        )
        assert (figures.server_tool_calls, figures.events) == (2, 0)

    def test_the_record_fills_the_rest(self):
        event = event_of(
            assistant_line(
                tool_use("Bash"), model="m", uuid="u", parentUuid="p", cwd="/a", gitBranch="b", version="3"
            )
        )
        assert (event.uuid, event.parent_uuid, event.model) == ("u", "p", "m")
        assert (event.cwd, event.git_branch, event.version) == ("/a", "b", "3")

    def test_it_takes_them_from_each_record(self):
        lines = [assistant_line(tool_use("Bash"), cwd=cwd, model=cwd) for cwd in ("/a", "/b")]
        assert [(event.cwd, event.model) for event in events_of(*lines)] == [("/a", "/a"), ("/b", "/b")]

    def test_what_is_odd_is_empty(self):
        event = event_of(assistant_line(tool_use("Bash\0"), model=7, cwd=[], gitBranch={}, version=1.5))  # type: ignore[arg-type]
        assert (event.tool_name, event.model, event.cwd) == ("Bash\ufffd", "", "")
        assert (event.git_branch, event.version) == ("", "")


class TestIdentities:
    def test_it_is_the_id_of_the_block(self):
        assert event_of(assistant_line(tool_use("Bash", "toolu_7"))).identity == "toolu_7"

    @pytest.mark.parametrize("id_", ["", None, 7, ["x"]])
    def test_else_uuid_and_place_in_the_content(self, id_: object):
        blocks = [{"type": "text", "text": "x"}, None, "x", {"type": "tool_use", "id": id_, "name": "Bash"}]
        assert event_of(assistant_line(blocks, uuid="u")).identity == "u:3"

    def test_the_same_id_counts_once(self):
        lines = [assistant_line(tool_use(name, "t")) for name in ("Bash", "Read")]
        assert [event.tool_name for event in events_of(*lines)] == ["Bash"]

    def test_two_calls_of_one_record_are_two(self):
        assert len(events_of(assistant_line([tool_use("Bash"), tool_use("Bash")]))) == 2

    def test_a_surrogate_is_part_of_it(self):
        ids = ("t\ud800", "t\ud801", "t\ufffd")
        lines = [json.dumps(assistant_line(tool_use("Bash", id_))) for id_ in ids]
        assert [event.identity for event in events_of(*lines)] == [*ids]
        assert len({digest([event]) for event in events_of(*lines)}) == len(ids)

    def test_that_of_a_command_is_the_uuid_of_its_line(self):
        assert event_of(command_line("clear", uuid="u")).identity == "u"

    def test_a_record_counts_once(self):
        record = assistant_line(tool_use("Bash", ""), uuid="u")
        again = assistant_line([tool_use("Read", "t")], uuid="u")
        prompt = user_line(uuid="p")
        figures = figures_of(record, again, record, prompt, prompt)
        assert (figures.events, figures.assistant_messages, figures.human_prompts) == (1, 1, 1)
        assert figures.lines == 5

    @pytest.mark.parametrize("changes", [{"uuid": ""}, {"uuid": 7}, {"sessionId": ""}, {"sessionId": None}])
    def test_a_record_without_its_ids_is_ignored(self, changes: dict[str, Any]):
        figures = figures_of(user_line(), assistant_line(tool_use("Bash")) | changes, user_line() | changes)
        assert (figures.events, figures.assistant_messages, figures.human_prompts) == (0, 0, 1)

    @pytest.mark.parametrize("type_", ["summary", "progress", "queue-operation", "new", "", None, 7])
    def test_a_record_of_another_type_is_ignored(self, type_: object):
        figures = figures_of(user_line(), user_line("x") | {"type": type_})
        assert (figures.human_prompts, figures.lines, figures.malformed_lines) == (1, 2, 0)


class TestTimes:
    def times_of(self, *lines: Line | bytes) -> list[str]:
        return [iso_ms(event.occurred_ms)[11:-1] for event in events_of(*lines)]

    def call_at(self, seconds: float | None) -> Line:
        return assistant_line(tool_use("Bash")) | {"timestamp": None if seconds is None else moment(seconds)}

    def test_it_is_that_of_the_record(self):
        assert self.times_of(self.call_at(1.5), self.call_at(1)) == ["10:00:01.500", "10:00:01.000"]

    @pytest.mark.parametrize("timestamp", [None, "", "now", 7, "0001-01-01T00:00:00Z", [moment(9)]])
    def test_else_of_the_nearest_earlier_record(self, timestamp: object):
        odd = self.call_at(9) | {"timestamp": timestamp}
        assert self.times_of(user_line(timestamp=moment(1)), odd, self.call_at(2))[0] == "10:00:01.000"

    def test_earlier_means_in_the_file(self):
        assert self.times_of(self.call_at(5), self.call_at(3), self.call_at(None))[2] == "10:00:03.000"

    @pytest.mark.parametrize(
        "record", [{"type": "summary", "timestamp": moment(4)}, line("new", timestamp=moment(4))]
    )
    def test_a_record_of_any_type_gives_it(self, record: Line):
        assert self.times_of(self.call_at(1), record, self.call_at(None))[1] == "10:00:04.000"

    def test_else_of_the_nearest_later_one(self):
        untimed = [self.call_at(None), command_line("x") | {"timestamp": None}]
        # Commands stand after calls.
        expected = ["10:00:05.000", "10:00:05.000", "10:00:06.000", "10:00:05.000"]
        assert self.times_of(*untimed, self.call_at(5), self.call_at(6)) == expected

    def test_a_copy_gives_it_too(self):
        record = user_line(uuid="u", timestamp=moment(1))
        assert self.times_of(record, self.call_at(2), record, self.call_at(None))[1] == "10:00:01.000"

    def test_else_it_is_unknown(self):
        assert event_of(self.call_at(None)).occurred_ms is None
        (message,) = messages_of(self.call_at(None))
        assert message.occurred_ms is None

    def test_no_other_part_gives_it(self):
        events = extraction_of_parts([self.call_at(1)], [self.call_at(None)], [self.call_at(3)]).events
        assert [event.occurred_ms for event in events] == [at(1), None, at(3)]

    def test_a_message_has_the_time_of_its_first_record(self):
        lines = [assistant_line(message_id="m", timestamp=moment(second)) for second in (3, 1, 7)]
        assert [message.occurred_ms for message in messages_of(*lines)] == [at(3)]
        assert [message.occurred_ms for message in messages_of(self.call_at(None), user_line())] == [at(0)]


class TestCommands:
    def test_a_command_of_the_user_interface(self):
        event = event_of(command_line("clear"))
        assert (event.event_type, event.command_name, event.invoked_by) == ("slash_command", "clear", "human")
        assert (event.is_builtin, event.is_error, event.error_kind) == (True, False, "none")
        assert (event.tool_name, event.skill_name, event.model) == ("", "", "")
        assert figures_of(command_line("clear")).human_prompts == 0

    def test_an_expanded_command_is_a_prompt(self):
        command = command_line("review")
        event = event_of(command, expansion(command))
        assert (event.is_builtin, event.skill_name) == (False, "")
        figures = figures_of(command, expansion(command))
        assert (figures.human_prompts, figures.slash_commands, figures.builtin_commands) == (1, 1, 0)

    @pytest.mark.parametrize(("between", "expanded"), [(0, True), (1, True), (2, True), (3, False)])
    def test_by_one_of_the_next_three_records(self, between: int, expanded: bool):
        command = command_line("review")
        event = event_of(command, *[{"type": "new"}] * between, expansion(command))
        assert event.is_builtin is not expanded

    def test_records_are_counted_and_not_lines(self):
        command = command_line("review")
        two_on_a_line = b'{"type":"new"}{"type":"new"}'
        assert not event_of(command, b"", two_on_a_line, b"oops", expansion(command)).is_builtin
        assert event_of(command, two_on_a_line, {"type": "new"}, expansion(command)).is_builtin

    def test_a_copy_expands_it_too(self):
        command = command_line("review", uuid="c")
        copied = expansion(command)
        lines = [copied, command, copied]
        assert not event_of(*lines).is_builtin

    def test_another_file_does_not(self):
        command = command_line("review")
        (event,) = extraction_of_parts([command], [expansion(command)]).events
        assert event.is_builtin

    @pytest.mark.parametrize(
        "changes",
        [
            {"isMeta": False},
            {"isMeta": "true"},
            {"parentUuid": "other"},
            {"parentUuid": None},
            {"type": "assistant"},
            {"type": "system"},
        ],
    )
    def test_only_an_injected_record_below_it_does(self, changes: dict[str, Any]):
        command = command_line("review", uuid="c")
        other = {key: value for key, value in expansion(command).items() if key != "message"} | changes
        assert event_of(command, other).is_builtin

    def test_uuids_are_compared_whole(self):
        command = command_line("review", uuid="c" * 300)
        other = expansion(command) | {"parentUuid": "c" * 301}
        assert event_of(command, other).is_builtin

    def test_two_expansions_are_one_prompt(self):
        command = command_line("review")
        figures = figures_of(command, expansion(command), expansion(command, BODY))
        assert (figures.human_prompts, figures.skill_invocations) == (1, 1)

    def test_each_command_has_its_own(self):
        first, second = command_line("a"), command_line("b")
        events = events_of(first, second, expansion(second), expansion(first, BODY))
        assert [(event.is_builtin, event.skill_name) for event in events] == [(False, "a"), (False, "")]

    @pytest.mark.parametrize(
        ("text", "skill_name"), [(BODY, "review"), (f"\n {BODY}", "review"), (f"x {BODY}", "")]
    )
    def test_with_a_skill_body_it_is_a_skill(self, text: str, skill_name: str):
        command = command_line("review")
        event = event_of(command, expansion(command, text))
        assert (event.command_name, event.skill_name) == ("review", skill_name)
        assert figures_of(command, expansion(command, text)).skill_invocations == bool(skill_name)

    @pytest.mark.parametrize("fields", [{"entrypoint": "sdk-cli"}, {"promptSource": "sdk"}])
    def test_that_of_a_program_is_a_programmatic_prompt(self, fields: dict[str, Any]):
        command = command_line("review", **fields)
        figures = figures_of(command, expansion(command))
        assert (figures.human_prompts, figures.programmatic_prompts) == (0, 1)
        figures = figures_of(command)
        assert (figures.programmatic_prompts, figures.builtin_commands) == (0, 1)

    def test_without_a_name_it_is_nothing(self):
        command = user_line("<command-message>x</command-message>")
        figures = figures_of(command, expansion(command))
        assert (figures.slash_commands, figures.human_prompts) == (0, 0)

    def test_what_is_no_command_expands_to_nothing(self):
        prompt = user_line("Explain <command-name>/x</command-name>")
        figures = figures_of(prompt, expansion(prompt, BODY))
        assert (figures.slash_commands, figures.human_prompts, figures.skill_invocations) == (0, 1, 0)

    def test_a_subagent_has_none(self):
        assert events_of(command_line("x"), agent_id="a") == []
        assert events_of(command_line("x", isSidechain=True)) == []


class TestLocalCommands:
    TEXT = "<command-name>/mcp</command-name>\n<command-message>mcp</command-message>"

    def local(self, content: Any = TEXT, **fields: Any) -> Line:
        return line("system", content=content, **({"subtype": "local_command"} | fields))

    def test_one_is_a_builtin_command(self):
        event = event_of(self.local(uuid="u"))
        assert (event.identity, event.event_type, event.command_name) == ("u", "slash_command", "mcp")
        assert (event.is_builtin, event.is_error) == (True, False)

    def test_even_where_it_seems_expanded(self):
        command = self.local()
        assert event_of(command, expansion(command, BODY)).is_builtin

    @pytest.mark.parametrize("content", ["<local-command-stdout>x", f"x {TEXT}", None, [TEXT], ""])
    def test_other_contents_are_none(self, content: object):
        assert events_of(self.local(content)) == []

    def test_other_records_are_none(self):
        assert events_of(self.local(subtype="other"), self.local(isSidechain=True)) == []
        assert events_of(self.local(), agent_id="a") == []


class TestAnswers:
    CALL = assistant_line(tool_use("Bash", "t"))

    def answered(self, *lines: Line) -> tuple[bool | None, str]:
        event = event_of(*lines)
        return event.is_error, event.error_kind

    def test_without_a_result_it_is_unknown(self):
        assert self.answered(self.CALL) == (None, "none")
        assert self.answered(self.CALL, user_line(tool_result("other"))) == (None, "none")
        assert self.answered(self.CALL, user_line(tool_result(""))) == (None, "none")
        assert figures_of(self.CALL).unanswered == 1

    @pytest.mark.parametrize("value", [False, None, "true", 1])
    def test_only_true_is_an_error(self, value: object):
        block = tool_result("t", "Exit code 1") | {"is_error": value}
        assert self.answered(self.CALL, user_line(block)) == (False, "none")

    def test_an_error_has_a_kind(self):
        failed = user_line(tool_result("t", "Exit code 1", is_error=True))
        assert self.answered(self.CALL, failed) == (True, "exit_code")

    def test_the_order_of_results_is_arbitrary(self):
        calls = [assistant_line(tool_use("Bash", id_)) for id_ in "ab"]
        results = [user_line(tool_result("b", is_error=True)), user_line(tool_result("a"))]
        assert [event.is_error for event in events_of(*calls, *results)] == [False, True]

    def test_a_result_may_come_before_its_call(self):
        failed = user_line(tool_result("t", "Exit code 1", is_error=True))
        assert self.answered(failed, self.CALL) == (True, "exit_code")

    def test_the_first_result_counts(self):
        good, bad = user_line(tool_result("t")), user_line(tool_result("t", is_error=True))
        for lines, is_error in (
            ([self.CALL, good, bad], False),
            ([self.CALL, bad, good], True),
            ([good, bad, self.CALL], False),
            ([bad, self.CALL, good], True),
        ):
            assert event_of(*lines).is_error is is_error

    def test_a_user_record_may_hold_several(self):
        calls = assistant_line([tool_use("Bash", "a"), tool_use("Bash", "b")])
        both = user_line(
            [tool_result("a"), "text", tool_result("b", is_error=True), tool_result("a", is_error=True)]
        )
        assert [event.is_error for event in events_of(calls, both)] == [False, True]

    def test_only_user_records_answer(self):
        block = tool_result("t", is_error=True)
        assert self.answered(self.CALL, assistant_line(block)) == (None, "none")
        assert self.answered(self.CALL, line("system", message={"content": [block]})) == (None, "none")

    def test_a_subagents_and_a_sidechains_calls_are_answered_too(self):
        result = user_line(tool_result("t"), isSidechain=True)
        assert event_of(self.CALL, result, agent_id="a").is_error is False

    def test_a_result_in_the_second_part_answers_a_call_of_the_first(self):
        (event,) = extraction_of_parts([self.CALL], [user_line(tool_result("t"))]).events
        assert event.is_error is False

    def test_a_repeated_record_answers_nothing(self):
        first = user_line("x", uuid="u")
        assert self.answered(first, self.CALL, user_line(tool_result("t"), uuid="u")) == (None, "none")

    def test_results_without_a_call_are_ignored(self):
        figures = figures_of(user_line(tool_result("t", is_error=True)))
        assert (figures.events, figures.tool_errors, figures.human_prompts) == (0, 0, 0)

    @pytest.mark.parametrize("deep", [256, 950, 960, 970, 980, 985, 990, 1000, 100_000])
    @pytest.mark.parametrize("odd", [b"", b'"\xff",', b'"\\ud800",', b"9" * 5000 + b","])
    def test_odd_content_of_a_result_stops_nothing(self, deep: int, odd: bytes):
        content = b"[" + odd + b"[" * deep + b"]" * deep + b"]"
        record = json.dumps(user_line(tool_result("t", "CONTENT", is_error=True))).encode()
        figures = figures_of(self.CALL, record.replace(b'"CONTENT"', content), user_line("next"))
        assert figures.human_prompts == 1
        if deep == 256:
            assert figures.tool_errors == 1


class TestEvidence:
    CACHED = "Base directory for this skill: {}/plugins/cache/market/toolbox/1.2.0/skills/review\nDo it."

    @pytest.mark.parametrize("home", ["/home/x/.claude", "C:/Users/x/.claude"])
    def test_the_body_of_a_commands_skill_tells_the_plugin(self, home: str):
        command = command_line("review")
        event = event_of(command, expansion(command, self.CACHED.format(home)))
        assert event.evidence == Evidence("market", "toolbox", "1.2.0")

    def test_that_of_a_skill_call_as_well(self):
        body = user_line(self.CACHED.format("/h"), isMeta=True, sourceToolUseID="t1")
        event = event_of(call("Skill", {"skill": "review"}), user_line(tool_result("t1")), body)
        assert event.evidence == Evidence("market", "toolbox", "1.2.0")

    @pytest.mark.parametrize(
        "text",
        ["Base directory for this skill: /srv/kit/skills/review\nDo it.", "Do it.\n" + CACHED.format("/h")],
    )
    def test_other_paths_and_other_lines_tell_nothing(self, text: str):
        command = command_line("review")
        assert event_of(command, expansion(command, text)).evidence is None

    @pytest.mark.parametrize("text", [BODY, BODY + "\n" + CACHED.format("/h")])
    def test_a_skill_of_ones_own_is_of_no_plugin(self, text: str):
        command = command_line("review")
        assert event_of(command, expansion(command, text)).evidence == OF_NO_PLUGIN

    def test_windows_paths_are_read(self):
        command = command_line("review")
        text = self.CACHED.format("C:/x").replace("/", "\\")
        assert event_of(command, expansion(command, text)).evidence == Evidence("market", "toolbox", "1.2.0")


def usage(output: Any, input_: Any = 1, write: Any = 1, read: Any = 1) -> dict[str, Any]:
    return {
        "input_tokens": input_,
        "output_tokens": output,
        "cache_creation_input_tokens": write,
        "cache_read_input_tokens": read,
    }


class TestMessages:
    def tokens_of(self, *lines: Line) -> list[tuple[int, int, int, int]]:
        return [
            (m.output_tokens, m.input_tokens, m.cache_creation_tokens, m.cache_read_tokens)
            for m in messages_of(*lines)
        ]

    def piece(self, usage_: dict[str, Any] | None, model: Any = "m", **fields: Any) -> Line:
        record = assistant_line(message_id="msg", model=model, **fields)
        record["message"]["usage"] = usage_
        return record

    def test_the_record_with_most_output_gives_all_four(self):
        pieces = [
            self.piece(usage(1, 900, 900, 900)),
            self.piece(usage(50, 4, 5, 6)),
            self.piece(usage(2, 90)),
        ]
        assert self.tokens_of(*pieces) == [(50, 4, 5, 6)]

    def test_of_two_the_later(self):
        assert self.tokens_of(self.piece(usage(5, 10)), self.piece(usage(5, 3))) == [(5, 3, 1, 1)]
        assert self.tokens_of(self.piece(None), self.piece(usage(0, 3))) == [(0, 3, 1, 1)]
        assert self.tokens_of(self.piece(usage(0, 3)), self.piece(None)) == [(0, 0, 0, 0)]

    def test_that_record_gives_the_model_too(self):
        pieces = [self.piece(usage(5), "a"), self.piece(usage(9), "b"), self.piece(usage(1), "c")]
        assert [message.model for message in messages_of(*pieces)] == ["b"]

    def test_request_and_stop_reason_play_no_part(self):
        pieces = [self.piece(usage(5, n), requestId=f"req_{n}") for n in (1, 2)]
        pieces[0]["message"]["stop_reason"] = "end_turn"
        assert self.tokens_of(*pieces) == [(5, 2, 1, 1)]

    @pytest.mark.parametrize("id_", ["", None, 7, []])
    def test_without_an_id_each_record_is_a_message(self, id_: object):
        lines = [assistant_line(), assistant_line()]
        for record in lines:
            record["message"]["id"] = id_
        assert [message.key for message in messages_of(*lines)] == [record["uuid"] for record in lines]

    @pytest.mark.parametrize("value", [None, -1, 10**12 + 1, 10**4000, 1.5, "7", True, [7]])
    def test_what_is_no_token_count_is_zero(self, value: object):
        assert self.tokens_of(self.piece(usage(3, value, value, value))) == [(3, 0, 0, 0)]
        assert self.tokens_of(self.piece(usage(value, 7))) == [(0, 7, 1, 1)]

    def test_only_the_top_level_of_usage_counts(self):
        nested = {"output_tokens": 3, "iterations": [usage(9)], "cache_creation": usage(9)}
        assert self.tokens_of(self.piece(nested)) == [(3, 0, 0, 0)]

    def test_a_synthetic_message_is_none(self):
        synthetic = self.piece(usage(9), "<synthetic>")
        figures = figures_of(synthetic, assistant_line(tool_use("Bash"), model=" <synthetic> "))
        assert (figures.assistant_messages, figures.output_tokens, figures.primary_model) == (0, 0, "")
        assert figures.tool_calls == 1

    @pytest.mark.parametrize("message", [None, "text", 7, ["x"]])
    def test_a_message_is_an_object(self, message: object):
        assert figures_of(assistant_line() | {"message": message}).assistant_messages == 0

    def test_an_empty_object_is_one(self):
        figures = figures_of(assistant_line() | {"message": {}})
        assert (figures.assistant_messages, figures.primary_model) == (1, "")

    def test_only_assistant_records_are_pieces(self):
        assert messages_of(user_line() | {"message": assistant_line()["message"]}) == []

    def test_it_knows_the_skill_whose_turn_it_was(self):
        pieces = [self.piece(usage(1)), self.piece(usage(2), attributionSkill="/review")]
        assert [message.skill_name for message in messages_of(*pieces)] == ["review"]

    @pytest.mark.parametrize(
        ("counts", "primary"),
        [
            ({"b": 2, "a": 1}, "b"),
            ({"b": 1, "a": 1}, "a"),
            ({"b": 1, "B": 1}, "B"),
            ({"": 5, "z": 1}, "z"),
            ({"": 5}, ""),
            ({}, ""),
        ],
    )
    def test_the_primary_model_has_most_messages(self, counts: dict[str, int], primary: str):
        lines = [assistant_line(model=model) for model, count in counts.items() for _ in range(count)]
        assert figures_of(user_line(), *lines).primary_model == primary

    def test_records_of_one_message_are_one_vote(self):
        pieces = [self.piece(usage(n), "a") for n in range(5)]
        others = [assistant_line(model="b"), assistant_line(model="b")]
        assert figures_of(*pieces, *others).primary_model == "b"


class TestFigures:
    def test_the_kinds_of_errors(self):
        contents = {
            "a": "Exit code 1",
            "b": "<tool_use_error>x",
            "c": "x",
            "d": "Permission to use Bash",
            "e": "<tool_use_error>Cancelled",
        }
        calls = [assistant_line(tool_use("Bash", id_)) for id_ in [*contents, "f", "g"]]
        results = [user_line(tool_result(id_, text, is_error=True)) for id_, text in contents.items()]
        figures = figures_of(*calls, *results, user_line(tool_result("f")))
        assert (figures.tool_calls, figures.tool_errors, figures.rejections) == (7, 3, 1)
        assert (figures.cancelled, figures.unanswered) == (1, 1)

    def test_the_types_of_events(self):
        command = command_line("review")
        tools = [tool_use(name) for name in ("Bash", "Bash", "mcp__a__b", "Agent", "Task", "Skill")]
        figures = figures_of(command, expansion(command), command_line("clear"), assistant_line(tools))
        assert (figures.events, figures.tool_calls, figures.distinct_tools) == (8, 6, 5)
        assert (figures.mcp_calls, figures.subagent_dispatches) == (1, 2)
        assert (figures.slash_commands, figures.builtin_commands) == (2, 1)

    def test_skill_invocations_were_answered_and_not_failed(self):
        calls = assistant_line([tool_use("Skill", id_, skill="review") for id_ in ("good", "bad", "open")])
        results = user_line([tool_result("good"), tool_result("bad", is_error=True)])
        command = command_line("review")
        other = command_line("other")
        figures = figures_of(calls, results, command, expansion(command, BODY), other, expansion(other, BODY))
        assert (figures.skill_invocations, figures.distinct_skills, figures.tool_calls) == (3, 2, 3)

    def test_a_skill_call_without_a_name_is_no_invocation(self):
        figures = figures_of(assistant_line(tool_use("Skill", "t")), user_line(tool_result("t")))
        assert (figures.skill_invocations, figures.distinct_skills) == (0, 0)

    def test_prompts(self):
        figures = figures_of(
            user_line("typed"),
            user_line([{"type": "image"}]),
            line("attachment", attachment=STEERING),
            user_line("x", entrypoint="sdk-py"),
            line("attachment", attachment=STEERING, entrypoint="sdk-cli"),
            line("queue-operation", operation="enqueue", content="x"),
            user_line("[Request interrupted by user]"),
            user_line("[Request interrupted by user for tool use]"),
            user_line("<local-command-stdout>x"),
        )
        assert (figures.human_prompts, figures.programmatic_prompts, figures.interruptions) == (3, 2, 2)

    def test_a_programs_source_does_not_make_steering_programmatic(self):
        steering = line("attachment", attachment=STEERING, promptSource="sdk")
        assert figures_of(user_line(), steering).human_prompts == 2

    @pytest.mark.parametrize("where", ["agent", "sidechain"])
    def test_a_subagent_has_no_prompts_and_no_active_time(self, where: str):
        sidechain = where == "sidechain"
        lines: list[Any] = [
            user_line("x", isSidechain=sidechain),
            line("attachment", attachment=STEERING, isSidechain=sidechain),
            user_line("[Request interrupted by user]", isSidechain=sidechain),
            assistant_line(tool_use("Bash"), isSidechain=sidechain, timestamp=moment(9)),
        ]
        figures = figures_of(*lines, agent_id="" if sidechain else "a")
        assert (figures.human_prompts, figures.interruptions, figures.active_ms) == (0, 0, 0)
        assert (figures.tool_calls, figures.assistant_messages, figures.wall_ms) == (1, 1, 9000)

    def test_system_records(self):
        boundaries = [line("system", subtype="compact_boundary")] * 2
        figures = figures_of(
            user_line(),
            *boundaries,
            line("system", subtype="compact_boundary"),
            line("system", subtype="microcompact_boundary"),
            line("system", subtype="api_error"),
            line("attachment", subtype="api_error"),
        )
        assert (figures.compactions, figures.api_retries, figures.api_errors) == (2, 1, 0)

    def test_api_errors(self):
        flags = [True, True, False, "true", None]
        lines = [assistant_line(model="<synthetic>", isApiErrorMessage=flag) for flag in flags]
        figures = figures_of(*lines, user_line(isApiErrorMessage=True))
        assert (figures.api_errors, figures.assistant_messages) == (2, 0)

    def test_lines_and_malformed_lines(self):
        figures = figures_of(user_line(), b"", b"oops", b"{}{}", b'{"type":"new"}')
        assert (figures.lines, figures.malformed_lines) == (4, 1)

    def test_lines_of_parts_are_added(self):
        figures = extraction_of_parts([user_line(), b"oops"], [user_line()]).figures
        assert (figures.lines, figures.malformed_lines) == (3, 1)

    def test_cwd_and_version_are_the_first_there_are(self):
        figures = figures_of(
            user_line(cwd=None, version=7), user_line(cwd="/a", version="1"), user_line(cwd="/b", version="2")
        )
        assert (figures.cwd, figures.version) == ("/a", "1")


class TestDurations:
    def seconds_of(self, *lines: Line) -> tuple[float, float]:
        figures = figures_of(*lines)
        return figures.wall_ms / 1000, figures.active_ms / 1000

    def test_a_gap_counts_up_to_five_minutes(self):
        lines = [user_line(timestamp=moment(second)) for second in (0, 10, 310.001, 1000)]
        assert self.seconds_of(*lines) == (1000, 10 + 300 + 300)
        assert self.seconds_of(*lines[:2]) == (10, 10)
        assert self.seconds_of(lines[0]) == (0, 0)

    def test_the_order_of_the_file_is_not_that_of_time(self):
        assert self.seconds_of(*[user_line(timestamp=moment(s)) for s in (20, 0, 10)]) == (20, 20)

    def test_it_is_exact_to_the_millisecond(self):
        assert self.seconds_of(user_line(timestamp=moment(0)), assistant_line(timestamp=moment(0.001))) == (
            0.001,
            0.001,
        )

    def test_other_records_are_no_activity(self):
        others = [line(type_, timestamp=moment(50)) for type_ in ("system", "attachment", "progress")]
        assert self.seconds_of(user_line(), *others, assistant_line(timestamp=moment(9))) == (9, 9)

    def test_records_without_a_time_of_their_own_are_not(self):
        late = line("system", timestamp=moment(99))
        assert self.seconds_of(user_line(), late, user_line() | {"timestamp": None}) == (0, 0)

    def test_a_sidechain_is_wall_time_only(self):
        assert self.seconds_of(user_line(), user_line(isSidechain=True, timestamp=moment(9))) == (9, 0)

    def test_without_times_there_are_none(self):
        figures = figures_of(user_line() | {"timestamp": None})
        assert (figures.started_ms, figures.ended_ms, figures.wall_ms, figures.active_ms) == (
            None,
            None,
            0,
            0,
        )


class TestParts:
    def test_of_a_repeated_record_the_first_stays(self):
        record = assistant_line(tool_use("Bash", "t"), uuid="u")
        other = assistant_line(tool_use("Read", "r"), uuid="u")
        extraction = extraction_of_parts([record, user_line()], [other, record, user_line()])
        assert [event.identity for event in extraction.events] == ["t"]
        assert (extraction.figures.human_prompts, extraction.figures.assistant_messages) == (2, 1)

    def test_a_message_may_go_on_in_the_next_part(self):
        pieces = [assistant_line(message_id="m", usage=usage(n)) for n in (1, 9)]
        (message,) = extraction_of_parts([pieces[0]], [pieces[1]]).messages
        assert message.output_tokens == 9


class TestDigest:
    def test_it_is_that_of_the_sorted_lines(self):
        lines = [
            assistant_line(tool_use("Bash", "b")),
            user_line(tool_result("b", "Exit code 1", is_error=True)),
            command_line("clear", uuid="a"),
            assistant_line(tool_use("Read", "c")),
        ]
        events = events_of(*lines)
        assert [event.digest_line for event in sorted(events, key=lambda event: event.identity)] == [
            "a\tslash_command\tclear\tnone\t2026-05-01T10:00:00.000Z",
            "b\ttool_use\tBash\texit_code\t2026-05-01T10:00:00.000Z",
            "c\ttool_use\tRead\tnone\t2026-05-01T10:00:00.000Z",
        ]
        assert digest(events) == digest(reversed(events))

    def test_without_a_time_it_has_a_dash(self):
        event: Event = event_of(assistant_line(tool_use("Bash", "b")) | {"timestamp": None})
        assert event.digest_line.endswith("\tnone\t-")


class TestAnything:
    @given(st.lists(LINES, max_size=8), st.sampled_from(["", "a"]))
    def test_no_lines_at_all_stop_it(self, lines: list[Line], agent_id: str):
        content = transcript_bytes(json.dumps(fields) for fields in lines)
        extraction = extract([[content]], agent_id=agent_id)
        figures = extraction.figures
        assert (figures.lines, figures.malformed_lines) == (len(lines), 0)
        assert figures.events == len(extraction.events)
        digest(extraction.events)
        verify([[content]], received_ms=0)
        try:
            scan([content])
        except NotATranscript:
            assert figures.assistant_messages == figures.human_prompts == 0

    @given(st.lists(LINES, max_size=8))
    def test_repeating_a_file_changes_only_its_lines(self, lines: list[Line]):
        content = transcript_bytes(json.dumps(fields) for fields in lines)
        once, twice = extract([[content]]), extract([[content], [content]])
        assert list(twice.events) == list(once.events)
        assert list(twice.messages) == list(once.messages)
        twice.figures.lines = once.figures.lines
        assert twice.figures == once.figures

"""Whose is it: from planted attribution rows to the source and item of events and messages."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from telemetry.attribution.lookup import (
    BUILTIN,
    Item,
    Lookup,
    lookup_of_event,
    lookup_of_skill,
    mcp_prefixes,
    resolve,
)
from telemetry.intake.storing import store_transcript
from telemetry.models import (
    AgentAttribution,
    Attribution,
    CommandAttribution,
    McpServerAttribution,
    SkillAttribution,
    UsageEvent,
    UsageMessage,
)
from telemetry.processors.runner import run
from telemetry.tests.builders import (
    Line,
    assistant_line,
    command_line,
    tool_result,
    tool_use,
    transcript_bytes,
    user_line,
)
from telemetry.transcripts.extracting import extract
from telemetry.transcripts.figures import Event, Evidence

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def plant(
    table: type[Attribution], identifier: str, ref_id: str, source: str = "curated", **fields: Any
) -> None:
    """One row, as a marketplace writes it."""
    values = {"component_kind": "skill", "canonical_name": identifier, **fields}
    table._default_manager.create(identifier=identifier, source=source, ref_id=ref_id, **values)


def events_of(*lines: Line) -> list[Event]:
    return list(extract([[transcript_bytes(lines)]]).events)


def item_of(*lines: Line) -> Item:
    """The item of the first event of these lines."""
    return resolve([lookup_of_event(event) for event in events_of(*lines)])[0]


def owner_of(*lines: Line) -> str | None:
    return item_of(*lines).ref_id


def skill_call(name: str, *, answer: dict[str, Any] | None = None, body: str | None = None) -> list[Line]:
    """A Skill call that went well, unless an answer is given."""
    lines = [assistant_line(tool_use("Skill", "t", skill=name)), user_line(tool_result("t") | (answer or {}))]
    if body:
        lines.append(body_line(base_directory(body)))
    return lines


def command(name: str, *, body: str = "Do it.") -> list[Line]:
    line = command_line(name)
    return [line, user_line(body, isMeta=True, parentUuid=line["uuid"])]


def body_line(text: str) -> Line:
    """The body of the skill that `skill_call` called."""
    return user_line(text, isMeta=True, sourceToolUseID="t")


def base_directory(item: str) -> str:
    return f"Base directory for this skill: /h/.claude/plugins/cache/{item}/1.0.0/skills/x\n"


class TestOrder:
    def test_what_nobody_has_is_builtin(self):
        plant(SkillAttribution, "other", "acme/toolbox")
        assert item_of(*skill_call("review")) == BUILTIN == Item("builtin")

    def test_it_gives_item_and_component(self):
        plant(SkillAttribution, "toolbox:review", "acme/toolbox", canonical_name="review")
        expected = Item("curated", "acme/toolbox", "skill", "review")
        assert item_of(*skill_call("toolbox:review")) == expected

    def test_an_alias_finds_the_same_component(self):
        for identifier in ("toolbox:review", "review"):
            plant(SkillAttribution, identifier, "acme/toolbox", canonical_name="review")
        assert item_of(*skill_call("review")) == item_of(*skill_call("toolbox:review"))

    def test_names_are_compared_with_their_case(self):
        plant(SkillAttribution, "Review", "acme/toolbox")
        assert item_of(*skill_call("review")) == BUILTIN

    def test_curated_before_flea(self):
        plant(SkillAttribution, "review", "1", "flea")
        plant(SkillAttribution, "review", "zeta/toolbox")
        assert owner_of(*skill_call("review")) == "zeta/toolbox"

    def test_flea_before_builtin(self):
        plant(SkillAttribution, "review", "1", "flea")
        assert item_of(*skill_call("review")).source == "flea"

    def test_of_two_of_a_kind_the_smallest_ref_id(self):
        for ref_id in ("zeta/toolbox", "acme/toolbox", "beta/toolbox"):
            plant(SkillAttribution, "review", ref_id)
        assert owner_of(*skill_call("review")) == "acme/toolbox"

    def test_an_ended_row_still_attributes(self):
        plant(SkillAttribution, "review", "acme/toolbox", valid_to=LONG_AGO)
        assert owner_of(*skill_call("review")) == "acme/toolbox"

    def test_a_current_row_comes_before_an_ended_one(self):
        plant(SkillAttribution, "review", "acme/toolbox", valid_to=LONG_AGO)
        plant(SkillAttribution, "review", "1", "flea")
        assert owner_of(*skill_call("review")) == "1"


class TestTables:
    def test_a_skill_call_looks_in_skills_then_commands(self):
        plant(CommandAttribution, "review", "acme/commands")
        assert owner_of(*skill_call("review")) == "acme/commands"
        plant(SkillAttribution, "review", "acme/skills")
        assert owner_of(*skill_call("review")) == "acme/skills"

    def test_a_slash_command_looks_in_commands_then_skills(self):
        plant(SkillAttribution, "review", "acme/skills")
        assert owner_of(*command("review")) == "acme/skills"
        plant(CommandAttribution, "review", "zeta/commands")
        assert owner_of(*command("review")) == "zeta/commands"

    def test_a_current_row_of_the_second_table_beats_an_ended_one_of_the_first(self):
        plant(SkillAttribution, "review", "acme/toolbox", valid_to=LONG_AGO)
        plant(CommandAttribution, "review", "zeta/commands")
        assert owner_of(*skill_call("review")) == "zeta/commands"

    def test_curated_in_the_second_table_beats_flea_in_the_first(self):
        plant(SkillAttribution, "review", "1", "flea")
        plant(CommandAttribution, "review", "zeta/commands")
        assert owner_of(*skill_call("review")) == "zeta/commands"

    def test_an_agent_looks_in_agents_only(self):
        dispatch = assistant_line(tool_use("Agent", subagent_type="reviewer"))
        plant(SkillAttribution, "reviewer", "acme/skills")
        plant(CommandAttribution, "reviewer", "acme/commands")
        assert item_of(dispatch) == BUILTIN
        plant(AgentAttribution, "reviewer", "acme/agents", component_kind="agent")
        assert item_of(dispatch) == Item("curated", "acme/agents", "agent", "reviewer")

    def test_a_plain_tool_looks_nowhere(self):
        for table in (SkillAttribution, CommandAttribution, AgentAttribution, McpServerAttribution):
            plant(table, "Bash", "acme/toolbox")
        assert item_of(assistant_line(tool_use("Bash", skill="Bash", subagent_type="Bash"))) == BUILTIN

    def test_a_command_called_by_the_model_is_a_plain_tool(self):
        plant(CommandAttribution, "review", "acme/toolbox")
        assert item_of(assistant_line(tool_use("SlashCommand", command="/review"))) == BUILTIN


class TestMcpServers:
    def server_of(self, tool_name: str) -> str | None:
        return owner_of(assistant_line(tool_use(tool_name)))

    def test_the_prefix_decides(self):
        plant(McpServerAttribution, "mcp__plugin_toolbox_tickets__", "acme/toolbox")
        assert self.server_of("mcp__plugin_toolbox_tickets__create") == "acme/toolbox"
        assert self.server_of("mcp__plugin_toolbox_tickets__") == "acme/toolbox"
        assert self.server_of("mcp__plugin_toolbox_tickets") is None
        assert self.server_of("mcp__plugin_toolbox_tickets2__create") is None
        assert self.server_of("mcp__ide__create") is None

    def test_both_parts_may_hold_two_underscores(self):
        plant(McpServerAttribution, "mcp__a__b__", "acme/longer")
        assert self.server_of("mcp__a__b__c__d") == "acme/longer"
        assert self.server_of("mcp__a__c__b__d") is None

    def test_the_longest_wins_even_over_a_curated_one(self):
        plant(McpServerAttribution, "mcp__a__", "acme/shorter")
        plant(McpServerAttribution, "mcp__a__b__", "1", "flea")
        assert self.server_of("mcp__a__b__c") == "1"
        assert self.server_of("mcp__a__c") == "acme/shorter"

    @pytest.mark.parametrize(
        ("tool_name", "prefixes"),
        [
            ("mcp__a__b", ["mcp__a__"]),
            ("mcp__a__b__c", ["mcp__a__b__", "mcp__a__"]),
            ("mcp__a___b", ["mcp__a___", "mcp__a__"]),
            ("mcp__a", []),
            ("mcp__", []),
        ],
    )
    def test_the_prefixes_longest_first(self, tool_name: str, prefixes: list[str]):
        assert list(mcp_prefixes(tool_name)) == prefixes

    @pytest.mark.parametrize("tool_name", ["mcp__", "mcp__a", "mcp____", "mcp_____", "mcp__a'; --__x%s"])
    def test_odd_names_are_builtin(self, tool_name: str):
        assert self.server_of(tool_name) is None

    def test_any_number_of_names_can_be_looked_up(self):
        """More than SQLite takes parameters (some builds take more): a transcript may be hostile."""
        if connection.vendor == "sqlite":
            connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
        plant(McpServerAttribution, "mcp__a__", "acme/toolbox")
        names = [f"mcp__a__{number:05}" + "__" * 120 for number in range(400)]
        items = resolve(
            lookup_of_event(event) for event in events_of(assistant_line([*map(tool_use, names)]))
        )
        assert {item.ref_id for item in items} == {"acme/toolbox"}
        assert len(items) == 400


class TestNamespaces:
    """A component that is not known (removed, or of another version) is its plugin's all the same."""

    @pytest.fixture(autouse=True)
    def only_the_namespace_is_known(self) -> None:
        for table in (SkillAttribution, AgentAttribution):
            plant(table, "toolbox:", "acme/toolbox", component_kind="", canonical_name="")

    @pytest.mark.parametrize(
        "lines",
        [
            skill_call("toolbox:gone"),
            command("toolbox:io:gone"),
            [assistant_line(tool_use("Agent", subagent_type="toolbox:gone"))],
        ],
    )
    def test_it_belongs_to_the_plugin_without_a_component(self, lines: list[Line]):
        assert item_of(*lines) == Item("curated", "acme/toolbox", None, None)

    @pytest.mark.parametrize("name", ["other:gone", "toolbox", ":gone", "toolboxes:gone", "x:toolbox:gone"])
    def test_of_nobody_elses(self, name: str):
        assert item_of(*skill_call(name)) == BUILTIN

    def test_the_item_that_has_the_component_comes_first(self):
        plant(SkillAttribution, "toolbox:gone", "zeta/toolbox")
        assert owner_of(*skill_call("toolbox:gone")) == "zeta/toolbox"

    @pytest.mark.parametrize(
        ("tool_name", "ref_id"),
        [
            ("mcp__plugin_toolbox_gone__create", "acme/toolbox"),
            ("mcp__plugin_toolbox_gone_too__create__it", "acme/toolbox"),
            ("mcp__plugin_toolbox_set_gone__create", "zeta/set"),
            ("mcp__plugin_toolbox_known__create", "beta/known"),
            ("mcp__plugin_toolbox__create", None),
            ("mcp__plugin_toolboxes_gone__create", None),
            ("mcp__toolbox_gone__create", None),
        ],
    )
    def test_of_a_server_by_the_longest_namespace(self, tool_name: str, ref_id: str | None):
        for namespace, owner in (("toolbox", "acme/toolbox"), ("toolbox_set", "zeta/set")):
            name = f"mcp__plugin_{namespace}_"
            plant(McpServerAttribution, name, owner, component_kind="", canonical_name="")
        plant(McpServerAttribution, "mcp__plugin_toolbox_known__", "beta/known")
        item = item_of(assistant_line(tool_use(tool_name)))
        assert item.ref_id == ref_id
        assert (item.component_kind is None) == (ref_id != "beta/known")

    def test_messages_too(self):
        assert resolve([lookup_of_skill("toolbox:gone")])[0].ref_id == "acme/toolbox"


def test_a_command_of_the_user_interface_is_nobodys():
    """It has the short name of a skill, but no expansion follows: the skill did not run."""
    plant(SkillAttribution, "review", "acme/toolbox")
    assert item_of(command_line("review")) == BUILTIN
    assert owner_of(*command("review")) == "acme/toolbox"


class TestEvidence:
    @pytest.fixture(autouse=True)
    def places_are_known(self) -> None:
        """Where the skills of two items lie; the names there are not those of the ref_id."""
        for place, ref_id in (("zeta-market/kit", "zeta/toolbox"), ("acme/toolbox", "acme/toolbox")):
            plant(SkillAttribution, place, ref_id, component_kind="", canonical_name="")

    def test_it_comes_first(self):
        plant(SkillAttribution, "review", "acme/toolbox")
        plant(SkillAttribution, "review", "zeta/toolbox")
        assert owner_of(*skill_call("review", body="zeta-market/kit")) == "zeta/toolbox"
        assert owner_of(*command("review", body=base_directory("zeta-market/kit"))) == "zeta/toolbox"

    def test_even_where_the_row_has_ended_or_stands_in_the_later_table(self):
        plant(SkillAttribution, "review", "acme/toolbox")
        plant(CommandAttribution, "review", "zeta/toolbox", valid_to=LONG_AGO)
        assert owner_of(*skill_call("review", body="zeta-market/kit")) == "zeta/toolbox"

    def test_that_of_an_unknown_plugin_changes_nothing(self):
        plant(SkillAttribution, "review", "acme/toolbox")
        assert owner_of(*skill_call("review", body="unknown/toolbox")) == "acme/toolbox"
        assert item_of(*skill_call("other", body="unknown/toolbox")) == BUILTIN

    def test_the_item_is_credited_even_where_it_does_not_know_the_name(self):
        assert item_of(*skill_call("other", body="acme/toolbox")) == Item("curated", "acme/toolbox")
        plant(SkillAttribution, "other", "zeta/toolbox")
        assert owner_of(*skill_call("other", body="acme/toolbox")) == "acme/toolbox"


class TestSkillsOfNoPlugin:
    """Their bodies lie where a person, a project or Claude Code itself keeps skills."""

    @pytest.fixture(autouse=True)
    def a_plugin_has_such_names(self) -> None:
        plant(SkillAttribution, "review", "acme/toolbox")
        plant(CommandAttribution, "ship", "acme/toolbox")

    @pytest.mark.parametrize(
        "folder",
        [
            "/h/.claude/skills/review",
            "C:\\w\\.claude\\skills\\review",
            "/tmp/claude-1000/bundled-skills/2.1.330/5f/review",
        ],
    )
    def test_they_are_nobodys(self, folder: str):
        body = f"Base directory for this skill: {folder}\n\nReview it."
        assert item_of(*skill_call("review"), body_line(body)) == BUILTIN
        assert item_of(*command("ship", body=body)) == BUILTIN

    @pytest.mark.parametrize("folder", ["/srv/market/kit/skills/review", "/h/.claude/skillset/review"])
    def test_elsewhere_may_be_a_plugin_in_a_local_folder(self, folder: str):
        body = f"Base directory for this skill: {folder}\n"
        assert owner_of(*skill_call("review"), body_line(body)) == "acme/toolbox"

    @pytest.mark.django_db(transaction=True)
    def test_nor_are_the_tokens_of_the_turn(self, bob: User):
        body = body_line("Base directory for this skill: /h/.claude/skills/review\n")
        turn = assistant_line(attributionSkill="review")
        store_transcript(bob, [transcript_bytes([*skill_call("review"), body, turn])])
        assert run("usage").failures == []
        event = UsageEvent.objects.get(skill_name="review")
        assert (event.evidence_marketplace, event.evidence_plugin, event.evidence_version) == (None,) * 3
        assert not UsageMessage.objects.exclude(source="builtin").exists()


class TestCredit:
    @pytest.fixture(autouse=True)
    def everything_is_known(self) -> None:
        plant(SkillAttribution, "review", "acme/toolbox")
        plant(CommandAttribution, "ship", "acme/toolbox")
        plant(AgentAttribution, "reviewer", "acme/toolbox")
        plant(McpServerAttribution, "mcp__a__", "acme/toolbox")

    CALLS = [tool_use("Agent", "t", subagent_type="reviewer"), tool_use("mcp__a__b", "t")]
    REFUSED = ["The user doesn't want to proceed", "<tool_use_error>Cancelled: parallel tool call errored"]
    FAILED = ["Exit code 1", "<tool_use_error>wrong input", "It broke"]

    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize("text", REFUSED)
    def test_what_was_refused_reached_nobody(self, call: Line, text: str):
        assert item_of(assistant_line(call), user_line(tool_result("t", text, is_error=True))) == BUILTIN

    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize("text", FAILED)
    def test_what_failed_reached_its_item(self, call: Line, text: str):
        answer = user_line(tool_result("t", text, is_error=True))
        assert owner_of(assistant_line(call), answer) == "acme/toolbox"

    @pytest.mark.parametrize("call", CALLS)
    def test_so_did_what_got_no_answer(self, call: Line):
        assert owner_of(assistant_line(call)) == "acme/toolbox"

    @pytest.mark.parametrize("text", [*REFUSED, *FAILED])
    def test_but_no_skill_that_failed(self, text: str):
        assert item_of(*skill_call("review", answer={"is_error": True, "content": text})) == BUILTIN

    def test_and_none_that_got_no_answer(self):
        assert item_of(assistant_line(tool_use("Skill", skill="review"))) == BUILTIN
        assert owner_of(*skill_call("review")) == "acme/toolbox"

    @pytest.mark.parametrize("opening", ["", "<tool_use_error>"])
    def test_no_agent_that_was_not_found(self, opening: str):
        text = f"{opening}Agent type 'reviewer' not found. Available agents: Explore"
        answer = user_line(tool_result("t", text, is_error=True))
        assert item_of(assistant_line(self.CALLS[0]), answer) == BUILTIN

    def test_a_command_needs_no_answer(self):
        assert owner_of(*command("ship")) == "acme/toolbox"


class TestTurns:
    """The tokens of a turn belong to the skill or command that it follows."""

    @pytest.mark.django_db(transaction=True)
    def test_messages_are_attributed_by_the_key_of_their_lines(self, bob: User):
        plant(SkillAttribution, "review", "acme/toolbox")
        plant(CommandAttribution, "ship", "1", "flea")
        lines = [
            assistant_line(message_id=name, attributionSkill=name) for name in ("review", "/ship", "other")
        ]
        store_transcript(bob, [transcript_bytes([user_line(), assistant_line(message_id="none"), *lines])])
        assert run("usage").failures == []
        rows = UsageMessage.objects.values_list("message_id", "skill_name", "source", "ref_id")
        assert set(rows) == {
            ("none", None, "builtin", None),
            ("review", "review", "curated", "acme/toolbox"),
            ("/ship", "ship", "flea", "1"),
            ("other", "other", "builtin", None),
        }

    def test_they_look_in_skills_then_commands(self):
        plant(CommandAttribution, "review", "acme/commands")
        plant(SkillAttribution, "review", "zeta/skills")
        assert resolve([lookup_of_skill("review")])[0].ref_id == "zeta/skills"


class TestQueries:
    @pytest.fixture
    def queries(self) -> Iterator[CaptureQueriesContext]:
        with CaptureQueriesContext(connection) as captured:
            yield captured

    def test_one_for_all(self, queries: CaptureQueriesContext):
        dispatch = assistant_line([tool_use("Agent"), tool_use("mcp__a__b"), tool_use("mcp__a__b")])
        resolve([lookup_of_event(event) for event in events_of(*skill_call("a"), *command("b"), dispatch)])
        assert len(queries) == 1

    def test_none_without_identifiers(self, queries: CaptureQueriesContext):
        calls = assistant_line([tool_use("Bash"), tool_use("Read"), tool_use("mcp__"), tool_use("Skill")])
        assert resolve([lookup_of_event(event) for event in events_of(calls)]) == [BUILTIN] * 4
        assert resolve([]) == []
        assert len(queries) == 0

    @pytest.mark.django_db(transaction=True)
    def test_one_for_a_transcript(self, bob: User):
        """For its events and messages together, however many there are."""
        lines = [line for number in range(50) for line in command(f"c{number}")]
        lines += [assistant_line(tool_use(f"mcp__a{n}__b"), attributionSkill=f"s{n}") for n in range(50)]
        store_transcript(bob, [transcript_bytes(lines)])
        with CaptureQueriesContext(connection) as captured:
            run("usage")
        asked = [query for query in captured if "usage_attribution_" in query["sql"]]
        assert len(asked) == 1
        assert UsageEvent.objects.count() == 100


def test_a_lookup_takes_the_first_identifier_that_is_known():
    plant(McpServerAttribution, "b", "acme/toolbox")
    lookup = Lookup(("mcp_servers",), ("a", "b"))
    assert resolve([None, lookup, None])[1].ref_id == "acme/toolbox"


def test_evidence_alone_attributes_nothing():
    assert resolve([lookup_of_skill("x", Evidence("acme", "toolbox", "1"))]) == [BUILTIN]

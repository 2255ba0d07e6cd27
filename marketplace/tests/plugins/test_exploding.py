"""Rows of attribution: each identifier belongs to one component."""

from marketplace.plugins.exploding import Form, MatchKind, rows_of_plugin
from marketplace.tests.plugins.helpers import markdown, marketplace, plugin, rows


def test_match_kinds_and_forms():
    kit = plugin(
        {
            "skills/rows/SKILL.md": markdown(name="counter"),
            "agents/a.md": "A.",
            ".mcp.json": {"db": {"command": "db"}},
            "workflows/w.js": "export const meta = { name: 'audit' }",
            "hooks/hooks.json": {"hooks": {"Stop": [{"hooks": [{"command": "x"}]}]}},
        }
    )
    assert [(row.match_kind, row.form, row.value) for row in rows_of_plugin(kit)] == [
        (MatchKind.SKILL_OR_COMMAND, Form.CANONICAL, "kit:rows"),
        (MatchKind.SKILL_OR_COMMAND, Form.ALIAS, "kit:counter"),
        (MatchKind.SKILL_OR_COMMAND, Form.BARE_ALIAS, "counter"),
        (MatchKind.AGENT, Form.CANONICAL, "kit:a"),
        (MatchKind.MCP_PREFIX, Form.CANONICAL, "mcp__plugin_kit_db__"),
        (MatchKind.SKILL_OR_COMMAND, Form.CANONICAL, "kit:audit"),
    ]


def test_a_command_and_a_skill_with_one_id_are_both_kept_and_the_command_comes_first():
    kit = plugin({"commands/top.md": "C.", "skills/top/SKILL.md": "S."})
    assert rows(kit) == [("command", "kit:top", "kit:top"), ("skill", "kit:top", "kit:top")]


def test_two_agents_with_one_id_are_one_row():
    kit = plugin({"agents/a.md": markdown(name="x"), "agents/b.md": markdown(name="x")})
    assert rows(kit) == [("agent", "kit:x", "kit:x")]


def test_an_alias_that_is_somebodys_canonical_id_is_dropped():
    kit = plugin(
        {
            "skills/a/SKILL.md": markdown(name="b"),
            "skills/b/SKILL.md": "B.",
            "commands/c.md": markdown(name="a"),
        }
    )
    assert rows(kit) == [
        ("command", "kit:c", "kit:c"),
        ("command", "a", "kit:c"),
        ("skill", "kit:a", "kit:a"),
        ("skill", "b", "kit:a"),
        ("skill", "kit:b", "kit:b"),
    ]


def test_an_alias_of_two_belongs_to_the_first():
    kit = plugin({"skills/a/SKILL.md": markdown(name="x"), "skills/b/SKILL.md": markdown(name="x")})
    assert rows(kit) == [
        ("skill", "kit:a", "kit:a"),
        ("skill", "kit:x", "kit:a"),
        ("skill", "x", "kit:a"),
        ("skill", "kit:b", "kit:b"),
    ]


def test_servers_whose_tools_look_the_same_are_one_row():
    kit = plugin({".mcp.json": {"my.db": {"command": "a"}, "my_db": {"command": "b"}}})
    assert rows(kit) == [("mcp_server", "mcp__plugin_kit_my_db__", "plugin:kit:my.db")]


def test_what_does_not_load_or_is_elsewhere_has_no_rows():
    assert rows(plugin({"commands/a.md": ""}, manifest="{")) == []
    [remote] = marketplace({"name": "kit", "source": {"source": "github", "repo": "o/r"}}).plugins
    assert rows(remote) == []


def test_identifiers_that_no_column_holds_are_left_out():
    kit = plugin({"skills/a/SKILL.md": markdown(name="x" * 252), f"commands/{'y' * 252}.md": "Y."})
    assert [value for _, value, _ in rows(kit)] == ["kit:a", "x" * 252]


def test_rows_are_the_same_whatever_the_order_of_the_tree():
    files = {
        "skills/a/SKILL.md": markdown(name="x"),
        "skills/b/SKILL.md": markdown(name="x"),
        "commands/a.md": "A.",
    }
    assert rows(plugin(files)) == rows(plugin(dict(reversed(files.items()))))

"""The example of the format's description, from end to end."""

from marketplace.plugins.exploding import rows_of_plugin
from marketplace.tests.plugins.helpers import markdown, marketplace, rows

FILES = {
    "p/kit/.claude-plugin/plugin.json": {"name": "acme", "mcpServers": {"my.db": {"command": "db"}}},
    "p/kit/skills/rows/SKILL.md": markdown(name="row-counter"),
    "p/kit/commands/io/export.md": "Export it.",
    "p/kit/commands/README.md": "About.",
    "p/kit/agents/review/a.md": markdown(name="auditor"),
    "p/kit/skills/lib/x/SKILL.md": markdown(name="x"),
}


def test_it_gives_the_rows_of_the_example():
    [kit] = marketplace({"name": "acme-kit", "source": "./p/kit"}, files=FILES).plugins
    assert sorted(rows(kit)) == [
        ("agent", "acme:review:auditor", "acme:review:auditor"),
        ("command", "acme:README", "acme:README"),
        ("command", "acme:io:export", "acme:io:export"),
        ("mcp_server", "mcp__plugin_acme_my_db__", "plugin:acme:my.db"),
        ("skill", "acme:row-counter", "acme:rows"),
        ("skill", "acme:rows", "acme:rows"),
        ("skill", "row-counter", "acme:rows"),
    ]


def test_entry_name_and_namespace_are_kept_apart():
    [kit] = marketplace({"name": "acme-kit", "source": "./p/kit"}, files=FILES).plugins
    assert (kit.name, kit.namespace, kit.namespace_assumed) == ("acme-kit", "acme", False)
    assert {(row.plugin, row.namespace) for row in rows_of_plugin(kit)} == {("acme-kit", "acme")}

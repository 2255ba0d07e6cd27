"""`strict`: what manifest and entry give together."""

import pytest

from marketplace.tests.plugins.helpers import ids, messages, names, plugin

FILES = {
    "skills/a/SKILL.md": "A.",
    "more/b/SKILL.md": "B.",
    "commands/go.md": "Go.",
    "x/c.md": "C.",
    "x/d.md": "D.",
    "agents/one.md": "One.",
    "x/two.md": "Two.",
    "x/three.md": "Three.",
    "output-styles/s.md": "S.",
    "x/t.md": "T.",
}
HOOK = {"SessionStart": [{"hooks": [{"type": "command", "command": "run"}]}]}


@pytest.mark.parametrize("entry", [{}, {"strict": True}, {"strict": "false"}])
def test_strict_the_entry_adds_to_the_default_folders(entry):
    paths = {"skills": "./more", "commands": "./x/c.md", "agents": ["./x/two.md"], "outputStyles": "./x/t.md"}
    kit = plugin(FILES, {**entry, **paths})
    assert ids(kit, "skill") == ["kit:a", "kit:b"]
    assert ids(kit, "command") == ["kit:go", "kit:c"]
    assert ids(kit, "agent") == ["kit:one", "kit:two"]
    assert names(kit, "output_style") == ["s", "t"]


def test_strict_the_entry_adds_to_what_the_manifest_declares():
    manifest = {
        "name": "acme",
        "skills": [],
        "commands": "./x/c.md",
        "agents": "./x/two.md",
        "outputStyles": [],
    }
    entry = {
        "skills": ["./more"],
        "commands": ["./x/d.md"],
        "agents": ["./x/three.md"],
        "outputStyles": "./x/t.md",
    }
    kit = plugin(FILES, entry, manifest=manifest)
    assert ids(kit, "skill") == ["acme:a", "acme:b"]
    assert ids(kit, "command") == ["acme:c", "acme:d"]
    assert ids(kit, "agent") == ["acme:two", "acme:three"]
    assert names(kit, "output_style") == ["t"]


def test_not_strict_without_a_manifest_the_entry_adds_to_the_default_folders():
    kit = plugin(
        FILES, {"strict": False, "skills": ["./more"], "commands": ["./x/c.md"], "agents": "./x/two.md"}
    )
    assert ids(kit, "skill") == ["kit:a", "kit:b"]
    assert ids(kit, "command") == ["kit:go", "kit:c"]
    assert ids(kit, "agent") == ["kit:one", "kit:two"]


def test_not_strict_without_component_fields_is_the_default_layout():
    kit = plugin(FILES, {"strict": False, "description": "x"})
    assert (ids(kit, "skill"), ids(kit, "command"), ids(kit, "agent")) == (["kit:a"], ["kit:go"], ["kit:one"])


@pytest.mark.parametrize(
    "fields",
    [
        {"skills": "./more"},
        {"commands": []},
        {"agents": []},
        {"hooks": HOOK},
        {"mcpServers": {}},
        {"lspServers": {}},
        {"outputStyles": "./x/t.md"},
        {"workflows": "./w"},
    ],
)
def test_not_strict_beside_a_manifest_component_fields_conflict(fields):
    kit = plugin(FILES, {"strict": False, **fields}, manifest={"name": "acme"})
    assert "conflicts with the plugin.json" in str(kit.does_not_load)
    assert (kit.components, kit.namespace) == ((), "acme")


def test_not_strict_beside_a_manifest_without_component_fields_loads():
    kit = plugin(FILES, {"strict": False, "version": "2"}, manifest={"name": "acme", "commands": "./x/c.md"})
    assert ids(kit, "command") == ["acme:c"]


@pytest.mark.parametrize("strict", [None, 0, "", "false"])
def test_only_false_is_not_strict(strict):
    kit = plugin(FILES, {"strict": strict, "commands": "./x/c.md"}, manifest={"name": "acme"})
    assert ids(kit, "command") == ["acme:go", "acme:c"]


def test_a_manifest_outside_of_its_folder_is_no_conflict():
    kit = plugin({**FILES, "plugin.json": {"name": "acme"}}, {"strict": False, "skills": "./more"})
    assert ids(kit, "skill") == ["kit:a", "kit:b"]


def test_a_bad_path_in_the_entry_does_not_load():
    assert "in the marketplace's entry" in str(plugin(FILES, {"skills": ["more"]}).does_not_load)


@pytest.mark.parametrize("key", ["commands", "agents", "outputStyles"])
def test_the_manifests_empty_list_leaves_the_default_folder_out(key):
    kinds = {"commands": "command", "agents": "agent", "outputStyles": "output_style"}
    assert names(plugin(FILES, manifest={"name": "acme", key: []}), kinds[key]) == []


def test_servers_of_the_entry_are_not_loaded_beside_a_manifest():
    entry = {"mcpServers": {"db": {"command": "db"}}, "lspServers": {"go": {"command": "gopls"}}}
    with_manifest = plugin(FILES, entry, manifest={"name": "acme"})
    assert names(with_manifest, "mcp_server") == []
    assert names(with_manifest, "lsp_server") == ["go"]
    assert "ignored beside a plugin.json" in messages(with_manifest, "note")
    for strict in (True, False):
        assert names(plugin(FILES, {**entry, "strict": strict}), "mcp_server") == ["db"]

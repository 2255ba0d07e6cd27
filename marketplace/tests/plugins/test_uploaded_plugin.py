"""One plugin alone: the tree is its root."""

from marketplace.plugins import parse_plugin
from marketplace.tests.plugins.helpers import ids, markdown, messages, tree


def test_the_manifest_names_it():
    kit = parse_plugin(
        tree({".claude-plugin/plugin.json": {"name": "acme"}, "commands/go.md": "Go."}), "upload"
    )
    assert (kit.name, kit.namespace) == ("acme", "acme")
    assert ids(kit, "command") == ["acme:go"]


def test_without_a_manifest_the_given_name_stands_in():
    kit = parse_plugin(tree({"SKILL.md": markdown(description="x")}), "upload")
    assert (kit.name, ids(kit, "skill")) == ("upload", ["upload:upload"])


def test_listed_skills_add_to_its_folder():
    manifest = {"name": "acme", "skills": ["./more/b"]}
    files = {".claude-plugin/plugin.json": manifest, "skills/a/SKILL.md": "A.", "more/b/SKILL.md": "B."}
    assert ids(parse_plugin(tree(files), ""), "skill") == ["acme:a", "acme:b"]


def test_what_is_wrong_with_the_tree_stands_in_its_findings():
    assert "is left out" in messages(parse_plugin(tree({"../x": ""}), "upload"), "warning")


def test_it_needs_a_name():
    kit = parse_plugin(tree({"commands/go.md": "Go."}), " ")
    assert (kit.components, kit.does_not_load) == ((), "its name is no text: “ ”")


def test_a_refused_one_says_why():
    assert "not valid JSON" in str(parse_plugin(tree({".claude-plugin/plugin.json": "{"}), "x").does_not_load)

"""plugin.json: names, what is refused, what is forgiven, what it says about the plugin."""

import re

import pytest

from marketplace.plugins import parse_marketplace
from marketplace.plugins.records import Person
from marketplace.tests.plugins.helpers import MARKETPLACE, ids, markdown, messages, plugin, tree

GO = {"commands/go.md": "Go."}


def test_the_namespace_is_the_manifests_name():
    kit = plugin(GO, manifest={"name": "acme"})
    assert (kit.name, kit.namespace) == ("kit", "acme")
    assert ids(kit, "command") == ["acme:go"]


def test_without_a_manifest_the_namespace_is_the_entrys_name():
    kit = plugin(GO)
    assert (kit.namespace, kit.namespace_assumed, kit.manifest) == ("kit", False, None)
    assert ids(kit, "command") == ["kit:go"]


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("{", "not valid JSON"),
        ('{"name": "acme",}', "not valid JSON"),
        ('// mine\n{"name": "acme"}', "not valid JSON"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
        ([], "not a JSON object"),
        ({}, "`name` .* is missing"),
        ({"name": ""}, "is no text"),
        ({"name": 7}, "is no text"),
        ({"name": "my plugin"}, "holds a space"),
        ({"name": "acme", "dependencies": "other"}, "`dependencies`"),
        ({"name": "acme", "dependencies": {"other": "1"}}, "`dependencies`"),
        ({"name": "acme", "skills": "skills"}, "does not begin with"),
        ({"name": "acme", "commands": ["./a.md", "b.md"]}, "does not begin with"),
        ({"name": "acme", "commands": "."}, "does not begin with"),
        ({"name": "acme", "commands": {"go": {"source": "x.md"}}}, "does not begin with"),
        ({"name": "acme", "agents": "./agents/"}, "ends in `.md`"),
        ({"name": "acme", "agents": ["./a.MD"]}, "ends in `.md`"),
        ({"name": "acme", "hooks": "hooks.json"}, "does not begin with"),
        ({"name": "acme", "hooks": ["./a.json", "/b.json"]}, "does not begin with"),
        ({"name": "acme", "mcpServers": "mcp.json"}, "does not begin with"),
        ({"name": "acme", "skills": ["./../x"]}, r"holds `\.\.`"),
        ({"name": "acme", "outputStyles": "./a/../../b"}, r"holds `\.\.`"),
        ({"name": "acme", "workflows": 7}, "no path"),
        ({"name": "acme", "skills": [["./a"]]}, "no path"),
        ({"name": "acme", "skills": None}, "no path"),
        ({"name": "acme", "lspServers": [7]}, "no path"),
    ],
)
def test_claude_code_refuses_it(manifest, reason):
    kit = plugin(GO, manifest=manifest)
    assert kit.does_not_load is not None
    assert kit.components == ()
    assert kit.counts == {}
    assert messages(kit, "error").startswith("error: Does not load: ")
    assert re.search(reason, kit.does_not_load)


def test_wrong_types_of_author_and_keywords_are_noted_and_ignored():
    kit = plugin(GO, manifest={"name": "acme", "author": ["Ada"], "keywords": "x, y"})
    assert ids(kit, "command") == ["acme:go"]
    assert "`author`" in messages(kit, "note")
    assert "`keywords`" in messages(kit, "note")
    assert (kit.author, kit.keywords) == (Person(), ())


def test_an_object_as_repository_is_a_warning():
    kit = plugin(GO, manifest={"name": "acme", "repository": {"url": "https://example.com/r"}})
    assert (kit.repository, kit.does_not_load) == ("https://example.com/r", None)
    assert "`repository` in .claude-plugin/plugin.json is no text" in messages(kit, "warning")


def test_a_path_that_does_not_exist_is_an_error_and_the_rest_loads():
    manifest = {
        "name": "acme",
        "skills": ["./none"],
        "agents": ["./a.md"],
        "outputStyles": "./x",
        "hooks": "./h.json",
    }
    kit = plugin(GO, manifest=manifest)
    assert kit.does_not_load is None
    assert ids(kit, "command") == ["acme:go"]
    assert messages(kit, "error").count("does not exist") == 4


def test_unknown_keys_are_kept_and_ignored():
    kit = plugin(GO, manifest={"name": "acme", "x": {"y": 1}})
    assert kit.manifest == {"name": "acme", "x": {"y": 1}}
    assert kit.findings == ()


def test_a_misplaced_manifest_gives_the_version_only():
    misplaced = {"name": "acme", "version": "7", "commands": "./other/"}
    kit = plugin({**GO, "plugin.json": misplaced, "other/x.md": "X."})
    assert (kit.namespace, kit.version, kit.manifest) == ("kit", "7", None)
    assert ids(kit, "command") == ["kit:go"]
    assert "belongs into" in messages(kit, "warning")


def test_a_misplaced_manifest_can_make_the_installation_fail():
    assert "does not begin with" in str(
        plugin({**GO, "plugin.json": {"name": "a", "skills": "x"}}).does_not_load
    )


def test_beside_a_manifest_another_plugin_json_means_nothing():
    kit = plugin({**GO, "plugin.json": "{"}, manifest={"name": "acme"})
    assert kit.does_not_load is None


@pytest.mark.parametrize(
    ("manifest", "entry", "version"),
    [
        ({"name": "a", "version": "1"}, {"version": "2"}, "1"),
        ({"name": "a"}, {"version": "2"}, "2"),
        ({"name": "a", "version": 1.5}, {}, "1.5"),
        ({"name": "a"}, {}, "0123456789ab"),
    ],
)
def test_the_version_is_the_manifests_then_the_entrys_then_the_commit(manifest, entry, version):
    content = {"name": "s", "owner": {"name": "A"}, "plugins": [{"name": "kit", "source": "./kit", **entry}]}
    files = tree({MARKETPLACE: content, "kit/.claude-plugin/plugin.json": manifest})
    assert parse_marketplace(files, commit="0123456789abcdef").plugins[0].version == version


def test_it_describes_itself_and_the_entry_fills_in():
    manifest = {
        "name": "acme",
        "displayName": "Acme",
        "description": "Theirs",
        "author": {"name": "Ada", "url": "u"},
        "license": "MIT",
        "keywords": ["a", 7, ""],
        "repository": {"type": "git", "url": "https://example.com/r"},
    }
    entry = {
        "description": "Mine",
        "homepage": "https://example.com",
        "category": "dev",
        "tags": ["t"],
        "defaultEnabled": False,
    }
    kit = plugin(
        {**GO, "README.md": "# Acme", "bin/tool": "", "settings.json": "{}"}, entry, manifest=manifest
    )
    assert (kit.display_name, kit.description, kit.author) == ("Acme", "Theirs", Person("Ada", "", "u"))
    assert (kit.homepage, kit.repository, kit.license) == (
        "https://example.com",
        "https://example.com/r",
        "MIT",
    )
    assert (kit.keywords, kit.category, kit.tags, kit.default_enabled) == (("a",), "dev", ("t",), False)
    assert (kit.readme_path, kit.executables, kit.has_settings) == ("kit/README.md", ("tool",), True)


def test_a_refused_plugin_still_describes_itself():
    kit = plugin(GO, {"description": "Mine"}, manifest="{")
    assert (kit.description, kit.namespace) == ("Mine", "kit")


@pytest.mark.parametrize("value", [None, True, 7, [], {}, ["x"], {"a": 1}])
@pytest.mark.parametrize(
    "key",
    [
        "displayName",
        "description",
        "version",
        "author",
        "homepage",
        "repository",
        "license",
        "keywords",
        "defaultEnabled",
        "settings",
        "userConfig",
        "channels",
        "metadata",
        "tags",
        "category",
        "experimental",
    ],
)
def test_metadata_of_any_type_does_no_harm(key, value):
    kit = plugin(GO, {key: value}, manifest={"name": "acme", key: value})
    assert ids(kit, "command") == ["acme:go"]


def test_claude_md_is_no_component():
    assert plugin({"CLAUDE.md": "Be nice.", **GO}).counts == {"command": 1}


def test_a_name_may_hold_other_characters():
    kit = plugin({"skills/Zeilen zählen/SKILL.md": markdown(name="x")}, manifest={"name": "Größe\n:x"})
    assert ids(kit, "skill") == ["Größe\n:x:Zeilen zählen"]

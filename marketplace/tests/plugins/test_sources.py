"""`source` of an entry: folders of the repository, and what is hosted elsewhere."""

import pytest

from marketplace.plugins import parse_marketplace
from marketplace.plugins.records import SourceKind
from marketplace.tests.plugins.helpers import MARKETPLACE, ids, marketplace, messages, tree

FILES = {"plugins/kit/commands/go.md": "Go.", "commands/root.md": "Root."}


def read(source, **fields):
    [plugin] = marketplace({"name": "kit", "source": source}, files=FILES, **fields).plugins
    return plugin


@pytest.mark.parametrize("source", ["./plugins/kit", "./plugins/kit/", "././plugins//kit"])
def test_a_folder_is_relative_to_the_root(source):
    kit = read(source)
    assert kit.source.kind is SourceKind.FOLDER
    assert kit.source.path == "plugins/kit"
    assert ids(kit, "command") == ["kit:go"]


@pytest.mark.parametrize("source", ["./", "."])
def test_the_root_can_be_the_plugin(source):
    assert ids(read(source), "command") == ["kit:root"]


@pytest.mark.parametrize("root", ["./plugins", "plugins", "./plugins/"])
def test_a_bare_name_is_below_the_plugin_root(root):
    assert ids(read("kit", metadata={"pluginRoot": root}), "command") == ["kit:go"]


def test_a_path_is_relative_to_the_root_even_with_a_plugin_root():
    assert ids(read("./plugins/kit", metadata={"pluginRoot": "./plugins"}), "command") == ["kit:go"]


@pytest.mark.parametrize("root", ["../x", "/plugins", 7, "a\\b"])
def test_a_bad_plugin_root_is_reported_and_not_used(root):
    record = marketplace({"name": "kit", "source": "kit"}, files=FILES, metadata={"pluginRoot": root})
    assert "pluginRoot" in messages(record, "error")
    assert "needs `metadata.pluginRoot`" in str(record.plugins[0].does_not_load)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, "`source` is missing"),
        (7, "neither a path nor an object"),
        (["./kit"], "neither a path nor an object"),
        ("", "does not begin with `./`"),
        ("kit", "needs `metadata.pluginRoot`"),
        ("plugins/kit", "does not begin with `./`"),
        ("./../kit", "holds `..`"),
        ("..", "holds `..`"),
        ("/plugins/kit", "absolute path"),
        (".\\plugins\\kit", "holds a backslash"),
        ("./plugins\\kit", "holds a backslash"),
        ("./missing", "does not exist"),
        ("./plugins/kit/commands/go.md", "does not exist"),
        ({}, "unknown kind"),
        ({"source": "ftp"}, "unknown kind"),
        ({"source": ["github"]}, "unknown kind"),
        ({"source": "folder", "path": "./kit"}, "unknown kind"),
        ({"source": "github"}, "no `repo`"),
        ({"source": "github", "repo": 7}, "no `repo`"),
        ({"source": "git-subdir", "url": "o/r"}, "no `path`"),
        ({"source": "npm"}, "no `package`"),
    ],
)
def test_a_bad_source_does_not_load_and_the_rest_goes_on(source, reason):
    bad, good = marketplace(
        {"name": "bad", "source": source}, {"name": "kit", "source": "./plugins/kit"}, files=FILES
    ).plugins
    assert reason in str(bad.does_not_load)
    assert bad.components == ()
    assert ids(good, "command") == ["kit:go"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            {"source": "github", "repo": "o/r", "ref": "v1", "sha": "abc"},
            {"kind": "github", "url": "https://github.com/o/r", "ref": "v1", "sha": "abc"},
        ),
        (
            {"source": "url", "url": "https://me:secret@git.example.com/r.git"},
            {"kind": "url", "url": "https://git.example.com/r.git"},
        ),
        (
            {"source": "url", "url": "git@example.com:o/r.git"},
            {"kind": "url", "url": "git@example.com:o/r.git"},
        ),
        (
            {"source": "git-subdir", "url": "o/r", "path": "./plugins/x/"},
            {"kind": "git-subdir", "url": "https://github.com/o/r", "path": "plugins/x"},
        ),
        (
            {
                "source": "npm",
                "package": "@acme/kit",
                "version": "1.2",
                "registry": "https://npm.example.com",
            },
            {"kind": "npm", "package": "@acme/kit", "version": "1.2", "url": "https://npm.example.com"},
        ),
        (
            {"source": "archive", "url": "https://example.com/kit.zip", "sha256": "ff"},
            {"kind": "archive", "url": "https://example.com/kit.zip", "sha": "ff"},
        ),
        ({"source": "command", "command": "make kit"}, {"kind": "command", "command": "make kit"}),
    ],
)
def test_what_is_hosted_elsewhere_is_listed_with_unknown_components(source, expected):
    kit = read(source)
    assert {key: getattr(kit.source, key) for key in expected} == expected
    assert kit.source.is_remote
    assert kit.components is None
    assert kit.counts is None
    assert (kit.namespace, kit.namespace_assumed) == ("kit", True)
    assert kit.does_not_load is None


def test_a_command_as_source_is_a_warning():
    assert "runs a command" in messages(read({"source": "command", "command": "make"}), "warning")


def test_a_remote_plugin_is_described_by_its_entry():
    source = {"source": "github", "repo": "o/r"}
    entry = {"name": "kit", "source": source, "description": "Tools", "version": "3", "category": "dev"}
    [kit] = marketplace(entry).plugins
    assert (kit.description, kit.version, kit.category) == ("Tools", "3", "dev")


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ({"source": "github", "repo": "o/r", "sha": "0123456789abcdef"}, "0123456789ab"),
        ({"source": "url", "url": "https://example.com/r.git", "ref": "main"}, ""),
        ({"source": "archive", "url": "https://example.com/r.zip", "sha256": "0123456789abcdef"}, ""),
    ],
)
def test_the_commit_that_is_pinned_stands_in_for_a_version(source, version):
    assert read(source).version == version


@pytest.mark.parametrize("path", ["../kit", "/kit", "a/../../kit"])
def test_a_folder_outside_of_the_other_repository_does_not_load(path):
    kit = read({"source": "git-subdir", "url": "o/r", "path": path})
    assert "its path" in str(kit.does_not_load)
    assert kit.source.kind == "invalid"


def test_a_submodule_is_not_there():
    content = {"name": "shop", "owner": {"name": "A"}, "plugins": [{"name": "kit", "source": "./sub"}]}
    [kit] = parse_marketplace(tree({MARKETPLACE: content}, submodules=("sub",))).plugins
    assert "git submodule" in str(kit.does_not_load)

"""Commands: files, folders, the map, and skills among them."""

from marketplace.plugins.records import Identifiers
from marketplace.tests.plugins.helpers import ids, markdown, messages, names, only, plugin


def test_they_are_found_at_any_depth():
    files = {
        "commands/a.md": "A.",
        "commands/io/b.md": "B.",
        "commands/io/x/c.md": "C.",
        "commands/d.txt": "D.",
    }
    assert ids(plugin(files), "command") == ["kit:a", "kit:io:b", "kit:io:x:c"]


def test_readme_dot_folders_and_any_spelling_of_the_ending_count():
    files = {
        "commands/README.md": "R.",
        "commands/.x/a.md": "A.",
        "commands/B.MD": "B.",
        "commands/c.Md": "C.",
    }
    assert ids(plugin(files), "command") == ["kit:.x:a", "kit:B.MD", "kit:README", "kit:c.Md"]


def test_the_path_is_canonical_and_the_name_an_alias():
    command = only(plugin({"commands/io/export.md": markdown(name="exporter")}), "command")
    assert command.identifiers == Identifiers("kit:io:export", ("kit:io:exporter",), "exporter")


def test_a_folder_with_a_skill_file_is_one_skill():
    files = {
        "commands/x/y/SKILL.md": markdown(name="why"),
        "commands/x/y/more.md": "M.",
        "commands/x/y/z/n.md": "N.",
        "commands/x/other.md": "O.",
    }
    kit = plugin(files)
    assert ids(kit, "command") == ["kit:x:other"]
    assert only(kit, "skill").identifiers == Identifiers("kit:x:y", ("kit:x:why",), "why")


def test_a_named_file_has_no_folder_part():
    kit = plugin({"x/y/go.md": "Go."}, manifest={"name": "acme", "commands": "./x/y/go.md"})
    assert only(kit, "command").identifiers == Identifiers("acme:go")


def test_a_named_folder_counts_from_itself():
    kit = plugin({"x/a/b.md": "B.", "x/c.md": "C."}, manifest={"name": "acme", "commands": ["./x/"]})
    assert ids(kit, "command") == ["acme:a:b", "acme:c"]


def test_the_manifest_replaces_the_default_folder_and_the_entry_adds():
    files = {"commands/a.md": "A.", "x/b.md": "B.", "y/c.md": "C."}
    kit = plugin(files, {"commands": "./y"}, manifest={"name": "acme", "commands": "./x"})
    assert ids(kit, "command") == ["acme:b", "acme:c"]
    assert ids(plugin(files, {"commands": "./y"}), "command") == ["kit:a", "kit:c"]


def test_a_map_names_them_itself():
    commands = {
        "about": {"source": "./docs/a.md", "description": "Mine"},
        "hello": {"content": "Say hello\n\nto all"},
        "odd": {},
        "worse": 7,
    }
    kit = plugin({"docs/a.md": "A."}, manifest={"name": "acme", "commands": commands})
    assert ids(kit, "command") == ["acme:about", "acme:hello"]
    assert [part.description for part in kit.components or ()] == ["A.", "Say hello"]
    assert messages(kit, "error").count("neither `source` nor `content`") == 2


def test_a_file_counts_once():
    kit = plugin({"commands/a.md": "A."}, {"commands": ["./commands/a.md", "./commands"]})
    assert ids(kit, "command") == ["kit:a"]


def test_what_is_no_markdown_or_not_there_is_an_error():
    kit = plugin({"x/a.txt": "A."}, {"commands": ["./x/a.txt", "./none.md"]})
    assert names(kit, "command") == []
    assert messages(kit, "error").count("does not exist, or is of the wrong kind") == 2


def test_a_command_and_a_skill_can_share_an_id():
    kit = plugin({"commands/top.md": "C.", "skills/top/SKILL.md": "S."})
    assert (ids(kit, "command"), ids(kit, "skill")) == (["kit:top"], ["kit:top"])

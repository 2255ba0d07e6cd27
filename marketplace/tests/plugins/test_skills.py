"""Skills: where they are looked for, and what they are called."""

from marketplace.plugins.records import Identifiers
from marketplace.tests.plugins.helpers import ids, markdown, marketplace, messages, names, only, plugin

A = {"skills/a/SKILL.md": "A."}


def test_one_level_counts_and_no_more():
    files = {**A, "skills/group/b/SKILL.md": "B.", "skills/a/child/SKILL.md": "C.", "skills/x.md": "X."}
    assert ids(plugin(files), "skill") == ["kit:a"]


def test_the_file_is_called_exactly_so():
    assert (
        ids(
            plugin({"skills/a/skill.md": "A.", "skills/b/Skill.md": "B.", "skills/c/README.md": "C."}),
            "skill",
        )
        == []
    )


def test_dot_folders_and_odd_names_count():
    files = {"skills/.a/SKILL.md": "A.", "skills/Row Counter/SKILL.md": "B.", "skills/ü:x/SKILL.md": "C."}
    assert ids(plugin(files), "skill") == ["kit:.a", "kit:Row Counter", "kit:ü:x"]


def test_the_folder_is_canonical_and_the_name_an_alias():
    skill = only(
        plugin({"skills/rows/SKILL.md": markdown(name="row-counter", description="Counts.")}), "skill"
    )
    assert skill.identifiers == Identifiers("kit:rows", ("kit:row-counter",), "row-counter")
    assert (skill.name, skill.description, skill.path) == (
        "row-counter",
        "Counts.",
        "kit/skills/rows/SKILL.md",
    )


def test_a_name_equal_to_the_folder_is_a_bare_alias_only():
    skill = only(plugin({"skills/rows/SKILL.md": markdown(name="rows")}), "skill")
    assert skill.identifiers == Identifiers("kit:rows", (), "rows")


def test_a_name_with_the_namespace_is_not_prefixed_again():
    skill = only(plugin({"skills/rows/SKILL.md": markdown(name='"kit:counter"')}), "skill")
    assert skill.identifiers == Identifiers("kit:rows", ("kit:counter",), None)


def test_a_name_with_another_colon_has_no_bare_form():
    skill = only(plugin({"skills/ct-check/SKILL.md": markdown(name='"trail:ct-check"')}), "skill")
    assert skill.identifiers == Identifiers("kit:ct-check", ("kit:trail:ct-check",), None)


def test_without_front_matter_the_first_paragraph_describes_it():
    skill = only(plugin({"skills/a/SKILL.md": "# Count rows\nof a table\n\nMore."}), "skill")
    assert (skill.name, skill.description) == ("a", "Count rows of a table")
    assert skill.identifiers == Identifiers("kit:a")


def test_text_that_no_database_stores_is_replaced():
    skill = only(plugin({"skills/a/SKILL.md": "a\0b", "commands/x.md": ""}), "skill")
    assert skill.description == "a\ufffdb"


def test_broken_yaml_still_gives_a_skill():
    kit = plugin({"skills/a/SKILL.md": "---\nname: [\n  x: }\n---\nA."})
    assert ids(kit, "skill") == ["kit:a"]
    assert "not valid YAML" in messages(kit, "warning")


def test_a_skill_file_in_the_scanned_folder_is_the_only_one():
    files = {**A, "skills/SKILL.md": markdown(name="all")}
    assert ids(plugin(files), "skill") == ["kit:all"]


def test_without_a_name_it_is_called_as_its_folder():
    assert ids(plugin({"skills/SKILL.md": "All."}), "skill") == ["kit:skills"]


def test_a_path_straight_at_a_skill_takes_its_name():
    files = {**A, "more/b/SKILL.md": markdown(name="bee"), "more/b/c/SKILL.md": "C.", "more/d/SKILL.md": "D."}
    kit = plugin(files, manifest={"name": "acme", "skills": ["./more/b", "./more/d/"]})
    assert ids(kit, "skill") == ["acme:a", "acme:bee", "acme:d"]
    assert only(
        plugin({"more/b/SKILL.md": markdown(name="bee")}, {"skills": "./more/b"}), "skill"
    ).identifiers == (Identifiers("kit:bee", (), "bee"))


def test_a_path_to_a_folder_of_skills_is_scanned():
    kit = plugin({**A, "more/b/SKILL.md": markdown(name="bee")}, {"skills": ["./more"]})
    assert ids(kit, "skill") == ["kit:a", "kit:b"]


def test_a_path_adds_and_a_skill_counts_once():
    kit = plugin(
        {**A, "skills/b/SKILL.md": "B."}, manifest={"name": "acme", "skills": ["./skills/a", "./skills/"]}
    )
    assert ids(kit, "skill") == ["acme:a", "acme:b"]


def test_a_path_to_a_file_is_an_error():
    kit = plugin(A, {"skills": ["./skills/a/SKILL.md"]})
    assert ids(kit, "skill") == ["kit:a"]
    assert "wrong kind" in messages(kit, "error")


def test_the_root_skill_counts_alone():
    assert ids(plugin({"SKILL.md": markdown(name="root")}), "skill") == ["kit:root"]
    assert ids(plugin({"SKILL.md": "Root."}, manifest={"name": "acme"}), "skill") == ["acme:acme"]


def test_the_root_skill_does_not_count_beside_a_skills_folder_or_key():
    root = {"SKILL.md": markdown(name="root")}
    assert ids(plugin({**root, **A}), "skill") == ["kit:a"]
    assert ids(plugin({**root, "more/b/SKILL.md": "B."}, {"skills": "./more"}), "skill") == ["kit:b"]
    assert ids(plugin({**root, "skills/x.txt": ""}), "skill") == []
    assert ids(plugin(root, manifest={"name": "acme", "skills": []}), "skill") == []


def test_the_root_can_be_named():
    root = {"SKILL.md": markdown(name="root"), "b/SKILL.md": "B."}
    for path in (".", "./"):
        assert ids(plugin(root, {"skills": [path]}), "skill") == ["kit:root"]
    assert ids(plugin({"b/SKILL.md": "B.", "c/d/SKILL.md": "D."}, {"skills": "."}), "skill") == ["kit:b"]


# The plugin is the marketplace's root.

ROOT = {
    "skills/a/SKILL.md": "A.",
    "skills/b/SKILL.md": "B.",
    "more/c/SKILL.md": "C.",
    "commands/go.md": "Go.",
    ".mcp.json": {"db": {"command": "db"}},
}


def test_at_the_root_only_listed_skills_are_loaded():
    one, two = marketplace(
        {"name": "one", "source": "./", "skills": ["./skills/a"]},
        {"name": "two", "source": "./", "strict": False, "skills": ["./skills/b", "./more/c"]},
        files=ROOT,
    ).plugins
    assert (ids(one, "skill"), ids(two, "skill")) == (["one:a"], ["two:b", "two:c"])


def test_at_the_root_every_entry_has_the_other_components():
    one, two = marketplace(
        {"name": "one", "source": "./", "skills": ["./skills/a"]}, {"name": "two", "source": "."}, files=ROOT
    ).plugins
    assert (ids(one, "command"), ids(two, "command")) == (["one:go"], ["two:go"])
    assert (names(one, "mcp_server"), names(two, "mcp_server")) == (["db"], ["db"])


def test_at_the_root_the_skills_folder_or_the_root_in_the_list_bring_all():
    for path in ("./skills/", "./skills", "./"):
        kit = plugin(ROOT, {"skills": [path, "./more/c"]}, root="")
        assert ids(kit, "skill") == ["kit:a", "kit:b", "kit:c"]


def test_at_the_root_without_a_list_the_skills_folder_is_scanned():
    assert ids(plugin(ROOT, root=""), "skill") == ["kit:a", "kit:b"]
    assert ids(plugin(ROOT, {"skills": []}, root=""), "skill") == ["kit:a", "kit:b"]


def test_elsewhere_a_list_adds():
    assert ids(plugin(ROOT, {"skills": ["./more/c"]}), "skill") == ["kit:a", "kit:b", "kit:c"]


def test_its_settings_are_shown_as_what_was_meant():
    text = (
        "---\nallowed-tools: Read, Bash(git add:*) Grep\nuser-invocable: no\ndisable-model-invocation: 1\n"
        "model: 4\npaths:\n  - a\n  - 7\nhooks:\n  Stop:\n    - hooks:\n        - command: run\n---\nA."
    )
    assert only(plugin({"skills/a/SKILL.md": text}), "skill").details == {
        "allowed-tools": ["Read", "Bash(git add:*)", "Grep"],
        "user-invocable": False,
        "disable-model-invocation": True,
        "model": "4",
        "paths": ["a", "7"],
        "hooks": [{"event": "Stop", "command": "run"}],
    }

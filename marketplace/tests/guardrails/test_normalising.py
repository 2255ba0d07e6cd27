"""Whatever is uploaded becomes one plugin, named by its slug."""

import json
import stat

import pytest

from marketplace.guardrails import Kind, Verdict, open_pack, pack
from marketplace.plugins import parse_plugin
from marketplace.tests.guardrails.helpers import MANIFEST, SKILL, codes, plugin, skill, zipped


def ids(inspection):
    return [part.identifiers.canonical for part in inspection.plugin.components if part.identifiers]


def manifest(inspection):
    return json.loads(inspection.files[MANIFEST].content)


def test_a_single_skill_is_a_plugin_of_its_name(look):
    inspection = look.files({"SKILL.md": SKILL})
    assert (inspection.verdict, inspection.kind, inspection.slug) == ("accept", Kind.SKILL, "row-counter")
    assert sorted(inspection.files) == [MANIFEST, "skills/row-counter/SKILL.md"]
    assert ids(inspection) == ["row-counter:row-counter"]
    assert manifest(inspection) == {"name": "row-counter", "description": "Counts the rows of a file."}


def test_the_wanted_name_wins(look):
    inspection = look.files({"SKILL.md": SKILL}, wanted_name="rows-of-ann")
    assert ids(inspection) == ["rows-of-ann:rows-of-ann"]


def test_what_lies_beside_a_skill_stays_beside_it(look):
    inspection = look({"SKILL.md": SKILL, "agents/x.md": "No agent.", "hooks/hooks.json": "{"})
    assert sorted(inspection.files)[1:] == [
        f"skills/row-counter/{path}" for path in ("SKILL.md", "agents/x.md", "hooks/hooks.json")
    ]
    assert len(inspection.plugin.components) == 1


@pytest.mark.parametrize("files", [{"a/SKILL.md": SKILL}, {"a/b/SKILL.md": SKILL}, {"a/skill.md": SKILL}])
def test_folders_around_it_are_taken_away(look, files):
    for inspection in (look(files), look.files(files)):
        assert sorted(inspection.files) == [MANIFEST, "skills/row-counter/SKILL.md"]


def test_junk_is_dropped_without_a_word(look):
    junk = [
        "__MACOSX/row/._SKILL.md",
        "row/.DS_Store",
        "row/.npmrc",
        "row/.idea/x.xml",
        "row/.github/w.yml",
        "row/x~",
        "row/.gitignore",
        "row/.gitattributes",
        "row/.gitmodules",
        "row/Thumbs.db",
    ]
    inspection = look({"row/SKILL.md": SKILL, **dict.fromkeys(junk, "x")})
    assert sorted(inspection.files) == [MANIFEST, "skills/row-counter/SKILL.md"]
    assert not inspection.findings


@pytest.mark.parametrize(
    ("text", "wanted", "kind", "path"),
    [
        (SKILL, None, Kind.SKILL, "skills/row-counter/SKILL.md"),
        (SKILL, Kind.AGENT, Kind.AGENT, "agents/row-counter.md"),
        (SKILL, Kind.COMMAND, Kind.COMMAND, "commands/row-counter.md"),
        (skill(tools="Read"), None, Kind.AGENT, "agents/row-counter.md"),
        (skill(**{"argument-hint": "'[file]'"}), None, Kind.COMMAND, "commands/row-counter.md"),
        (skill("Count $ARGUMENTS."), None, Kind.COMMAND, "commands/row-counter.md"),
        ("Count the rows.", None, Kind.COMMAND, "commands/page.md"),
    ],
)
def test_the_kind_of_a_single_file(look, text, wanted, kind, path):
    for inspection in (look.page(text, "Page.md", wanted), look({"Page.md": text}, wanted_kind=wanted)):
        assert (inspection.verdict, inspection.kind) == (Verdict.ACCEPT, kind)
        assert sorted(inspection.files) == [MANIFEST, path]


def test_content_decides_before_the_uploader(look):
    inspection = look(plugin({"commands/a.md": "Go."}), wanted_kind=Kind.SKILL)
    assert inspection.kind is Kind.PLUGIN
    assert "not for a skill" in inspection.notes[0]


def test_component_folders_are_a_plugin(look):
    inspection = look({"tools/commands/a.md": "Go.", "tools/agents/b.md": "Be."})
    assert (inspection.kind, inspection.slug, ids(inspection)) == (
        Kind.PLUGIN,
        "tools",
        ["tools:a", "tools:b"],
    )
    assert look({"skills/a/SKILL.md": SKILL}, wanted_name="x").kind is Kind.PLUGIN


def test_a_plugin_is_renamed_and_says_so(look):
    files = plugin({"commands/a.md": "Go."}, name="My.Kit", version="1.0", mcpServers={"x": {"command": "y"}})
    inspection = look(files)
    assert manifest(inspection) == {"name": "my-kit", "version": "1.0", "mcpServers": {"x": {"command": "y"}}}
    assert ids(inspection) == ["my-kit:a", "plugin:my-kit:x"]
    assert "My.Kit" in inspection.notes[0]
    assert look(plugin({"commands/a.md": "Go."})).notes == ()


def test_a_markdown_file_that_is_none(look):
    for content in (b"\x7fELF\2\0", zipped({"SKILL.md": SKILL}), b"a\0b"):
        assert codes(look.page(content)) == {"not_text"}


def test_names_of_files_are_in_one_form(look):
    inspection = look({"SKILL.md": SKILL, "pr\u030cehled.md": "x"})
    assert "skills/row-counter/p\u0159ehled.md" in inspection.files


def test_modes_are_of_two_kinds(look):
    modes = {"run": stat.S_IFREG | 0o4777, "SKILL.md": stat.S_IFREG | 0o600}
    inspection = look(zipped({"SKILL.md": SKILL, "run": "x", "run.sh": "#!/bin/sh\n"}, modes=modes))
    runs = {path for path, file in inspection.files.items() if file.executable}
    assert runs == {"skills/row-counter/run", "skills/row-counter/run.sh"}


def test_the_digest_is_that_of_the_tree(look):
    files = {"SKILL.md": SKILL, "a.txt": "x"}
    one = look(files)
    assert len(one.digest) == 64
    assert look.files(dict(reversed(files.items()))).digest == one.digest
    assert look({f"row/{path}": content for path, content in files.items()}).digest == one.digest
    for other in ({"SKILL.md": SKILL, "a.txt": "y"}, {"SKILL.md": SKILL, "b.txt": "x"}):
        assert look(other).digest != one.digest
    run = zipped(files, modes={"a.txt": stat.S_IFREG | 0o755})
    assert look(run).digest != one.digest


def test_the_stored_form_is_the_same_for_the_same_tree(look, tmp_path):
    inspection = look({"SKILL.md": SKILL, "run.sh": "#!/bin/sh\n"})
    stored = pack(inspection.files)
    assert stored == pack(dict(reversed(inspection.files.items())))
    with open_pack(stored) as tree:
        assert {path: (file.content, file.executable, file.sha256) for path, file in tree.files.items()} == {
            path: (file.content, file.executable, file.sha256) for path, file in inspection.files.items()
        }
        assert parse_plugin(tree, "x") == inspection.plugin
        assert pack(tree.files) == stored


def test_the_stored_form_passes_again_unchanged(look):
    first = look(plugin({"commands/a.md": "Go.", "run.sh": "#!/bin/sh\n"}))
    again = look(pack(first.files))
    assert (again.verdict, again.digest, again.plugin) == (first.verdict, first.digest, first.plugin)

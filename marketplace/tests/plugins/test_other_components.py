"""Output styles, workflows, monitors, themes."""

from time import process_time

import pytest

from marketplace.plugins.components.workflows import META_CHARACTERS, texts_of_meta
from marketplace.plugins.records import Identifiers
from marketplace.tests.plugins.helpers import ids, markdown, messages, names, only, plugin, rows

AUDIT = "export const meta = { name: 'audit', description: 'Audits' }\n"


def test_output_styles_are_one_level_deep_and_the_key_replaces():
    files = {
        "output-styles/a.md": markdown(name="Terse"),
        "output-styles/b.md": "B.",
        "output-styles/x/c.md": "C.",
        "s/d.md": "D.",
    }
    assert names(plugin(files), "output_style") == ["Terse", "b"]
    assert names(plugin(files, manifest={"name": "a", "outputStyles": "./s"}), "output_style") == ["d"]
    assert rows(plugin(files)) == []


def test_workflows_are_called_by_their_meta():
    part = only(
        plugin({"workflows/x.js": AUDIT, "workflows/y.ts": AUDIT}, manifest={"name": "acme"}), "workflow"
    )
    assert (part.identifiers, part.name, part.description) == (Identifiers("acme:audit"), "audit", "Audits")


@pytest.mark.parametrize("endless", ["/* ", "\\`", '\\"', "\\'"])
def test_what_never_ends_costs_no_time(endless: str):
    script = "const meta = {name: 'a', x: " + endless * (META_CHARACTERS // len(endless)) + "\\"
    started = process_time()
    assert texts_of_meta(script)["name"] == "a"
    assert process_time() - started < 0.5


def test_the_key_of_workflows_replaces():
    files = {"workflows/x.js": AUDIT, "w/y.js": AUDIT.replace("audit", "other")}
    assert ids(plugin(files, manifest={"name": "a", "workflows": ["./w/y.js"]}), "workflow") == ["a:other"]


def test_a_workflow_without_meta_is_called_by_its_file():
    kit = plugin({"workflows/x.js": "run()"})
    assert ids(kit, "workflow") == ["kit:x"]
    assert "no `meta.name`" in messages(kit, "warning")


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("export const meta = {\n  name: 'a',\n}", "a"),
        ('const meta={"name":"a"}', "a"),
        ("export const meta = { phases: [{ name: 'no' }], inner: { name: 'no' }, name: `a` }", "a"),
        ("export const meta = { // name: 'no'\n /* name: 'no' */ 'name': 'it\\'s \\u0061' }", "it's a"),
        ("export const meta = { description: 'name: no', name: \"a\" } ; const x = { name: 'no' }", "a"),
        ("export const meta = { name: other, title: 'x' }", None),
        ("export const meta = { title: 'x' }; meta.name = 'no'", None),
        ("// export const meta = { name: 'no' }", None),
        ("export const meta = { name: 'a", None),
        ("", None),
    ],
)
def test_the_name_is_read_without_running_the_script(script, name):
    assert texts_of_meta(script).get("name") == name


def test_a_comment_without_end_ends():
    assert texts_of_meta("const meta = {" + "/*" * 100_000) == {}


def test_monitors_and_themes_have_defaults_that_the_manifest_replaces():
    files = {
        "monitors/monitors.json": [{"name": "log", "command": "tail -f x", "description": "Logs"}, {}, 7],
        "themes/dark.json": {"name": "Dark"},
        "themes/light.json": {},
        "m.json": [{"name": "other", "command": "x"}],
    }
    kit = plugin(files)
    assert (names(kit, "monitor"), names(kit, "theme")) == (["log"], ["Dark", "light"])
    assert only(kit, "monitor").details == {"command": "tail -f x"}
    replaced = plugin(files, manifest={"name": "a", "experimental": {"monitors": "./m.json", "themes": []}})
    assert (names(replaced, "monitor"), names(replaced, "theme")) == (["other"], [])


def test_bad_experimental_paths_are_noted_and_the_rest_loads():
    experimental = {"monitors": ["../x", 7, "./none.json"], "themes": "/etc"}
    kit = plugin({"commands/go.md": "Go."}, manifest={"name": "a", "experimental": experimental})
    assert ids(kit, "command") == ["a:go"]
    assert messages(kit, "note").count("no relative path") == 3

"""Hooks: of files, of the manifest, of the entry, and what keeps a plugin from loading."""

import pytest

from marketplace.tests.plugins.helpers import ids, messages, names, only, plugin

GO = {"commands/go.md": "Go."}


def hook(event="Stop", command="run"):
    return {event: [{"hooks": [{"type": "command", "command": command}]}]}


def commands(record):
    return [part.details["command"] for part in record.components if part.kind == "hook"]


def test_the_default_file_has_a_wrapper():
    content = {
        "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "check"}]}]}
    }
    part = only(plugin({"hooks/hooks.json": content}), "hook")
    assert (part.name, part.path, part.identifiers) == ("PreToolUse", "kit/hooks/hooks.json", None)
    assert part.details == {"event": "PreToolUse", "matcher": "Bash", "type": "command", "command": "check"}


def test_the_manifest_adds_files_and_inline_objects():
    manifest = {"name": "acme", "hooks": ["./more.json", hook(command="inline")]}
    files = {
        "hooks/hooks.json": {"hooks": hook(command="default")},
        "more.json": {"hooks": hook(command="more")},
    }
    assert commands(plugin(files, manifest=manifest)) == ["default", "more", "inline"]


def test_inline_with_the_wrapper_is_ignored():
    kit = plugin(GO, manifest={"name": "acme", "hooks": {"hooks": hook()}})
    assert names(kit, "hook") == []
    assert kit.does_not_load is None


def test_a_file_that_is_named_again_is_read_once():
    files = {"hooks/hooks.json": {"hooks": hook()}}
    assert commands(plugin(files, manifest={"name": "acme", "hooks": "./hooks/hooks.json"})) == ["run"]


def test_the_entrys_object_adds_beside_a_manifest():
    files = {"hooks/hooks.json": {"hooks": hook(command="default")}}
    kit = plugin(files, {"hooks": hook(command="entry")}, manifest={"name": "acme"})
    assert commands(kit) == ["default", "entry"]


@pytest.mark.parametrize("strict", [True, False])
def test_the_entrys_object_replaces_the_default_file_without_a_manifest(strict):
    files = {"hooks/hooks.json": {"hooks": hook(command="default")}}
    assert commands(plugin(files, {"strict": strict, "hooks": hook(command="entry")})) == ["entry"]


@pytest.mark.parametrize("value", ["./more.json", "more.json", [hook()], 7])
def test_other_forms_in_the_entry_are_an_error(value):
    files = {**GO, "hooks/hooks.json": {"hooks": hook()}, "more.json": {"hooks": hook(command="more")}}
    kit = plugin(files, {"hooks": value})
    assert commands(kit) == ["run"]
    assert "only an object works there" in messages(kit, "error")
    assert ids(kit, "command") == ["kit:go"]


@pytest.mark.parametrize(
    "content", [{"hooks": []}, {"hooks": [hook()]}, hook("PreToolUse"), hook("PermissionRequest")]
)
def test_nothing_of_the_plugin_loads(content):
    kit = plugin({**GO, "hooks/hooks.json": content})
    assert "hooks.json" in str(kit.does_not_load)
    assert kit.components == ()


def test_an_event_that_is_no_list_is_an_error_and_the_others_are_read():
    kit = plugin({"hooks/hooks.json": {"hooks": {"Start": {}, **hook("Stop")}}})
    assert names(kit, "hook") == ["Stop"]
    assert "“Start” are ignored" in messages(kit, "error")


@pytest.mark.parametrize("content", [hook("Stop"), {}, {"hooks": 7}, [], "text", "{", {"hooks": None}])
def test_only_the_hooks_are_lost(content):
    kit = plugin({**GO, "hooks/hooks.json": content if content != "text" else '"text"'})
    assert names(kit, "hook") == []
    assert ids(kit, "command") == ["kit:go"]
    assert "hooks.json" in messages(kit, "error")


@pytest.mark.parametrize(
    "events",
    [
        {"Stop": {}},
        {"Stop": [7]},
        {"Stop": [{}]},
        {"Stop": [{"hooks": {}}]},
        {"Stop": [{"hooks": [7]}]},
        {"": [7]},
    ],
)
def test_what_is_shaped_otherwise_is_no_hook(events):
    assert names(plugin({"hooks/hooks.json": {"hooks": events}}), "hook") == []

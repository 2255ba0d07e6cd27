"""agnes init"""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from agnes.cli.setup.hooks import EVENTS
from agnes.tests.cli.machines import Machine

THEIRS: dict[str, Any] = {
    "permissions": {"allow": ["Bash(ls:*)"]},
    "hooks": {
        "SessionEnd": [{"matcher": "clear", "hooks": [{"type": "command", "command": "./tidy.sh"}]}],
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "./check.sh"}]}],
    },
    "model": "opus",
}


def settings_of(machine: Machine, name: str = "settings.json") -> Path:
    return machine.workspace / ".claude" / name


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def ours(content: dict, event: str) -> list[str]:
    commands = [hook["command"] for group in content["hooks"][event] for hook in group["hooks"]]
    return [command for command in commands if "push --hook" in command]


class TestSetUp:
    def test_it_writes_hooks_and_the_slash_command(self, machine: Machine):
        machine.ok("init")
        content = json.loads(settings_of(machine).read_text())
        assert [len(ours(content, event)) for event in EVENTS] == [1, 1]
        command = machine.workspace / ".claude/commands/agnes-private.md"
        assert "agnes mark-private" in command.read_text()
        assert "disable-model-invocation: true" in command.read_text()

    def test_what_is_there_stays(self, machine: Machine):
        path = settings_of(machine)
        text = json.dumps(THEIRS, indent=4, ensure_ascii=False)
        write(path, text)
        path.chmod(0o640)
        machine.ok("init")
        written = path.read_text()
        content = json.loads(written)
        assert list(content) == list(THEIRS)
        assert content["permissions"] == THEIRS["permissions"]
        assert content["hooks"]["PreToolUse"] == THEIRS["hooks"]["PreToolUse"]
        assert content["hooks"]["SessionEnd"][0] == THEIRS["hooks"]["SessionEnd"][0]
        assert written.startswith('{\n    "permissions"')
        assert not written.endswith("\n")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert path.with_name("settings.json.agnes-backup").read_text() == text

    def test_run_again_it_changes_nothing(self, machine: Machine):
        write(settings_of(machine), json.dumps(THEIRS))
        machine.ok("init")
        before = {path: path.read_bytes() for path in (machine.workspace / ".claude").rglob("*.*")}
        assert machine.json("init")["changed"] == []
        assert {path: path.read_bytes() for path in (machine.workspace / ".claude").rglob("*.*")} == before

    def test_from_a_folder_inside_it_sets_up_the_workspace(self, machine: Machine):
        (machine.workspace / ".git").mkdir()
        inner = machine.workspace / "src"
        inner.mkdir()
        machine.ok("init", cwd=inner)
        assert settings_of(machine).exists()

    @pytest.mark.parametrize("text", ["{", "[]", '"x"', "// comment\n{}"])
    def test_settings_that_are_no_object_are_left_alone(self, machine: Machine, text: str):
        write(settings_of(machine), text)
        done = machine.run("init")
        assert (done.returncode, "nothing was changed" in done.stderr) == (8, True)
        assert settings_of(machine).read_text() == text

    @pytest.mark.parametrize("hooks", ["x", [], {"SessionEnd": {}}, {"SessionStart": "x"}])
    def test_hooks_of_another_form_are_left_alone(self, machine: Machine, hooks: object):
        write(settings_of(machine), json.dumps({"hooks": hooks}))
        done = machine.run("init")
        assert (done.returncode, "nothing was changed" in done.stderr) == (8, True)
        assert json.loads(settings_of(machine).read_text()) == {"hooks": hooks}

    def test_a_slash_command_that_somebody_changed_stays(self, machine: Machine):
        path = machine.workspace / ".claude/commands/agnes-private.md"
        write(path, "mine")
        machine.ok("init")
        machine.ok("init", "--remove")
        assert path.read_text() == "mine"

    def test_a_file_that_others_share_has_no_path_of_this_machine(self, machine: Machine):
        machine.ok("init")
        assert str(machine.home) not in settings_of(machine).read_text()
        for event in EVENTS:
            [command] = ours(json.loads(settings_of(machine).read_text()), event)
            assert command.startswith("command -v agnes ")

    def test_for_oneself_in_the_workspace_or_everywhere(self, machine: Machine):
        machine.ok("init", "--scope", "local")
        machine.ok("init", "--scope", "user")
        assert not settings_of(machine).exists()
        for path in (settings_of(machine, "settings.local.json"), machine.claude / "settings.json"):
            content = json.loads(path.read_text())
            assert [len(ours(content, event)) for event in EVENTS] == [1, 1]
        assert (machine.claude / "commands/agnes-private.md").exists()


class TestTakeOut:
    def test_it_restores_the_file_of_before(self, machine: Machine):
        text = '{"hooks":{"SessionEnd":[]},   "model":"opus"}'
        write(settings_of(machine), text)
        machine.ok("init")
        machine.ok("init", "--remove")
        assert settings_of(machine).read_text() == text
        assert [it.name for it in (machine.workspace / ".claude").iterdir()] == ["settings.json"]

    def test_what_was_changed_meanwhile_stays(self, machine: Machine):
        path = settings_of(machine)
        write(path, json.dumps(THEIRS))
        machine.ok("init")
        path.write_text(json.dumps({**json.loads(path.read_text()), "model": "haiku"}))
        machine.ok("init", "--remove")
        assert json.loads(path.read_text()) == {**THEIRS, "model": "haiku"}

    def test_files_that_were_not_there_before_go(self, machine: Machine):
        machine.ok("init")
        machine.ok("init", "--remove")
        assert list((machine.workspace / ".claude").iterdir()) == []
        assert "nothing to take out" in machine.ok("init", "--remove")

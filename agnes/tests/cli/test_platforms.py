"""Paths of Linux, macOS and Windows, on whichever of them the tests run."""

import ntpath
from pathlib import PurePosixPath, PureWindowsPath

import platformdirs
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows

from agnes.cli import claude, folders, program
from agnes.cli.setup import hooks

FOLDERS = (folders.config_folder, folders.state_folder, folders.data_folder)


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (Unix, [".config/agnes", ".local/state/agnes", ".local/share/agnes"]),
        (MacOS, ["Library/Application Support/agnes"] * 3),
        (Windows, ["AppData/Local/agnes"] * 3),
    ],
)
def test_files_lie_where_the_system_has_them(system, expected, monkeypatch, tmp_path):
    """As docs/CLIENT.md says."""
    for name in (folders.HOME, "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "AppData" / "Local"))
    monkeypatch.setattr(platformdirs, "PlatformDirs", system)
    if system is Windows:
        from platformdirs import windows

        monkeypatch.setattr(windows, "get_win_folder", windows.get_win_folder_from_env_vars)
    assert [PurePosixPath(it().relative_to(tmp_path)).as_posix() for it in FOLDERS] == expected


def test_a_folder_of_windows_is_called_as_claude_code_calls_it():
    assert claude.project_name(r"C:\Users\Bob\my work") == "C--Users-Bob-my-work"
    assert claude.may_be_project_of("C--Users-Bob-my-work-sub", r"C:\Users\Bob\my work")


@pytest.mark.parametrize("program", [r"C:\Users\Bob B\bin\agnes.EXE", r"C:\bin\agnes.exe"])
def test_a_hook_on_windows_is_known_again(program: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shutil.which", lambda name: program)
    monkeypatch.setattr("os.sep", ntpath.sep)
    settings: dict = {}
    hooks.add(settings, hooks.command(shared=False))
    [group] = settings["hooks"]["SessionEnd"]
    assert PureWindowsPath(program).as_posix() in group["hooks"][0]["command"]
    hooks.remove(settings)
    assert settings == {}


def test_a_hook_without_the_command_on_the_path(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(program, "COMMAND", ("/home/bob b/python", "-P", "-m", "agnes.cli"))
    settings: dict = {}
    hooks.add(settings, hooks.command(shared=False))
    assert settings["hooks"]["SessionEnd"][0]["hooks"][0]["command"] == (
        "'/home/bob b/python' -P -m agnes.cli push --hook"
    )
    hooks.remove(settings)
    assert settings == {}

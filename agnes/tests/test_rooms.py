"""The house is as it is drawn: docs/INTERNALS.md and the contracts between layers miss no room."""

import re
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
APPS = ("accounts", "agnes", "marketplace", "telemetry")
# Django's own, which every app has.
OF_DJANGO = {"admin", "management", "migrations", "models", "templatetags", "tests"}
CLIENT = "agnes.cli"
ERROR = re.compile(r"^class (\w+)\((\w+)\):", re.MULTILINE)


def rooms(app: str) -> set[str]:
    return {path.parent.name for path in (ROOT / app).glob("*/__init__.py")} - OF_DJANGO


def server_modules() -> set[str]:
    """What stands in the project beside the client."""
    files = {path.stem for path in (ROOT / "agnes").glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / "agnes").glob("*/__init__.py")}
    return {f"agnes.{name}" for name in files | packages} - {CLIENT}


@pytest.mark.parametrize("app", APPS)
def test_every_room_is_described(app: str):
    page = (ROOT / "docs" / "INTERNALS.md").read_text()

    assert rooms(app)
    assert sorted(room for room in rooms(app) if f"`{app}/{room}/`" not in page) == []


def test_the_client_is_kept_from_every_module_of_the_server():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each.get("source_modules") == [CLIENT])
    forbidden = set(contract["forbidden_modules"])

    assert server_modules() - forbidden == set()
    assert {"django", *APPS} - {"agnes"} <= forbidden


def errors_of_people() -> set[str]:
    """The classes below AgnesError, wherever they are."""
    files = (path for app in APPS for path in (ROOT / app).rglob("*.py") if "tests" not in path.parts)
    parents = dict(pair for path in files for pair in ERROR.findall(path.read_text()))
    found: set[str] = set()
    while more := {name for name, parent in parents.items() if parent in {"AgnesError", *found}} - found:
        found |= more
    return found


def test_every_error_stands_in_a_tree():
    trees = [path.read_text().split('"""')[1] for app in APPS for path in (ROOT / app).rglob("errors.py")]
    drawn = {word for tree in trees for word in re.findall(r"\w+", tree)}

    assert "TranscriptRefused" in errors_of_people()
    assert sorted(errors_of_people() - drawn) == []

"""The house is as it is drawn: docs/INTERNALS.md and the contracts between layers miss no room."""

import tomllib
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
APPS = ("accounts", "agnes", "marketplace", "telemetry")
# Django's own, which every app has.
OF_DJANGO = {"admin", "management", "migrations", "models", "templatetags", "tests"}
CLIENT = "agnes.cli"


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

"""The client in an environment of its own: without the server, and without what that needs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agnes.tests.cli.scripted import scripted
from agnes.tests.server import ROOT, environment_without_agnes

pytestmark = pytest.mark.slow

INSTALL_SECONDS = 300
SERVERS = ("django", "ninja", "deltalake", "pyarrow", "psycopg", "gunicorn", "anthropic")
MODULES = """
import importlib, json, pkgutil, sys, agnes.cli
for module in pkgutil.walk_packages(agnes.cli.__path__, "agnes.cli."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment in which `pip install .` was run."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=INSTALL_SECONDS)
    # A copy of what is checked in, so that building leaves nothing in the checkout.
    source = folder.parent / "source"
    source.mkdir()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if name.startswith(("agnes/", "pyproject.toml", "README.md", "LICENSE")):
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", str(source)],
        check=True,
        timeout=INSTALL_SECONDS,
    )
    return folder


def test_it_brings_nothing_of_the_server(environment: Path, tmp_path: Path):
    done = subprocess.run(
        [str(environment / "bin/python"), "-c", MODULES],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"django", "accounts", "marketplace", "telemetry"}
    installed = subprocess.run(
        [str(environment / "bin/pip"), "list", "--format=json"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert not {it["name"] for it in json.loads(installed.stdout)} & set(SERVERS)


def test_its_command_works(environment: Path, tmp_path: Path):
    agnes = str(environment / "bin/agnes")
    with scripted() as server:
        own = {**environment_without_agnes(), "HOME": str(tmp_path), "AGNES_HOME": str(tmp_path / "agnes")}
        token = f"agnes_{'a' * 12}_{'b' * 40}"
        for arguments in (["login", "--server", server.url, "--with-token"], ["push"], ["status"]):
            subprocess.run(
                [agnes, *arguments], cwd=tmp_path, env=own, input=token, text=True, check=True, timeout=60
            )
    told = subprocess.run([agnes, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.startswith("agnes ")

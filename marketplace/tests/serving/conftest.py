"""A web server in a process of its own, on the tests' own database, and people with stacks."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections

from accounts.models import Scope, User
from agnes.tests.server import ROOT, environment_without_agnes, free_port, wait_until
from marketplace.catalogue.registering import add_marketplace, read_location
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.models import Marketplace
from marketplace.tests.repositories import Repository, entry, marketplace, plugin
from marketplace.tests.serving.clients import Git


@pytest.fixture(scope="session")
def served_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served-data")


@pytest.fixture(scope="session")
def server(django_db_setup: None, served_data: Path) -> Iterator[str]:
    """Its address. What it needs of a data folder, the tests and it share."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "agnes.wsgi", "--worker-class", "gthread", "--threads", "8",
         "--bind", f"127.0.0.1:{port}", "--no-control-socket", "--log-level", "warning"],
        cwd=ROOT,
        env={
            **environment_without_agnes(),
            "AGNES_DATA_DIR": str(served_data),
            "AGNES_BIND": f"127.0.0.1:{port}",
            "DATABASE_URL": database_url(),
            "SECRET_KEY": django_settings.SECRET_KEY,
            "TOKEN_PEPPER": django_settings.TOKEN_PEPPER,
        },
        stdout=(served_data / "server.log").open("wb"),
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    wait_until(lambda: answers(port) or process.poll() is not None, 60)
    assert process.poll() is None, (served_data / "server.log").read_text()
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)


def database_url() -> str:
    database = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def data_folder(own_data_folder: Path, served_data: Path, settings: Any) -> Path:
    """That of the server, empty at the beginning of each test."""
    settings.DATA_DIR = served_data
    default = settings.STORAGES["default"]
    options = {**default["OPTIONS"], "location": served_data}
    settings.STORAGES = {**settings.STORAGES, "default": {**default, "OPTIONS": options}}
    for name in ("served", "marketplaces", "store"):
        shutil.rmtree(served_data / name, ignore_errors=True)
    return served_data


@pytest.fixture
def synced(data_folder: Path, repository: Repository) -> Callable[..., Marketplace]:
    """`synced(files)` commits these and syncs: the marketplace `kits`."""

    def call(files: Any, links: Any = None, executables: tuple[str, ...] = ()) -> Marketplace:
        commit(repository, files, links, executables)
        return sync(repository)

    return call


@pytest.fixture(scope="session")
def kits_repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Whoever changes it takes `synced` instead."""
    repository = Repository(tmp_path_factory.mktemp("repositories") / "kits")
    commit(repository, two_plugins(), executables=("tidy/scripts/run.sh",))
    return repository


@pytest.fixture
def kits(data_folder: Path, kits_repository: Repository) -> Marketplace:
    """`tidy` with a script, `rows` with a skill."""
    return sync(kits_repository)


def commit(repository: Repository, files: Any, links: Any = None, executables: tuple[str, ...] = ()) -> None:
    repository.commit(files, links)
    for path in executables:
        repository.git("update-index", "--chmod=+x", path)
    if executables:
        repository.git("commit", "--quiet", "--amend", "-m", "x")


def sync(repository: Repository) -> Marketplace:
    market = Marketplace.objects.filter(slug="kits").first()
    market = market or add_marketplace(read_location(repository.url), slug="kits")
    sync_marketplace(market)
    return market


def two_plugins(**tidy: Any) -> dict[str, str]:
    more = {"scripts/run.sh": "#!/bin/sh\necho tidy\n", "README.md": "# Tidy\n", **tidy.pop("more", {})}
    return (
        marketplace(entry("tidy"), entry("rows", category="data"))
        | plugin("tidy", commands=["sweep"], manifest={"version": "1.4.0"}, more=more)
        | plugin("rows", skills={"count": "count"})
    )


@pytest.fixture
def git_of(server: str, tmp_path: Path, token_for: Callable[..., str]) -> Callable[..., Git]:
    """`git_of(bob)` is bob's git, with a token of scope marketplace."""

    def make(user: User, token: str | None = None, person: object = None) -> Git:
        token = token or token_for(user, Scope.MARKETPLACE)
        return Git(server, person or user.pk, token, tmp_path / f"git-{os.urandom(4).hex()}")

    return make

"""The trees of errors in the docstrings, and what messages tell people to run, are true."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import get_commands

import accounts
import accounts.errors
import agnes
import agnes.errors
import marketplace
import marketplace.errors
import telemetry
import telemetry.errors
from accounts.errors import AgnesError

APPS = {"accounts": accounts, "agnes": agnes, "marketplace": marketplace, "telemetry": telemetry}
NAME = re.compile(r"^[├└]── ([A-Z]\w+)", re.MULTILINE)
COMMAND = re.compile(r"manage\.py ([a-z_]+)")
SOURCES = sorted(
    file for app in APPS for file in Path(settings.BASE_DIR, app).rglob("*.py") if "tests" not in file.parts
)


def errors_of(app: str) -> set[str]:
    for module in pkgutil.walk_packages(APPS[app].__path__, f"{app}."):
        if ".tests" not in module.name:
            importlib.import_module(module.name)
    return {
        error.__name__
        for error in AgnesError.__subclasses__()
        if error.__module__.startswith(f"{app}.") and ".tests" not in error.__module__
    }


def test_the_tree_of_telemetry_names_its_errors():
    assert set(NAME.findall(str(telemetry.errors.__doc__))) == errors_of("telemetry")


def test_the_tree_of_marketplace_names_its_errors():
    assert set(NAME.findall(str(marketplace.errors.__doc__))) == errors_of("marketplace")


def test_the_tree_of_agnes_names_its_errors():
    assert set(NAME.findall(str(agnes.errors.__doc__))) == errors_of("agnes")


def test_the_tree_of_accounts_names_its_errors():
    [lines] = re.findall(r"── accounts\.errors +(.+?)├──", str(accounts.errors.__doc__), re.DOTALL)
    assert errors_of("accounts")
    assert set(re.findall(r"\w+", lines)) == {
        error.__name__ for error in below(AgnesError) if error.__module__.startswith("accounts.")
    }


def below(error: type[AgnesError]) -> Iterator[type[AgnesError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from below(kind)


def test_the_commands_named_in_the_code_exist():
    named = {name: file for file in SOURCES for name in COMMAND.findall(file.read_text())}
    assert {name: file for name, file in named.items() if name not in {"help", *get_commands()}} == {}

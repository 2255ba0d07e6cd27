"""The cast every test knows, and a world of its own for each test.

alice is the admin, bob a person, charlie another person, dana staff without any permission.
"""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import TransactionTestCase

from accounts import audit_triggers, tokens
from accounts.models import User
from telemetry import places

# Whoever starts the suite in the background of a shell has SIGINT ignored, and so would every process that a
# test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite tests use a file, as the server does: threads and other processes can then share it."""
    default = connections["default"]
    if default.vendor == "sqlite":
        default.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, settings: Any) -> Path:
    """Whatever a test stores goes to its own folder."""
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    options = {**settings.STORAGES["default"].get("OPTIONS", {}), "location": data_dir}
    settings.DATA_DIR = data_dir
    settings.SPOOL_DIR = data_dir / "spool"
    settings.LAKE_URL = str(data_dir / "lake")
    settings.STATIC_ROOT = data_dir / "static"
    settings.STATIC_ROOT.mkdir()
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": options},
    }
    return data_dir


@pytest.fixture(autouse=True)
def free_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads an answer of Django's test client only in part keeps its place; a server closes it."""
    monkeypatch.setattr(places, "_places", BoundedSemaphore(django_settings.EXPORTS_AT_ONCE))


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_superuser("alice@example.com", PASSWORD, name="Alice")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob@example.com", PASSWORD, name="Bob")


@pytest.fixture
def charlie(db: None) -> User:
    return User.objects.create_user("charlie@example.com", PASSWORD, name="Charlie")


@pytest.fixture
def dana(db: None) -> User:
    return User.objects.create_user("dana@example.com", PASSWORD, name="Dana", is_staff=True)


@pytest.fixture
def token_for() -> Callable[..., str]:
    """`token_for(bob, Scope.UPLOAD)` is the text of a fresh access token."""

    def issue(user: User, *scopes: str) -> str:
        return tokens.issue(user, name="test", scopes=scopes)[1]

    return issue


@pytest.fixture(autouse=True, scope="session")
def _flush_may_empty_the_audit_log() -> Iterator[None]:
    """Tests with real transactions end by emptying every table, which the audit log's triggers refuse.

    The one trigger in the way is lifted for just that moment; `flush` itself brings it back with its
    post_migrate signal, but only with the table's content gone.
    """
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def flush_without_trigger(test_case: TransactionTestCase) -> None:
        aliases = test_case._databases_names(include_mirrors=False)  # type: ignore[attr-defined]
        for alias in aliases:
            _lift_flush_trigger(alias)
        try:
            flush(test_case)
        finally:
            for alias in aliases:
                audit_triggers.install(alias)

    TransactionTestCase._fixture_teardown = flush_without_trigger  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = flush  # type: ignore[attr-defined]


def _lift_flush_trigger(alias: str) -> None:
    statement = {
        "sqlite": "DROP TRIGGER IF EXISTS audit_log_no_delete",
        "postgresql": "DROP TRIGGER IF EXISTS audit_log_no_truncate ON audit_log",
    }[connections[alias].vendor]
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)

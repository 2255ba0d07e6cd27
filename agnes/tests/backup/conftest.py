from pathlib import Path

import pytest

from accounts.models import User
from agnes.tests.backup.world import populate


@pytest.fixture
def world(transactional_db: None, alice: User, bob: User, charlie: User) -> str:
    """An installation with something in every corner; the text of bob's access token."""
    return populate(alice, bob, charlie)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a backup goes."""
    return tmp_path / "agnes.tar"

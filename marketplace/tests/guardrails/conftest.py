from pathlib import Path

import pytest

from marketplace.tests.guardrails.helpers import Look


@pytest.fixture
def look(tmp_path: Path) -> Look:
    return Look(tmp_path)

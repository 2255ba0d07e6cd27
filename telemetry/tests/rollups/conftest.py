from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.utils import timezone

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)


class Clock:
    """What time it is: NOW, until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def move(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    with mock.patch.object(timezone, "now", autospec=True, side_effect=lambda: clock.now):
        yield clock

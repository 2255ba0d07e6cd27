from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.admin_base import chip, moment


class TestMoment:
    @pytest.mark.parametrize(
        ("ago", "words"),
        [
            (timedelta(seconds=5), "just now"),
            (timedelta(hours=3, minutes=12), "3\xa0hours ago"),
            (-timedelta(days=2, minutes=1), "in 2\xa0days"),
        ],
    )
    def test_it_is_relative(self, ago: timedelta, words: str):
        assert f">{words}<" in moment(timezone.now() - ago)

    def test_the_exact_time_is_in_the_persons_zone(self):
        at = datetime.fromisoformat("2026-01-05T10:00:00+00:00")
        with timezone.override("Asia/Tokyo"):
            assert 'title="2026-01-05 19:00:00 JST"' in moment(at)

    def test_never_is_empty(self):
        assert moment(None) == ""


class TestChip:
    def test_it_escapes(self):
        assert chip("<b>", "bad") == '<span class="chip chip-bad">&lt;b&gt;</span>'

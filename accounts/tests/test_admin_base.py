import itertools
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.admin_base import chip, moment


class TestMoment:
    @pytest.mark.parametrize(
        ("ago", "words"),
        [
            (timedelta(seconds=5), "just now"),
            (timedelta(seconds=-5), "just now"),
            (timedelta(seconds=61), "1\xa0minute ago"),
            (timedelta(hours=1, minutes=1), "1\xa0hour ago"),
            (timedelta(hours=3, minutes=12), "3\xa0hours ago"),
            (-timedelta(days=2, minutes=1), "in 2\xa0days"),
        ],
    )
    def test_it_is_relative(self, ago: timedelta, words: str):
        assert f">{words}<" in moment(timezone.now() - ago)

    @pytest.mark.parametrize("seconds", [-61, -60, -59.999, 59.999, 60, 61])
    def test_it_never_counts_to_nought(self, seconds: float, monkeypatch):
        """However long the page takes: each look at the clock is a second later."""
        start = timezone.now()
        clock = itertools.count()
        monkeypatch.setattr(timezone, "now", lambda: start + timedelta(seconds=next(clock)))
        assert ">0" not in (told := moment(start - timedelta(seconds=seconds)))
        assert "in 0" not in told

    def test_the_exact_time_is_in_the_persons_zone(self):
        at = datetime.fromisoformat("2026-01-05T10:00:00+00:00")
        with timezone.override("Asia/Tokyo"):
            assert 'title="2026-01-05 19:00:00 JST"' in moment(at)

    def test_never_is_empty(self):
        assert moment(None) == ""


class TestChip:
    def test_it_escapes(self):
        assert chip("<b>", "bad") == '<span class="chip chip-bad">&lt;b&gt;</span>'

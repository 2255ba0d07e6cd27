from collections.abc import Iterator, Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

from telemetry.charts.bars import BAR, STEP, height, width
from telemetry.charts.words import in_words

HEIGHT = 24


def sparkline(values: Sequence[float], one: str = "invocation", many: str = "") -> SafeString:
    """One number a day, the last one today's. All days are one path, since a page has dozens of these."""
    words = in_words(values, one, many)
    bars = list(_bar_paths(values))
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<title>{}</title><path class="day" d="{}"/><path class="today" d="{}"/></svg>',
        width(len(values)),
        HEIGHT,
        words,
        words,
        "".join(bars[:-1]),
        "".join(bars[-1:]),
    )


def _bar_paths(values: Sequence[float]) -> Iterator[str]:
    """A day without use has an empty one."""
    highest = max(values, default=0)
    for place, value in enumerate(values):
        tall = height(value, highest, HEIGHT)
        yield f"M{place * STEP} {HEIGHT}v-{tall}h{BAR}v{tall}z" if value else ""

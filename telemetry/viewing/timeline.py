"""The time line of a transcript: prompts, calls and errors along its time, as SVG and as rows of a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from telemetry.charts import counted
from telemetry.transcripts.values import from_ms
from telemetry.viewing.index import About, Mark
from telemetry.viewing.indexing import STRETCHES

STEP = 8
ROW = 20
GAP = 4
SMALLEST = 3
# What a row is called, from above.
ROWS = {"prompts": "prompt", "calls": "tool call", "errors": "error"}


@dataclass(frozen=True)
class Stretch:
    """One of the equally long stretches of time in which something happened, and where the first of it is."""

    at: datetime
    counts: dict[str, int]
    page: int
    line: int


def timeline_svg(about: About) -> SafeString:
    """A row each for prompts, calls and errors; a bar is as high as its stretch has many of them."""
    width, height = STRETCHES * STEP, len(ROWS) * (ROW + GAP)
    words = timeline_in_words(about)
    return format_html(
        '<svg class="timeline" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        "<title>{}</title>{}{}</svg>",
        width,
        height,
        words,
        words,
        format_html_join("", '<line class="grid" x1="0" x2="{}" y1="{}" y2="{}"/>', _grid(width)),
        format_html_join(
            "",
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
            _bars(about),
        ),
    )


def _grid(width: int) -> Iterator[tuple[int, int, int]]:
    for row in range(len(ROWS)):
        bottom = (row + 1) * (ROW + GAP) - GAP // 2
        yield width, bottom, bottom


def _bars(about: About) -> Iterator[tuple[object, ...]]:
    for row, (what, one) in enumerate(ROWS.items()):
        marks = about.marks.get(what, [])
        most = max((mark.count for mark in marks), default=0)
        for mark in marks:
            height = max(round(mark.count / most * ROW, 1), SMALLEST)
            bottom = (row + 1) * (ROW + GAP) - GAP // 2
            title = f"{_start(about, mark):%Y-%m-%d %H:%M}: {counted(mark.count, one)}"
            yield what, mark.stretch * STEP, bottom - height, STEP - 2, height, title


def stretches(about: About) -> list[Stretch]:
    """The same numbers, in the order of time."""
    found: dict[int, dict[str, Mark]] = {}
    for what, marks in about.marks.items():
        for mark in marks:
            found.setdefault(mark.stretch, {})[what] = mark
    return [_stretch(about, found[number]) for number in sorted(found)]


def _stretch(about: About, marks: dict[str, Mark]) -> Stretch:
    first = min(marks.values(), key=lambda mark: (mark.page, mark.line))
    counts = {what: marks[what].count if what in marks else 0 for what in ROWS}
    return Stretch(_start(about, first), counts, first.page, first.line)


def _start(about: About, mark: Mark) -> datetime:
    first, last = about.first_ms or 0, about.last_ms or 0
    at = from_ms(first + mark.stretch * (last - first + 1) // STRETCHES)
    assert at is not None
    return at


def timeline_in_words(about: About) -> str:
    totals = [(sum(mark.count for mark in about.marks.get(what, [])), one) for what, one in ROWS.items()]
    return _sentence([counted(total, one) for total, one in totals])


def _sentence(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]} along the time of the session."

"""Bars by UTC day, one above the other where there are several series."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin_details import spaced
from telemetry.charts.bars import BAR, STEP, height, width
from telemetry.charts.words import counted, in_words

HEIGHT = 100
STEPS = (2, 4, 6, 8, 10, 12, 16)
SIZES = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


def short(value: float) -> str:
    """`800`, `12 k`, `1.2 M`, with a thin space: an end of an axis, which is a round number."""
    for size, unit in SIZES:
        if value >= size:
            return f"{value / size:g}\u2009{unit}"
    return f"{value:g}"


@dataclass(frozen=True)
class Series:
    """One figure for each day. `one` and `many` name it: "1 session", "2 sessions"."""

    values: Sequence[float]
    one: str
    many: str = ""

    @property
    def name(self) -> str:
        """As a heading has it."""
        plural = self.many or f"{self.one}s"
        return plural[:1].upper() + plural[1:]

    def told(self, place: int) -> str:
        return counted(self.values[place], self.one, self.many)


@dataclass(frozen=True)
class DayChart:
    """`drawn` are the bars, the first series lowest; `more` is told beside them by day and in the table.

    The last day is today, which is drawn lighter because it is not over. The axis begins at 0 and ends at a
    round number, whose text `show` makes. `words` are the text alternative, where sums say too little.
    """

    days: Sequence[date]
    drawn: Sequence[Series]
    more: Sequence[Series] = ()
    words: str = ""
    show: Callable[[float], str] = short

    @property
    def svg(self) -> SafeString:
        return format_html(
            '<svg class="day-chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
            'aria-label="{}">{}{}</svg>',
            width(len(self.days)),
            HEIGHT,
            self.words or self.in_words,
            self._grid(),
            format_html_join("", '<g class="{}"><title>{}</title>{}</g>', self._bars()),
        )

    @property
    def in_words(self) -> str:
        return " ".join(in_words(it.values, it.one, it.many) for it in self.drawn)

    @property
    def is_empty(self) -> bool:
        return not any(self._sums)

    @property
    def end(self) -> int:
        """Where the axis ends."""
        return axis_end(max(self._sums, default=0))

    @property
    def ends(self) -> list[str]:
        """The texts beside the axis, from above."""
        return [self.show(at) for at in (self.end, self.end / 2, 0)]

    @property
    def first(self) -> date:
        return self.days[0]

    @property
    def legend(self) -> list[tuple[int, str]]:
        """The place and the name of each drawn series, from above; empty where there is only one."""
        names = [(place, it.name) for place, it in enumerate(self.drawn)]
        return names[::-1] if len(names) > 1 else []

    @property
    def headings(self) -> list[str]:
        return [it.name for it in self._all]

    @property
    def rows(self) -> list[tuple[date, list[str]]]:
        """The same numbers as a table, newest day first."""
        rows = [(day, [spaced(it.values[at]) for it in self._all]) for at, day in enumerate(self.days)]
        return rows[::-1]

    @property
    def _all(self) -> list[Series]:
        return [*self.drawn, *self.more]

    @property
    def _sums(self) -> list[float]:
        return [sum(values) for values in zip(*(it.values for it in self.drawn), strict=True)]

    def _grid(self) -> SafeString:
        end = width(len(self.days))
        lines = ((end, at, at) for at in (0, HEIGHT / 2, HEIGHT))
        return format_html_join("", '<line class="grid" x1="0" x2="{}" y1="{}" y2="{}"/>', lines)

    def _bars(self) -> Iterator[tuple[str, str, SafeString]]:
        """Of each day: its class, its title and its bars."""
        end, last = self.end, len(self.days) - 1
        for place, day in enumerate(self.days):
            title = f"{day}: " + ", ".join(it.told(place) for it in self._all)
            yield "today" if place == last else "day", title, self._stack(place, end)

    def _stack(self, place: int, end: int) -> SafeString:
        return format_html_join(
            "",
            '<rect class="series-{}" x="{}" y="{}" width="{}" height="{}"/>',
            ((number, place * STEP, top, BAR, tall) for number, top, tall in self._heights(place, end)),
        )

    def _heights(self, place: int, end: int) -> Iterator[tuple[int, float, float]]:
        top: float = HEIGHT
        for number, series in enumerate(self.drawn):
            tall = height(series.values[place], end, HEIGHT)
            top = round(top - tall, 2)
            if tall:
                yield number, top, tall


def axis_end(highest: float) -> int:
    """A round number, so that half of it is whole."""
    power = 1
    while True:
        for step in STEPS:
            if highest <= step * power:
                return step * power
        power *= 10

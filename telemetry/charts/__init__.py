"""Charts as SVG: they scale to their box, take their colours from static/agnes/charts.css, and say their
numbers in words and in a table.

A page shows one with `{% include "charts/day_chart.html" %}` and links the style sheet.
"""

from telemetry.charts.day_chart import DayChart, Series, axis_end
from telemetry.charts.sparkline import sparkline
from telemetry.charts.words import counted, in_words

__all__ = ["DayChart", "Series", "axis_end", "counted", "in_words", "sparkline"]

"""The measures that all charts share, in the units of their viewBox."""

STEP = 4
BAR = 3
# A day with little use is still seen.
SMALLEST_BAR = 1.5


def width(bars: int) -> int:
    """Of so many bars, without the gap after the last one."""
    return max(bars * STEP - (STEP - BAR), 0)


def height(value: float, highest: float, whole: float) -> float:
    """Of a bar, where one of `highest` is as high as the `whole` chart."""
    return round(max(value / highest * whole, SMALLEST_BAR), 2) if value > 0 else 0

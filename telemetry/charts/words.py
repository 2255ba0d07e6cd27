"""What a chart shows, in words: for who does not see it."""

from collections.abc import Sequence

from accounts.admin_details import spaced


def counted(number: float, one: str, many: str = "") -> str:
    """`1 error`, `1 234 errors`."""
    return f"{spaced(number)} {one if number == 1 else many or one + 's'}"


def in_words(values: Sequence[float], one: str = "invocation", many: str = "") -> str:
    """Of one number a day, the last one today's, which add up to something."""
    total, used = sum(values), sum(1 for value in values if value)
    if not total:
        return f"No {many or one + 's'} in {counted(len(values), 'day')}."
    return (
        f"{counted(total, one, many)} in {counted(len(values), 'day')}, on {counted(used, 'day')}; "
        f"at most {spaced(max(values))} a day, today so far {spaced(values[-1])}."
    )

"""Numbers in addresses, and those that people type."""

# Larger ones do not all fit into a column.
LARGEST = 10**18 - 1


def whole_number(text: str) -> int | None:
    """A number without a sign; None for anything else, and for one that is larger than any id."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST)) else None

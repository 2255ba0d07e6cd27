"""The text of a statement, before anything parses it: what parsers would take too long for, or fail on."""

from telemetry.ask.validating.rejection import Rejected

MAX_CHARACTERS = 10_000
# sqlglot's recursion ends at about 300.
MAX_DEPTH = 60
_SPACES = "\t\n\r"
_OPENING, _CLOSING = "([{", ")]}"
# DuckDB takes these for spaces between words; a test compares.
_UNICODE_SPACES = dict.fromkeys([0xA0, *range(0x2000, 0x200C), 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF], " ")


def check_text(sql: str) -> None:
    """Raises Rejected."""
    if len(sql) > MAX_CHARACTERS:
        raise Rejected("too_long", f"The statement is longer than {MAX_CHARACTERS} characters.")
    if any(character < " " and character not in _SPACES for character in sql):
        raise Rejected("control_characters", "The statement holds control characters.")
    if _depth(sql) > MAX_DEPTH:
        raise Rejected("too_deep", f"The statement nests brackets more than {MAX_DEPTH} deep.")


def _depth(sql: str) -> int:
    """Those in literals count too: nobody writes that many."""
    depth = deepest = 0
    for character in sql:
        if character in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif character in _CLOSING:
            depth -= 1
    return deepest


def with_plain_spaces(sql: str) -> str:
    """As parsers know them; literals are changed, too, which makes them no other thing than literals."""
    return sql.translate(_UNICODE_SPACES)

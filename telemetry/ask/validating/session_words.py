"""Words such as `user`: a column where one of that name can be seen, else they tell of the session."""

from collections.abc import Iterable, Iterator
from functools import cache
from math import inf

from sqlglot import exp

from telemetry.ask.validating.functions import check_function

# DuckDB calls these where they stand without brackets.
SESSION_WORDS = frozenset(
    {"current_catalog", "current_database", "current_role", "current_schema", "current_user", "session_user",
     "user"}
)  # fmt: skip
# The columns of what stands in these can be seen beside them.
_SOURCES = (exp.From, exp.Join, exp.Lateral, exp.With, exp.CTE)


def check_session_words(nodes: Iterable[exp.Expr]) -> None:
    """Raises Rejected."""
    names = cache(_names_in)
    for node in nodes:
        if isinstance(node, exp.Column) and not node.table:
            word = node.name.casefold()
            if word in SESSION_WORDS and not any(word in names(given) for given in _seen_from(node)):
                check_function(word)


def _seen_from(word: exp.Expr) -> Iterator[exp.Expr]:
    """All that may give a column its name where `word` stands."""
    part, around = word, word.parent
    while around is not None:
        for other in around.iter_expressions():
            if other is not part and _is_seen(other, part, around):
                yield other
        part, around = around, around.parent


def _is_seen(other: exp.Expr, part: exp.Expr, around: exp.Expr) -> bool:
    """Both are parts of `around`."""
    if isinstance(other, _SOURCES):
        return _place(other) < _place(part)
    if isinstance(around, exp.Select):
        # A name in the list of SELECT is known in what follows it there, and in the other clauses.
        is_later = part.arg_key != "expressions" or (other.index or 0) < (part.index or 0)
        return isinstance(other, exp.Alias) and is_later and not isinstance(part, _SOURCES)
    # ORDER BY of a UNION, GROUP BY of a PIVOT.
    operands = ("this", "expression")
    is_operand = other.arg_key in operands and part.arg_key not in operands
    return isinstance(around, exp.SetOperation | exp.Pivot) and is_operand


def _place(part: exp.Expr) -> float:
    """Sources see those before them; all else sees all of them."""
    if isinstance(part, exp.With | exp.CTE):
        return (part.index or 0) - 1_000_000
    if isinstance(part, exp.From):
        return -1
    return part.index or 0 if isinstance(part, _SOURCES) else inf


def _names_in(given: exp.Expr) -> frozenset[str]:
    """All that columns get in it; of one in a list of SELECT, its own name alone."""
    if isinstance(given, exp.Alias):
        return frozenset({given.alias.casefold()})
    inner = list(given.find_all(exp.Alias, exp.TableAlias))
    names = [node.alias for node in inner if isinstance(node, exp.Alias)]
    names += [column.name for node in inner if isinstance(node, exp.TableAlias) for column in node.columns]
    return frozenset(name.casefold() for name in names)

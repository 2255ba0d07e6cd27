"""What DuckDB makes of a PIVOT whose columns come from rows: it shows no tree of one, but its words."""

from typing import TYPE_CHECKING, NamedTuple

from telemetry.ask.validating.functions import check_function, denied_functions
from telemetry.ask.validating.names import check_word
from telemetry.ask.validating.rejection import Rejected
from telemetry.ask.validating.text import with_plain_spaces

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def check_without_tree(connection: "DuckDBPyConnection", sql: str) -> None:
    """It is one query, and no word reads the catalog or calls what may not be called. Raises Rejected."""
    plain = with_plain_spaces(sql)
    words = _words(plain)
    while words[-1].text == ";":
        words.pop()
    _check_one_query(connection, sql, plain.encode()[: words[-1].end].decode())
    for word, following in zip(words, [*words[1:], None], strict=True):
        check_word(word.name)
        if following and following.text == "(" and word.name in denied_functions():
            check_function(word.name)


def _check_one_query(connection: "DuckDBPyConnection", sql: str, without_end: str) -> None:
    """It can stand in brackets, as no COPY, CREATE or DELETE can."""
    import duckdb

    try:
        statements = connection.extract_statements(f"SELECT * FROM ({without_end})")
    except duckdb.Error as error:
        raise Rejected("not_a_select", "Only SELECT statements are run.") from error
    if len(statements) != 1 or len(connection.extract_statements(sql)) != 1:
        raise Rejected("one_statement", "Write exactly one statement.")


class _Word(NamedTuple):
    """`end` in bytes."""

    text: str
    end: int

    @property
    def name(self) -> str:
        return self.text.strip('"`').casefold()


def _words(sql: str) -> list[_Word]:
    """Names, literals and marks, without comments."""
    import duckdb

    text, places = sql.encode(), duckdb.tokenize(sql)
    ends = [place for place, _ in places[1:]] + [len(text)]
    parts = [
        (text[place:end].decode().rstrip(), place)
        for (place, kind), end in zip(places, ends, strict=True)
        if kind != duckdb.token_type.comment
    ]
    return [_Word(part, place + len(part.encode())) for part, place in parts]

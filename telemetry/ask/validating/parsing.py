"""sqlglot's parser for DuckDB, whose work has an end."""

import logging

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.parsers.duckdb import DuckDBParser

from telemetry.ask.validating.rejection import Rejected

# It tells there what it cannot parse; the statement is refused anyway.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

# Each ARRAY[ or row( inside another doubles its steps. A flat statement of 10,000 characters takes 12,000.
MAX_STEPS = 20_000


class _Tokenizer(DuckDB.Tokenizer):
    # DuckDB has these, too.
    IDENTIFIERS = ['"', "`"]
    HEX_STRINGS = [("x'", "'"), ("X'", "'")]


class _Parser(DuckDBParser):
    _steps = 0

    def _advance(self, times: int = 1) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Rejected("too_deep", "The statement is nested too deeply.")
        super()._advance(times)

    def _parse_simplified_pivot(self, is_unpivot: bool | None = None) -> exp.Pivot:
        """With whole expressions in ON and USING, and with ORDER BY, LIMIT and OFFSET."""
        pivot = self.expression(
            exp.Pivot(
                this=self._parse_table(),
                expressions=self._match(TokenType.ON) and self._parse_csv(self._parse_pivot_on),
                into=self._parse_unpivot_columns(),
                using=self._match(TokenType.USING) and self._parse_csv(self._parse_expression),
                group=self._parse_group(),
                unpivot=is_unpivot,
            )
        )
        for name, parse in (
            ("order", self._parse_order), ("limit", self._parse_limit), ("offset", self._parse_offset)
        ):  # fmt: skip
            pivot.set(name, parse())
        return pivot

    def _parse_pivot_on(self) -> exp.Expr | None:
        """Only with AS, another name: USING is no name."""
        on = self._parse_assignment()
        return self._parse_alias(on) if self._match(TokenType.ALIAS, advance=False) else on


class BoundedDuckDB(DuckDB):
    """As DuckDB, but literals of bits and bytes are known, too."""

    Tokenizer = _Tokenizer
    Parser = _Parser


def statements_of(sql: str) -> list[exp.Expr]:
    """Without empty ones. Raises RecursionError, and Rejected: its rule is `syntax` where this is no SQL."""
    try:
        parsed = sqlglot.parse(sql, read=BoundedDuckDB)
    except (Rejected, RecursionError):
        raise
    # It raises IndexError and the like at some nonsense.
    except Exception as error:
        known = isinstance(error, SqlglotError)
        reason = str(error).partition("\n")[0][:200] if known else "it ends too early, or makes no sense."
        raise Rejected("syntax", f"This is no SQL that DuckDB understands: {reason}") from error
    return [tree for tree in parsed if tree is not None and not isinstance(tree, exp.Semicolon)]

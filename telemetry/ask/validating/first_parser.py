"""What sqlglot makes of a statement: the first opinion."""

from collections.abc import Collection, Sequence

from sqlglot import exp

from telemetry.ask.validating.functions import TABLE_FUNCTIONS, check_function, check_table_function
from telemetry.ask.validating.names import RECURRING, check_cte_name, check_table
from telemetry.ask.validating.parsing import statements_of
from telemetry.ask.validating.rejection import Rejected
from telemetry.ask.validating.session_words import check_session_words
from telemetry.ask.validating.text import check_text, with_plain_spaces

MAX_NODES = 4_000
ROOTS = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values, exp.Pivot)
# Whatever changes, tells of or locks anything, wherever it stands.
REFUSED = (
    exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock, exp.Placeholder, exp.Parameter, exp.SessionParameter,
    exp.Describe, exp.Show, exp.Summarize, exp.Set, exp.Pragma, exp.Copy, exp.Use, exp.Attach, exp.Detach,
    exp.Install, exp.Drop, exp.Alter, exp.Comment, exp.Transaction, exp.Commit, exp.Rollback, exp.Analyze,
    exp.TruncateTable, exp.LoadData, exp.Grant, exp.Kill, exp.HistoricalData,
)  # fmt: skip
# What sqlglot knows as functions though they stand without brackets.
SESSION = (exp.CurrentUser, exp.CurrentCatalog, exp.CurrentRole, exp.CurrentSchema, exp.SessionUser)


def validate_text(sql: str, views: Collection[str]) -> bool:
    """Whether it holds a PIVOT, of which DuckDB may give no second opinion.

    `views` are the names that may be read, in lower case. Raises Rejected; its rule is `syntax` where this
    is no SQL at all.
    """
    check_text(sql)
    try:
        nodes = list(_only_statement(sql).walk())
        if len(nodes) > MAX_NODES:
            raise Rejected("too_long", f"The statement has more than {MAX_NODES} parts.")
        _check_nodes(nodes, views)
    except RecursionError as error:
        raise Rejected("too_deep", "The statement is nested too deeply.") from error
    return any(isinstance(node, exp.Pivot) for node in nodes)


def _only_statement(sql: str) -> exp.Expr:
    statements = statements_of(with_plain_spaces(sql))
    if len(statements) != 1:
        raise Rejected("one_statement", "Write exactly one statement.")
    if not isinstance(statements[0], ROOTS):
        raise Rejected("not_a_select", "Only SELECT statements are run.")
    return statements[0]


def _check_nodes(nodes: Sequence[exp.Expr], views: Collection[str]) -> None:
    ctes = [node.alias for node in nodes if isinstance(node, exp.CTE)]
    for name in ctes:
        check_cte_name(name, views)
    known = {name.casefold() for name in ctes}
    for node in nodes:
        if isinstance(node, REFUSED):
            raise Rejected("not_a_select", f"Only SELECT is run, and nothing like {node.key.upper()} in it.")
        if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.VARIANT:
            raise Rejected("type", "The type VARIANT may not be used here.")
        if isinstance(node, exp.Table):
            _check_table(node, known, views)
        elif isinstance(node, exp.Anonymous):
            check_function(node.name)
        elif isinstance(node, SESSION):
            check_function(node.sql_name())
    check_session_words(nodes)


def _check_table(table: exp.Table, known: Collection[str], views: Collection[str]) -> None:
    if table.catalog or (table.db and table.db.casefold() != RECURRING):
        raise Rejected("table", f"Name tables without a schema: {table.name!r:.80}.")
    views = () if table.db else views
    source = table.this
    if isinstance(source, exp.Identifier):
        check_table(source.name, known=known, views=views)
    elif isinstance(source, exp.Anonymous):
        check_table_function(source.name)
    elif not isinstance(source, exp.GenerateSeries | exp.Explode):
        raise Rejected("table_function", f"Only {', '.join(sorted(TABLE_FUNCTIONS))} may stand for a table.")

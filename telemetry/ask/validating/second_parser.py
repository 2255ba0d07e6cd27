"""What DuckDB itself makes of a statement, from its syntax tree; nothing is run."""

import json
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from telemetry.ask.validating.functions import check_function, check_table_function
from telemetry.ask.validating.names import RECURRING, SCHEMAS, check_cte_name, check_table
from telemetry.ask.validating.rejection import Rejected
from telemetry.ask.validating.without_tree import check_without_tree

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Tree = dict[str, Any]
# What a tree may consist of; the names are DuckDB's (2.0.0).
QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
TABLES = {
    "BASE_TABLE", "TABLE_FUNCTION", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST", "PIVOT", "COLUMN_DATA",
}  # fmt: skip
EXPRESSIONS = {
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION",
    "LAMBDA", "LAMBDA_REF", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW",
}  # fmt: skip


def validate_tree(
    connection: "DuckDBPyConnection", sql: str, views: Collection[str], *, has_pivot: bool = False
) -> None:
    """`connection` is an empty one. Raises Rejected; its rule is `syntax` where DuckDB cannot parse it."""
    [(serialized,)] = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    try:
        tree = json.loads(serialized)
        if tree["error"]:
            _check_refusal(tree, has_pivot)
            check_without_tree(connection, sql)
            return
        if len(tree["statements"]) != 1:
            raise Rejected("one_statement", "Write exactly one statement.")
        _check(tree["statements"][0], frozenset(), views)
    except RecursionError as error:
        raise Rejected("too_deep", "The statement is nested too deeply.") from error


def _check_refusal(tree: Tree, has_pivot: bool) -> None:
    """A PIVOT that must look at the rows first is no single SELECT."""
    if tree["error_type"] != "not implemented":
        raise Rejected("syntax", f"DuckDB cannot parse this: {tree['error_message']:.300}")
    if not has_pivot:
        raise Rejected("not_a_select", "Only SELECT statements are run.")


def _check(part: Any, known: frozenset[str], views: Collection[str]) -> None:
    """`known` are the names of WITH that can be seen here."""
    if isinstance(part, list):
        for item in part:
            _check(item, known, views)
    elif isinstance(part, dict):
        _check_part(part, known, views)
        known = _check_ctes(part, known, views)
        for name, item in part.items():
            if name != "cte_map":
                _check(item, known, views)


def _check_part(part: Tree, known: frozenset[str], views: Collection[str]) -> None:
    type_, class_ = part.get("type"), part.get("class")
    if class_ is not None:
        _check_expression(part, str(class_))
    elif "query_location" in part and isinstance(type_, str):
        _check_source(part, type_, known, views)
    elif "cte_map" in part and type_ not in QUERIES:
        raise Rejected("not_a_select", f"Only SELECT is run, and no {type_} in it.")
    if part.get("id") == "VARIANT":
        raise Rejected("type", "The type VARIANT may not be used here.")


def _check_expression(part: Tree, class_: str) -> None:
    if class_ not in EXPRESSIONS:
        raise Rejected("not_a_select", f"A statement may hold no {class_}.")
    if "function_name" in part:
        # `tool_name.upper()` is written as `schema.function()` is.
        if SCHEMAS & {name.casefold() for name in part["qualified_name"]["path"][:-1]}:
            raise Rejected("function", "Name functions without a schema.")
        check_function(part["function_name"])
        if part.get("export_state"):
            raise Rejected("function", "The inner state of an aggregate may not be asked for.")


def _check_source(part: Tree, type_: str, known: frozenset[str], views: Collection[str]) -> None:
    if type_ not in TABLES:
        raise Rejected("not_a_select", f"A statement may hold no {type_}.")
    if type_ == "TABLE_FUNCTION":
        check_table_function(part["function"].get("function_name", ""))
    if type_ == "BASE_TABLE":
        _check_base_table(part, known, views)


def _check_base_table(part: Tree, known: frozenset[str], views: Collection[str]) -> None:
    if part.get("catalog_name") or part.get("at_clause"):
        raise Rejected("table", "Name tables without a database or a version.")
    schema = part.get("schema_name") or ""
    if schema and schema.casefold() != RECURRING:
        raise Rejected("table", "Name tables without a schema.")
    check_table(part["table_name"], known=known, views=() if schema else views)


def _check_ctes(part: Tree, known: frozenset[str], views: Collection[str]) -> frozenset[str]:
    """What can be seen in the rest of `part`: each name of WITH after its own body, or in it if recursive."""
    if part.get("type") == "RECURSIVE_CTE_NODE":
        known |= {part["cte_name"].casefold()}
    for name, body in _ctes(part):
        check_cte_name(name, views)
        _check(body, known, views)
        known |= {name.casefold()}
    return known


def _ctes(part: Tree) -> Iterator[tuple[str, Any]]:
    cte_map = part.get("cte_map") or {}
    for entry in cte_map.get("map", ()):
        yield entry["key"], entry["value"]

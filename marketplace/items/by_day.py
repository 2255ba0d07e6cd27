"""The numbers of many days in one row of a query."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, TextField
from django.db.models.sql.compiler import SQLCompiler


class NumbersByDay(Aggregate):
    """JSON as text: an object of each day (ISO 8601) and its number."""

    function = "JSON_GROUP_OBJECT"
    arity = 2
    output_field = TextField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return self.as_sql(
            compiler, connection, function="JSON_OBJECT_AGG", template="%(function)s(%(expressions)s)::text"
        )

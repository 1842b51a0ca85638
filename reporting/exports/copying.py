"""A query read as a stream of plain tuples. COPY has the next rows ready while we write these; a cursor has not."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from reporting.exports.columns import Column, Type

LOADED_AS = {Type.AMOUNT: "int8", Type.COUNT: "int8", Type.DAY: "date", Type.TIME: "time"}


def rows_of(table: QuerySet, columns: Sequence[Column]) -> Iterator[tuple[Any, ...]]:
    """In the order of the query, a buffer at a time, as of the moment the first row is asked for."""
    query = table.values_list(*[column.source for column in columns]).query
    try:
        sql, parameters = query.sql_with_params()
    except EmptyResultSet:
        return
    with connection.cursor() as cursor, cursor.copy(cursor.mogrify(f"COPY ({sql}) TO STDOUT", parameters)) as copy:
        copy.set_types([LOADED_AS.get(column.type, "text") for column in columns])
        yield from copy.rows()

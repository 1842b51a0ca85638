"""Many rows stored as one: what `portfolios.prepared.store` does for a row, done for all of a chunk in three steps."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models
from psycopg import sql
from psycopg.types.numeric import Int8

from portfolios.prepared import Way, array_text, columns_of, execute, numbered, ours, ways_of


class Batch:
    """Takes what `store` would write and writes all of it at once; each changed row may come once."""

    def __init__(self) -> None:
        self.added: dict[type[models.Model], list[models.Model]] = defaultdict(list)
        self.changed: dict[tuple[type[models.Model], tuple[str, ...]], list[models.Model]] = defaultdict(list)

    def keep(self, added: Sequence[Sequence[models.Model]], changed: models.Model, fields: Sequence[str]) -> None:
        for rows in added:
            for row in rows:
                self.added[type(row)].append(row)
        self.changed[type(changed), tuple(fields)].append(changed)

    def write(self) -> None:
        """Inside a transaction that holds the locks of the changed rows."""
        for model, rows in self.added.items():
            insert_all(model, rows)
        for (model, fields), rows in self.changed.items():
            update_all(model, rows, fields)


def insert_all(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    """By COPY, under keys taken beforehand; the rows know them afterwards. In the order they were added."""
    for row, number in zip(rows, next_keys(model, len(rows)), strict=True):
        row.pk = number
    key, columns = model._meta.pk, columns_of(model)
    names = sql.SQL(", ").join(sql.Identifier(field.column) for field in (key, *columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), names)
    connection = ours()
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        ways = ways_of(model, sized=False)
        for row in rows:
            copy.write_row([row.pk, *(way(row) for way in ways)])
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def insert_missing(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    """In one statement, those that no key of the table knows yet; none of them learns its own."""
    if rows:
        execute(inserting_missing(model), [array_text(map(way, rows)) for way in ways_of(model, sized=False)])


@cache
def inserting_missing(model: type[models.Model]) -> str:
    columns = columns_of(model)
    names = ", ".join(f'"{field.column}"' for field in columns)
    return numbered(
        f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT * FROM unnest({arrays_of(columns)}) '  # noqa: S608 - as below
        "ON CONFLICT DO NOTHING RETURNING 1"
    )


def arrays_of(columns: Sequence[Any]) -> str:
    return ", ".join(f"%s::{field.cast_db_type(ours())}[]" for field in columns)


def next_keys(model: type[models.Model], count: int) -> list[int]:
    """Of the table's own sequence, in order."""
    wanted = "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id'))::regclass) FROM generate_series(1, %s)"
    return [number for (number,) in execute(numbered(wanted), [model._meta.db_table, Int8(count)])]


def update_all(model: type[models.Model], rows: Sequence[models.Model], fields: tuple[str, ...]) -> None:
    """One statement for all rows, and one plan however many they are: each column comes as an array."""
    ways: list[Way] = [attrgetter("pk"), *ways_of(model, fields, sized=False)]
    execute(updating(model, fields), [array_text(map(way, rows)) for way in ways])


@cache
def updating(model: type[models.Model], fields: tuple[str, ...]) -> str:
    columns = columns_of(model, fields)
    changes = ", ".join(f'"{field.column}" = given."{field.column}"' for field in columns)
    names = ", ".join(f'"{field.column}"' for field in columns)
    table = model._meta.db_table
    return numbered(
        f'UPDATE "{table}" AS row SET {changes} FROM unnest(%s::bigint[], {arrays_of(columns)}) AS given (id, {names}) '  # noqa: S608 - of the model's own names
        "WHERE row.id = given.id RETURNING 1"
    )

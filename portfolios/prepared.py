"""Statements that are composed once and planned once: the few that every order waits for.

Their plans live as long as their connection: a pooler between us and PostgreSQL must know prepared statements.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache, cached_property, lru_cache
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError
from psycopg import RawCursor
from psycopg.types.numeric import Int4, Int8

Row = TypeVar("Row", bound=models.Model)
Way = Callable[[Any], Any]  # from a row to the value of one of its fields
Keep = Callable[[Sequence[Sequence[models.Model]], models.Model, Sequence[str]], None]  # as `store`


class PlannedOnceCursor(RawCursor[Any]):
    """Keeps the plan of what it executes with its connection."""

    prepare = True

    def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
        return super().execute(query, params, prepare=self.prepare)

    def _convert_query(self, *asked: Any) -> Any:
        """Remembered for Django's log: psycopg itself forgets what it sends to a plan."""
        self._query = super()._convert_query(*asked)
        return self._query


class PlannedAnewCursor(PlannedOnceCursor):
    """For a statement that one plan would not do for: the values decide which is good."""

    prepare = False


def ours() -> BaseDatabaseWrapper:
    """This thread's connection itself: Django's usual name for it looks it up at every word."""
    return connections[DEFAULT_DB_ALIAS]


def execute(
    statement: str, values: Sequence[Any], planning: type[PlannedOnceCursor] = PlannedOnceCursor
) -> list[tuple[Any, ...]]:
    """The rows it gives. Seen by Django like any other statement: counted, logged, its errors translated."""
    connection = ours()
    connection.ensure_connection()
    with connection._prepare_cursor(planning(connection.connection)) as cursor:  # type: ignore[attr-defined]
        cursor.execute(statement, values)
        return list(cursor.fetchall())


@cache
def numbered(statement: str) -> str:
    """With `$1`, `$2` for every `%s`, so that nobody needs to look for them again."""
    first, *rest = statement.replace("%%", "%").split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


class Slot(Expression):
    """A value that a prepared read is given when it is asked: `filter(pk=Slot("position"))`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, _compiler: Any, _connection: Any) -> Any:
        return "%s", [self]


@models.ForeignObject.register_lookup
@models.Field.register_lookup
class IsAnyOf(models.Lookup):
    """`filter(position__is_any_of=Slot("cells"))`: one plan however many are given, as an `array_text`."""

    lookup_name = "is_any_of"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, values = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s::{self.lhs.output_field.cast_db_type(connection)}[])", [*values, self.rhs]


def array_text(values: Iterable[Any]) -> str:
    """As PostgreSQL reads an array of numbers, words or instants: the driver takes eight times as long."""
    return "{" + ",".join([element(value) for value in values]) + "}"


def element(value: Any) -> str:
    if value is None:
        return "NULL"
    if type(value) is int:
        return str(value)
    text = value.isoformat() if isinstance(value, date) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Composed(NamedTuple):
    """The statement, and how its rows become instances."""

    sql: str
    values: tuple[Any, ...]
    compiler: Any
    names: list[str]
    populators: list[Any]
    converters: Any


class PreparedRead(Generic[Row]):
    """A queryset with slots, turned into SQL by Django when it is first asked and not again."""

    def __init__(self, queryset: Callable[[], models.QuerySet[Row]]) -> None:
        self.queryset = queryset

    @cached_property
    def composed(self) -> Composed:
        compiler: Any = self.queryset().query.get_compiler(connection=ours())
        sql, values = compiler.as_sql()
        populators = get_related_populators(compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # Django 6's
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        names = [compiler.select[place][0].target.attname for place in compiler.klass_info["select_fields"]]
        return Composed(numbered(sql), tuple(values), compiler, names, populators, converters)

    def first(self, **given: Any) -> Row | None:
        """The first row there is. Raises TransactionManagementError when it should lock and cannot."""
        rows = self.rows(given)
        return self.instance(self.composed, rows[0]) if rows else None

    def all(self, **given: Any) -> list[Row]:
        composed = self.composed
        return [self.instance(composed, row) for row in self.rows(given)]

    def rows(self, given: dict[str, Any]) -> list[tuple[Any, ...]]:
        composed = self.composed
        if composed.compiler.query.select_for_update and not ours().in_atomic_block:
            raise TransactionManagementError("a lock is held until the end of a transaction: there is none")
        values = [given[value.name] if isinstance(value, Slot) else value for value in composed.values]
        return execute(composed.sql, [Int8(value) if type(value) is int else value for value in values])

    def instance(self, composed: Composed, found: tuple[Any, ...]) -> Row:
        compiler = composed.compiler
        (row,) = compiler.apply_converters([found], composed.converters) if composed.converters else [found]
        model: type[Row] = compiler.klass_info["model"]
        begin = compiler.klass_info["select_fields"][0]
        instance = model.from_db(DEFAULT_DB_ALIAS, composed.names, row[begin : begin + len(composed.names)])
        for populator in composed.populators:
            populator.populate(row, instance)
        for name, place in compiler.annotation_col_map.items():
            setattr(instance, name, row[place])
        return instance


def new_row(model: type[Row], **values: Any) -> Row:
    """As `model(**values)` by the names of attributes (`position_id`), in a tenth of the time: for every row Django
    asks every field for its default anew.
    """
    given = defaults_of(model)
    if not values.keys() <= given.keys():
        raise TypeError(f"{model.__name__} has no {', '.join(sorted(values.keys() - given.keys()))}")
    row = model.__new__(model)
    row._state = ModelState()
    row.__dict__ |= given | values
    for name, make in made_anew(model):
        if name not in values:
            row.__dict__[name] = make()
    return row


@cache
def defaults_of(model: type[models.Model]) -> dict[str, Any]:
    return {field.attname: field.get_default() for field in model._meta.concrete_fields}


@cache
def made_anew(model: type[models.Model]) -> list[tuple[str, Callable[[], Any]]]:
    """Defaults that are another for each row."""
    fields = (field for field in model._meta.concrete_fields if field.has_default())
    return [(field.attname, field.default) for field in fields if callable(field.default)]


def store(added: Sequence[Sequence[models.Model]], changed: models.Model, fields: Sequence[str]) -> None:
    """Insert new rows, each group of one model, and update one row: in one statement. New rows know their keys."""
    groups = [rows for rows in added if rows]
    statement = storing(tuple((type(rows[0]), len(rows)) for rows in groups), type(changed), tuple(fields))
    values = [way(row) for rows in groups for row in rows for way in ways_of(type(row), sized=True)]
    values += [*(way(changed) for way in ways_of(type(changed), tuple(fields), sized=True)), Int8(changed.pk)]
    (found,) = execute(statement, values)
    for rows, numbers in zip(groups, found, strict=False):
        for row, number in zip(rows, numbers, strict=True):
            row.pk, row._state.adding, row._state.db = number, False, DEFAULT_DB_ALIAS


@lru_cache(maxsize=1_000)
def storing(
    groups: tuple[tuple[type[models.Model], int], ...], changed: type[models.Model], fields: tuple[str, ...]
) -> str:
    """The statement of `store`: of the models' own names, without a value."""
    parts = [f"added_{place} AS ({insertion(*group)})" for place, group in enumerate(groups)]
    parts.append(f"changed AS ({update(changed, fields)})")
    keys = [f"ARRAY(TABLE added_{place})" for place in range(len(groups))] or ["NULL"]
    return numbered(f"WITH {', '.join(parts)} SELECT {', '.join(keys)}")


def insertion(model: type[models.Model], count: int) -> str:
    columns = columns_of(model)
    row = f"({', '.join(['%s'] * len(columns))})"
    names = ", ".join(f'"{field.column}"' for field in columns)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES {", ".join([row] * count)} RETURNING id'  # noqa: S608


def update(model: type[models.Model], fields: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{field.column}" = %s' for field in columns_of(model, fields))
    return f'UPDATE "{model._meta.db_table}" SET {changes} WHERE id = %s'  # noqa: S608


@cache
def columns_of(model: type[models.Model], names: tuple[str, ...] = ()) -> list[Any]:
    """The fields with these names, or all that the database does not fill in by itself."""
    fields = {field.name: field for field in model._meta.concrete_fields}
    return [fields[name] for name in names] or [field for field in fields.values() if not field.primary_key]


@cache
def ways_of(model: type[models.Model], names: tuple[str, ...] = (), *, sized: bool) -> list[Way]:
    """For each of `columns_of`, how a row's value is had as the driver takes it. sized: numbers tell their width, so
    that a statement has one plan whatever they are.
    """
    return [way_of(field, adding=not names, sized=sized) for field in columns_of(model, names)]


def way_of(field: Any, *, adding: bool, sized: bool) -> Way:
    """Django's own way for all but the plainest fields: it takes ten calls for a value."""
    name, stored = field.attname, getattr(field, "target_field", field)
    if isinstance(stored, models.IntegerField) and sized:
        width = Int4 if stored.db_type(ours()) == "integer" else Int8
        return lambda row: width(value) if (value := getattr(row, name)) is not None else None
    if isinstance(stored, models.IntegerField | models.UUIDField):
        return attrgetter(name)
    if isinstance(stored, models.CharField | models.TextField):
        return lambda row: str(value) if (value := getattr(row, name)) is not None else None
    if isinstance(stored, models.DateField) and not (field.auto_now or field.auto_now_add):
        return attrgetter(name)
    return lambda row: field.get_db_prep_save(field.pre_save(row, adding), ours())

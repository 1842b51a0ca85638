"""What is exported straight from tables: events, the log, orders, executions, dividends; each one list of columns."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Case, DateField, Func, Q, QuerySet, TextField, TimeField, Value, When
from django.db.models.functions import Cast, Coalesce

from dividends.models import Entitlement
from portfolios.events import EventType
from portfolios.models import Event
from reporting.exports.columns import Column, Type
from reporting.exports.copying import rows_of
from reporting.exports.scope import Stream, Stretch
from reporting.selectors.facts import EXCHANGE_TIME
from reporting.selectors.timeline import FILTERS
from trading.models import Execution, Order

Rows = Iterable[Sequence[Any]]
Groups = Iterator[tuple[Stream, Rows]]


class Part(Func):
    """One part of an event's canonical text, letter by letter as it was hashed; a sentence without its quotes."""

    template = "(%(expressions)s::json ->> '%(name)s')"
    output_field = TextField()


# Told by the database, at a fraction of what it costs to make objects of them first.
class ExchangeDate(Func):
    template = f"(%(expressions)s AT TIME ZONE '{EXCHANGE_TIME.key}')::date"
    output_field = DateField()


class ExchangeTime(Func):
    template = f"(%(expressions)s AT TIME ZONE '{EXCHANGE_TIME.key}')::time"
    output_field = TimeField()


class Iso(Func):
    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""
    output_field = TextField()


def words(source: str) -> Coalesce:
    """An id as text, empty where there is none."""
    return Coalesce(Cast(source, TextField()), Value(""), output_field=TextField())


def day(source: str) -> Column:
    return Column("date", Type.DAY, ExchangeDate(source))


def clock(source: str) -> Column:
    return Column("time", Type.TIME, ExchangeTime(source))


# Nobody is named: whoever is neither a program of the house nor the broker is a person.
WHO = Case(
    When(actor__in=("robot", "market", "setup"), then=Value("robot")),
    When(actor__startswith="broker:", then=Value("broker")),
    default=Value("person"),
)


def told(name: str, *also: EventType) -> Case:
    """Of cells. The log of a portfolio names its members; only these kinds of its events never do."""
    harmless = Q(stream=Event.Stream.POSITION) | Q(type__in=also)
    return Case(When(harmless, then=Part("text", name=name)), default=Value(""), output_field=TextField())


EVENTS = (
    day("market_at"),
    clock("market_at"),
    Column("type", Type.WORD, "type"),
    Column("actor", Type.WORD, WHO),
    Column("message", Type.TEXT, told("message")),
    Column("order", Type.WORD, words("subject")),
    Column("shares_change", Type.AMOUNT, "d_shares"),
    Column("cash_change", Type.AMOUNT, "d_cash"),
    Column("receivable_change", Type.AMOUNT, "d_receivable"),
    Column("reserved_cash_change", Type.AMOUNT, "d_reserved_cash"),
    Column("reserved_shares_change", Type.AMOUNT, "d_reserved_shares"),
    Column("anchor_after", Type.AMOUNT, "anchor_after"),
    Column("state_after", Type.WORD, "state_after"),
    Column("seq", Type.COUNT, "seq"),
    Column("recorded_at", Type.INSTANT, Iso("recorded_at")),
    Column("hash", Type.WORD, "hash"),
)
LOG = (
    *EVENTS,
    Column("inputs", Type.TEXT, told("inputs", EventType.SETTINGS_CHANGED)),
    Column("outputs", Type.TEXT, told("outputs", EventType.SETTINGS_CHANGED)),
)
ORDERS = (
    day("decided_at"),
    clock("decided_at"),
    Column("order", Type.WORD, words("public_id")),
    Column("origin", Type.WORD, "origin"),
    Column("side", Type.WORD, "side"),
    Column("status", Type.WORD, "status"),
    Column("reason", Type.WORD, "reason"),
    Column("quantity", Type.AMOUNT, "quantity"),
    Column("limit_price", Type.AMOUNT, "limit_price"),
    Column("decision_price", Type.AMOUNT, "decision_price"),
    Column("filled_quantity", Type.AMOUNT, "filled_quantity"),
    Column("notional", Type.AMOUNT, "notional"),
    Column("commission", Type.AMOUNT, "fee"),
    Column("quote_at", Type.INSTANT, Iso("quote_at")),
    Column("created_at", Type.INSTANT, Iso("created_at")),
)
EXECUTIONS = (
    day("at"),
    clock("at"),
    Column("order", Type.WORD, words("order__public_id")),
    Column("execution", Type.TEXT, "broker_execution_id"),
    Column("side", Type.WORD, "order__side"),
    Column("quantity", Type.AMOUNT, "quantity"),
    Column("price", Type.AMOUNT, "price"),
    Column("notional", Type.AMOUNT, "notional"),
    Column("commission", Type.AMOUNT, "commission"),
    Column("commission_rate", Type.AMOUNT, "commission_rate"),
    Column("slippage", Type.AMOUNT, "slippage_ppm"),
    Column("recorded_at", Type.INSTANT, Iso("recorded_at")),
)
DIVIDENDS = (
    Column("ex_date", Type.DAY, "dividend__ex_date"),
    Column("pay_date", Type.DAY, "dividend__pay_date"),
    Column(
        "pay_date_assumed",
        Type.WORD,
        Case(When(dividend__pay_date_assumed=True, then=Value("yes")), default=Value("no")),
    ),
    Column("per_share", Type.AMOUNT, "dividend__dps"),
    Column("shares", Type.AMOUNT, "shares"),
    Column("gross", Type.AMOUNT, "gross"),
    Column("withheld", Type.AMOUNT, "tax"),
    Column("net", Type.AMOUNT, "net"),
    Column("status", Type.WORD, "status"),
)


def read_events(columns: Sequence[Column], stretch: Stretch, trades: bool) -> Groups:
    """One walk down the log's index per stream: nothing is sorted, and the first row comes at once."""
    for stream in stretch.streams:
        log = Event.objects.filter(stream_id=stream.public_id, **stretch.within("market_at")).order_by("seq")
        if trades:
            log = log.filter(type__in=FILTERS["trades"])
        yield stream, rows_of(log, columns)


def read_orders(columns: Sequence[Column], stretch: Stretch, trades: bool) -> Groups:
    orders = Order.objects.filter(position__in=stretch.cells, **stretch.within("decided_at"))
    if trades:
        orders = orders.filter(filled_quantity__gt=0)
    return by_cell(orders, "position", columns, stretch)


def read_executions(columns: Sequence[Column], stretch: Stretch, trades: bool) -> Groups:
    executions = Execution.objects.filter(order__position__in=stretch.cells, **stretch.within("at"))
    return by_cell(executions, "order__position", columns, stretch)


def read_dividends(columns: Sequence[Column], stretch: Stretch, trades: bool) -> Groups:
    owed = Entitlement.objects.filter(position__in=stretch.cells, **stretch.within_days("dividend__ex_date"))
    return by_cell(owed, "position", columns, stretch)


def by_cell(table: QuerySet, cell: str, columns: Sequence[Column], stretch: Stretch) -> Groups:
    """One query for all cells, cut where the next cell begins."""
    key = Column("cell", Type.COUNT, cell)
    rows = rows_of(table.order_by(cell, "pk"), [key, *columns])
    for pk, several in groupby(rows, key=itemgetter(0)):
        yield stretch.cells[pk], map(itemgetter(slice(1, None)), several)

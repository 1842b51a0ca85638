"""Corporate actions at the paper venue: reckoned from its own executions, by the same arithmetic as everybody's."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from django.db.models import QuerySet, Sum

from dividends.domain.payments import payment_for
from dividends.domain.splits import split_holding
from trading.brokers.models import PaperEntry, PaperExecution

Kind = PaperEntry.Kind


class Book(NamedTuple):
    """A holding its owner keeps apart: what he brought in (micro-shares), and the orders he gave for it."""

    account: str
    name: str
    symbol: str
    brought: int
    orders: Collection[str]


def held(book: Book) -> int:
    """Micro-shares: brought in, traded here, and what splits made of them."""
    rows = PaperExecution.objects.filter(order__account=book.account, order__client_order_id__in=book.orders)
    traded = sum(
        int(quantity) * (1 if side == "BUY" else -1)
        for side, quantity in rows.values_list("order__side").annotate(Sum("quantity"))
    )
    return book.brought + traded + int(entries(book).aggregate(all=Sum("shares", default=0))["all"])


def entries(book: Book) -> QuerySet[PaperEntry]:
    return PaperEntry.objects.filter(account=book.account, book=book.name, symbol=book.symbol)


def split_book(book: Book, *, ex_date: date, numerator: int, denominator: int, lot: int, last_close: int) -> None:
    before = held(book)
    after = split_holding(before, 0, lot, numerator, denominator, last_close)
    enter(book, Kind.SPLIT, ex_date, shares=after.shares - before, cash=after.cash_in_lieu)


def split_otherwise(book: Book, *, ex_date: date, shares: int, cash: int) -> None:
    entries(book).filter(kind=Kind.SPLIT, ex_date=ex_date).update(shares=shares, cash=cash)


def go_ex(book: Book, *, ex_date: date, dps: int, withholding: int) -> None:
    """What is owed from now on."""
    enter(book, Kind.EX, ex_date, cash=payment_for(held(book), dps, withholding).net)


def owe_otherwise(book: Book, *, ex_date: date, net: int) -> None:
    """The company corrected itself: the venue pays, or takes back, the difference."""
    entries(book).filter(kind__in=(Kind.EX, Kind.PAID), ex_date=ex_date).update(cash=net)


def pay_out(account: str, name: str, symbol: str, ex_date: date) -> None:
    owed = PaperEntry.objects.filter(account=account, book=name, symbol=symbol, kind=Kind.EX, ex_date=ex_date).first()
    if owed:
        enter(Book(account, name, symbol, 0, ()), Kind.PAID, ex_date, cash=owed.cash)


def enter(book: Book, kind: str, ex_date: date, *, shares: int = 0, cash: int = 0) -> None:
    PaperEntry.objects.get_or_create(
        account=book.account,
        book=book.name,
        symbol=book.symbol,
        kind=kind,
        ex_date=ex_date,
        defaults={"shares": shares, "cash": cash},
    )

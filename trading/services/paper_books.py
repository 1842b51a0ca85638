"""Tells the paper venue of corporate actions, so that its account lives through them as one at a real broker does."""

from collections.abc import Collection, Iterable

from django.db.models import F, Q, Sum

from dividends.models import Dividend, Entitlement, Split, SplitApplication
from portfolios.models import Position
from trading.brokers import paper_actions as venue
from trading.models import Execution, Order

PAPER = "paper"


def book_of(position: Position, held: int) -> venue.Book:
    """The cell as the venue knows it; held: its micro-shares now, of which it brought what was not traded or split."""
    code = position.portfolio.account.code
    orders = Order.objects.filter(position=position)
    executions = Execution.objects.filter(order__position=position, account=code)
    bought = executions.aggregate(
        all=Sum("quantity", filter=Q(order__side="BUY"), default=0)
        - Sum("quantity", filter=Q(order__side="SELL"), default=0)
    )["all"]
    split = SplitApplication.objects.filter(position=position, account=code)
    added = split.aggregate(all=Sum(F("shares_after") - F("shares_before"), default=0))["all"]
    names = tuple(orders.filter(executions__account=code).distinct().values_list("client_order_id", flat=True))
    return venue.Book(code, str(position.public_id), position.symbol, held - int(bought) - int(added), names)


def is_here(position: Position) -> bool:
    return position.portfolio.account.adapter == PAPER


def was_split(position: Position, split: Split, lot: int, last_close: int) -> None:
    """After the ledger has split it: the venue begins from what the cell brought, and comes to the same by itself."""
    if is_here(position):
        venue.split_book(
            book_of(position, position.shares),
            ex_date=split.ex_date,
            numerator=split.numerator,
            denominator=split.denominator,
            lot=lot,
            last_close=last_close,
        )


def were_split_otherwise(position: Position, rows: Collection[SplitApplication]) -> None:
    """Shares that were traded before a split and told after it went through it as well."""
    for row in rows:
        if row.account and is_here(position):
            book = venue.Book(row.account, str(position.public_id), position.symbol, 0, ())
            added = row.shares_after - row.shares_before
            venue.split_otherwise(book, ex_date=row.split.ex_date, shares=added, cash=row.cash_in_lieu)


def went_ex(position: Position, dividend: Dividend, withholding: int) -> None:
    if is_here(position):
        book = book_of(position, position.shares)
        venue.go_ex(book, ex_date=dividend.ex_date, dps=dividend.dps, withholding=withholding)


def was_paid(entitlement: Entitlement) -> None:
    """Where the shares were held on the ex-date; elsewhere than at the venue it finds nothing owed."""
    position = entitlement.position
    if entitlement.account:
        venue.pay_out(entitlement.account, str(position.public_id), position.symbol, entitlement.dividend.ex_date)


def was_corrected(dividend: Dividend) -> None:
    owe_otherwise(Entitlement.objects.filter(dividend=dividend).select_related("position", "dividend"))


def owe_otherwise(rows: Iterable[Entitlement]) -> None:
    for row in rows:
        if row.account:
            book = venue.Book(row.account, str(row.position.public_id), row.position.symbol, 0, ())
            venue.owe_otherwise(book, ex_date=row.dividend.ex_date, net=row.net)

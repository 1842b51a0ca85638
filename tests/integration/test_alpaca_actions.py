"""A split and a dividend, from the announcement over HTTP to books that agree: our ledger beside the fake's."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from dividends.models import Entitlement, Split
from dividends.services.announcements import announce_split
from portfolios.domain.amounts import MICROS, micros
from portfolios.models import Account, Position
from tests.factories import make_quote, make_user
from tests.fake_alpaca import fake_alpaca, hold, make_account, make_cell
from tests.integration.test_alpaca_vendor_actions import Days, script
from tests.market import assert_sound, story, tick
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.server import FakeAlpaca
from trading.market.services import begin_clock, move_clock
from trading.models import AccountEntry, Order
from trading.services.execution import execute_order
from trading.services.reconciliation import reconcile_account
from trading.tasks import check_dividends, pay_dividends

pytestmark = pytest.mark.django_db
FRIDAY, MONDAY = date(2014, 6, 6), date(2014, 6, 9)
EX, PAID = date(2014, 8, 7), date(2014, 8, 14)
SPLIT = {"kind": "forward_split", "symbol": "AAPL", "ex_date": "2014-06-09", "new_rate": 7, "old_rate": 1}
DIVIDEND = {"kind": "cash_dividend", "symbol": "AAPL", "ex_date": "2014-08-07", "payable_date": "2014-08-14"} | {
    "rate": "0.47",
    "withheld": "0.25",
}
BEFORE = "624.68"  # 3 % below the anchor: worth a buy


def at(day: date, hour: int = 14) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


@pytest.fixture
def days() -> Days:
    return Days(at(FRIDAY))


@pytest.fixture
def fake(days: Days, settings: Any) -> Iterator[FakeAlpaca]:
    with fake_alpaca(book=Book(now=days)) as running:
        hold(running, "AAPL", "100", "64400", "644")
        settings.ALPACA_DATA_URL, settings.ALPACA_DATA_KEY, settings.ALPACA_DATA_SECRET = running.url, KEY, SECRET
        yield running


@pytest.fixture
def cell(fake: FakeAlpaca) -> Position:
    owner = make_user()
    traits = {"symbol": "AAPL", "shares": "100", "cash": "64400", "anchor": "644"}
    position = make_cell(owner, make_account(owner, fake), **traits, fractional=True)
    Position.objects.filter(pk=position.pk).update(source="alpaca", opened_on=FRIDAY)
    begin_clock(source="alpaca", begins_on=FRIDAY)
    quote("644", at(FRIDAY))
    assert reconcile(position).outcome == "matched"
    return Position.objects.get(pk=position.pk)


def quote(price: str, when: datetime) -> None:
    make_quote("AAPL", price, at=when, source="alpaca")


def reconcile(cell: Position) -> Any:
    account = Account.objects.get(portfolios__positions=cell)
    return reconcile_account(account_id=account.pk, why="beat", patience=0)


def worth(cell: Position, price: str) -> int:
    """In cents."""
    cell.refresh_from_db()
    return round((cell.shares * micros(price) // MICROS + cell.cash) / 10_000)


def assert_same_books(fake: FakeAlpaca, cell: Position) -> None:
    cell.refresh_from_db()
    assert cell.shares == int(fake.book.held["AAPL"] * MICROS)
    assert cell.cash == int(fake.book.cash * MICROS)
    found = reconcile(cell)
    assert (found.outcome, found.found) == ("matched", [])
    assert_sound()


def test_a_split_and_a_dividend_live(fake: FakeAlpaca, cell: Position, days: Days) -> None:
    script(fake, habit=["rest"], actions=[SPLIT, DIVIDEND])
    check_dividends()
    assert Split.objects.get().ex_date == MONDAY
    quote(BEFORE, at(FRIDAY, 15))
    order = tick(cell)
    assert order
    assert order.status == "accepted"
    value = worth(cell, BEFORE)

    days.go(fake, MONDAY, 8)  # the broker is first: its shares are split, our order still lies there
    assert fake.book.held["AAPL"] == 700
    found = reconcile(cell)
    (shares,) = [line for line in found.found if line["kind"] == "shares"]
    assert (found.outcome, shares["verdict"], shares["difference"]) == ("matched", "noted", "600")
    assert "carried out there" in shares["note"]

    move_clock(source="alpaca", at=at(MONDAY, 13), day=MONDAY, phase="pre")
    check_dividends()
    order.refresh_from_db()
    assert (order.status, Position.objects.get().shares) == ("cancelling", 100 * MICROS)
    execute_order(order_id=order.pk)  # as the sweeper does
    order.refresh_from_db()
    assert (order.status, fake.book.named(order.client_order_id).status) == ("cancelled", "canceled")
    for _ in range(2):
        check_dividends()
    assert_same_books(fake, cell)
    assert (cell.shares, cell.anchor) == (700 * MICROS, micros("92"))

    quote("89.24", at(MONDAY))
    assert worth(cell, "89.24") == value
    quote("92", at(MONDAY, 15))
    assert tick(cell) is None
    assert Order.objects.count() == 1

    days.go(fake, EX, 8)
    quote("92", at(EX, 13))
    check_dividends()
    cell.refresh_from_db()
    assert (cell.receivable, cell.anchor) == (micros("246.75"), micros("91.53"))
    assert_same_books(fake, cell)

    days.go(fake, PAID, 8)
    assert reconcile(cell).outcome == "matched"  # the broker has paid; here it is booked when the bell rings
    quote("92", at(PAID, 13))
    for _ in range(2):
        pay_dividends()
    assert Entitlement.objects.get().status == "paid"
    assert_same_books(fake, cell)
    assert cell.cash == micros("64646.75")
    assert set(AccountEntry.objects.filter(symbol="AAPL", amount__gt=0).values_list("state", flat=True)) == {"matched"}
    assert [kind for kind in story(cell) if kind in ("split", "ex_dividend", "dividend_paid")] == [
        "split",
        "ex_dividend",
        "dividend_paid",
    ]


def test_a_split_that_the_broker_is_late_with_freezes_nothing_for_two_days(
    fake: FakeAlpaca, cell: Position, days: Days
) -> None:
    announce_split(source="alpaca", symbol="AAPL", ex_date=MONDAY, numerator=7, denominator=1)
    move_clock(source="alpaca", at=at(MONDAY), day=MONDAY, phase="open")
    check_dividends()
    cell.refresh_from_db()
    assert cell.shares == 700 * MICROS
    found = reconcile(cell)
    assert (found.outcome, [line["note"] for line in found.found]) == (
        "matched",
        ["The split of 2014-06-09 is carried out here and not there yet"],
    )
    move_clock(source="alpaca", at=at(date(2014, 6, 12)), day=date(2014, 6, 12), phase="open")
    assert reconcile(cell).outcome == "frozen"


@pytest.mark.parametrize("theirs", ["699", "101", "701", "7"])
def test_what_differs_by_more_than_the_split_freezes(fake: FakeAlpaca, cell: Position, theirs: str) -> None:
    announce_split(source="alpaca", symbol="AAPL", ex_date=MONDAY, numerator=7, denominator=1)
    fake.do(lambda: fake.book.held.update(AAPL=Decimal(theirs)))
    assert reconcile(cell).outcome == "frozen"

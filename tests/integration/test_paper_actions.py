"""The paper venue lives through dividends and splits by its own reckoning: its books stay equal to the ledger's."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from portfolios.models import Account, Position
from tests.factories import make_position, make_quote
from tests.market import assert_sound, make_fallen_cell, tick
from trading.brokers import broker_for
from trading.brokers.models import PaperEntry
from trading.models import Reconciliation
from trading.services.corporate_actions import apply_due, cancel_dividend, correct_dividend
from trading.services.reconciliation import reconcile_account

pytestmark = pytest.mark.django_db
EX_DAY, PAY_DAY, SPLIT_DAY = date(2007, 1, 4), date(2007, 2, 5), date(2007, 3, 1)
KEY: dict[str, Any] = {"source": "replay", "symbol": "IBM", "ex_date": EX_DAY}


def opens(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC)


def compared(position: Position) -> Reconciliation:
    return reconcile_account(account_id=position.portfolio.account_id, why="person", patience=0)


def due(day: date) -> None:
    for _ in range(2):
        apply_due(source="replay", day=day, market_at=opens(day))


def test_the_books_are_equal_before_and_after_each_step() -> None:
    cell = make_fallen_cell()
    whole = make_position(cell.portfolio, shares="33", anchor="100", fractional=False)
    assert tick(cell)
    tick(whole)
    announce_dividend(**KEY, dps=micros("0.777777"), pay_date=PAY_DAY)
    announce_split(source="replay", symbol="IBM", ex_date=SPLIT_DAY, numerator=3, denominator=2)
    assert compared(cell).outcome == "matched"
    for day in (EX_DAY, PAY_DAY, SPLIT_DAY):
        due(day)
        assert compared(cell).outcome == "matched", day
    make_quote(price="40", at=opens(SPLIT_DAY))
    cell.refresh_from_db()
    assert tick(cell)
    assert compared(cell).outcome == "matched"
    holdings = broker_for("paper", Account.objects.get(pk=cell.portfolio.account_id).code).holdings()
    paid = PaperEntry.objects.filter(kind="paid")
    assert holdings.received == sum(row.cash for row in paid) > 0
    assert PaperEntry.objects.count() == 6
    assert_sound()


@pytest.mark.parametrize("field", ["shares", "cash"])
def test_a_venue_that_reckons_otherwise_is_found_out(field) -> None:
    cell = make_fallen_cell()
    tick(cell)
    announce_dividend(**KEY, dps=micros("1"), pay_date=EX_DAY)
    announce_split(source="replay", symbol="IBM", ex_date=EX_DAY, numerator=2, denominator=1)
    due(EX_DAY)
    entry = PaperEntry.objects.get(kind="split" if field == "shares" else "paid")
    setattr(entry, field, getattr(entry, field) + 1)
    entry.save()
    found = compared(cell)
    wrong = [line for line in found.found if line["verdict"] == "differs"]
    assert (found.outcome, [line["difference"] for line in wrong]) == ("frozen", ["0.000001"])


def test_a_correction_and_a_cancellation_reach_the_venue() -> None:
    cell = make_fallen_cell()
    tick(cell)
    announce_dividend(**KEY, dps=micros("1"), pay_date=EX_DAY)
    due(EX_DAY)
    by: dict[str, Any] = {"market_at": opens(EX_DAY), "actor": "user:ann"}
    correct_dividend(**KEY, **by, dps=micros("1.5"), pay_date=None)
    assert compared(cell).outcome == "matched"
    cancel_dividend(**KEY, **by)
    assert compared(cell).outcome == "matched"
    assert PaperEntry.objects.get(kind="paid").cash == 0

"""The same market told raw across a split and told without one: the same orders, the same money to the cent."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dividends.services.announcements import announce_split
from portfolios.domain.amounts import micros
from portfolios.models import Position
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.market import assert_sound, story, tick
from trading.models import Order
from trading.services.corporate_actions import apply_due
from trading.services.reconciliation import reconcile_account

pytestmark = pytest.mark.django_db
DAYS = (date(2007, 1, 4), date(2007, 1, 5), date(2007, 1, 8))
CENT = 10_000


def opened(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 14, 31, tzinfo=UTC)


def walked(name: str, ratio: int, moves: list[list[int]]) -> Position:
    """Prices in dollars before a split on the last day; the robot looks at each."""
    cell = make_position(make_portfolio(make_user(name)), symbol=name, shares="700", cash="65000", anchor="644")
    if ratio > 1:
        announce_split(source="replay", symbol=name, ex_date=DAYS[-1], numerator=ratio, denominator=1)
    for day, prices in zip(DAYS, moves, strict=True):
        for _ in range(2):
            apply_due(source="replay", day=day, market_at=opened(day))
        for minute, price in enumerate(prices):
            told = micros(price) // (ratio if day == DAYS[-1] else 1)
            make_quote(name, f"{told / 1e6:.6f}", at=opened(day) + timedelta(minutes=minute))
            tick(cell)
    return Position.objects.get(pk=cell.pk)


def orders_of(cell: Position) -> list[tuple[str, str, int]]:
    rows = Order.objects.filter(position=cell).order_by("pk")
    return [(row.side, row.status, round(row.notional / CENT / 100)) for row in rows]


@pytest.mark.parametrize("ratio", [7, 4])
@pytest.mark.parametrize(
    "moves",
    [
        [[644, 651, 649], [637, 644, 658], [644, 651, 637]],  # nothing but the split
        [[644, 651, 649], [616, 644, 658], [644, 700, 672]],  # orders before and after
    ],
)
def test_a_split_causes_no_order_and_changes_no_value(ratio: int, moves: Any) -> None:
    split, plain = walked("SPLT", ratio, moves), walked("PLAIN", 1, moves)
    assert orders_of(split) == orders_of(plain)
    assert story(split).count("split") == 1
    assert abs(split.cash - plain.cash) < CENT
    price = micros(moves[-1][-1])
    values = [cell.shares * price // (scale * 10**6) + cell.cash for cell, scale in ((split, ratio), (plain, 1))]
    assert abs(values[0] - values[1]) < CENT
    assert abs(split.anchor * ratio - plain.anchor) <= ratio
    assert reconcile_account(account_id=split.portfolio.account_id, why="person", patience=0).outcome == "matched"
    assert_sound()

"""A simulated dividend or split does to a holding exactly what the live services do."""

from datetime import timedelta

import numpy as np
import pytest

from dividends.models import Entitlement
from dividends.services.announcements import announce_dividend, announce_split
from dividends.services.entitlements import go_ex_dividend, pay_dividend
from dividends.services.splits import apply_split
from portfolios.domain.amounts import MICROS, as_text
from portfolios.domain.holding import Holding
from portfolios.models import Position
from portfolios.selectors import effective_rules
from tests.factories import FIRST_DAY, NOON, make_position
from trading.simulation.bars import Bars, Dividend, Split, day_number
from trading.simulation.engine import simulate
from trading.simulation.stage import stage_of

pytestmark = pytest.mark.django_db
EX = FIRST_DAY + timedelta(days=1)


def live(position: Position) -> tuple[int, ...]:
    position.refresh_from_db()
    return position.shares, position.cash, position.receivable, position.anchor


def simulated(position: Position, price: int, dividends=(), splits=()) -> list[tuple[int, ...]]:
    """What is left after each happening, from the cell as it is now."""
    days = np.array([day_number(FIRST_DAY + timedelta(days=number)) for number in (0, 1)], np.int32)
    prices = np.full((2, 4), price, np.int64)
    bars = Bars(days.astype(np.int64) * 86_400, days, prices, np.array([0, 1], np.uint8), is_daily=True)
    stage = stage_of(bars, dividends, splits)
    start = Holding(*live(position)[:3], 0, 0, position.anchor)
    outcome = simulate(*stage[:2], effective_rules(position).rules._replace(after_hours=0), start, 0)
    return [tuple(row) for row in outcome.steps[:, 7:11].tolist()]


@pytest.mark.parametrize("seed", range(12))
def test_a_dividend_goes_ex_and_is_paid_as_it_is_live(seed):
    random = np.random.default_rng(seed)
    shares, cash, anchor = (int(figure) for figure in random.integers(1, 10**12, 3))
    anchor = anchor // 1_000 + MICROS
    dps = int(random.integers(1, anchor))
    position = make_position(shares=as_text(shares), cash=as_text(cash), anchor=as_text(anchor))
    expected = simulated(position, anchor, dividends=[Dividend(EX, EX, dps)])
    dividend = announce_dividend(source=position.source, symbol=position.symbol, ex_date=EX, dps=dps, pay_date=EX)
    go_ex_dividend(position_id=position.pk, dividend=dividend, market_at=NOON)
    assert live(position) == expected[0]
    pay_dividend(entitlement_id=Entitlement.objects.get().pk, market_at=NOON)
    assert live(position) == expected[1]


@pytest.mark.parametrize(("numerator", "denominator"), [(2, 1), (1, 20), (3, 2), (7, 1), (21, 20), (1, 3)])
@pytest.mark.parametrize("given", [{}, {"fractional": False}])
def test_a_split_leaves_what_it_leaves_live(numerator, denominator, given):
    shares = "101" if given else "123.456789"
    position = make_position(shares=shares, cash="0.000777", anchor="97.131313", **given)
    price = 96_123_457
    (expected,) = simulated(position, price, splits=[Split(EX, numerator, denominator)])[:1]
    split = announce_split(
        source=position.source, symbol=position.symbol, ex_date=EX, numerator=numerator, denominator=denominator
    )
    apply_split(position_id=position.pk, split=split, last_close=price, market_at=NOON)
    assert live(position) == expected

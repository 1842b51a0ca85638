"""What a person puts into a cell or takes out of it is neither gain nor loss, on any page."""

import pytest

from dividends.services.announcements import announce_dividend
from dividends.services.entitlements import go_ex_dividend
from portfolios.domain.amounts import micros
from portfolios.models import Position
from portfolios.services.positions import adjust
from reporting.selectors.cells import cells_of, visible_positions
from reporting.selectors.chart import chart_of
from reporting.selectors.facts import market_clocks
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.market import later, tick

pytestmark = pytest.mark.django_db
DAY = 24 * 60


@pytest.fixture
def cell() -> Position:
    """100 shares and $10,000, seen at 100."""
    position = make_position(make_portfolio(make_user("ann")), anchor="100")
    make_quote("IBM", "100")
    tick(position)
    return position


def put_right(position: Position, *, shares: str = "0", cash: str = "0", at: float) -> None:
    adjust(
        position_id=position.pk,
        d_shares=micros(shares),
        d_cash=micros(cash),
        market_at=later(at),
        actor="user:ann",
        reason="bought elsewhere",
    )


def standing():
    (seen,) = cells_of(list(visible_positions(Position.objects.get().portfolio.owner)))
    return seen.standing


def test_shares_put_in_today_gain_from_the_price_of_that_moment_on(cell):
    make_quote("IBM", "101", at=later(DAY))
    put_right(cell, shares="10", cash="-50", at=DAY + 1)
    make_quote("IBM", "102", at=later(DAY + 2))
    assert standing().today == micros("210")  # 100 shares by 2, ten by 1
    assert standing().change == 0


def test_shares_taken_out_are_no_loss(cell):
    make_quote("IBM", "101", at=later(DAY))
    put_right(cell, shares="-40", at=DAY + 1)
    assert standing().today == micros("100")
    assert (standing().change, standing().alone) == (0, micros("16060"))


def test_left_alone_pays_later_shares_no_earlier_dividend(cell):
    dividend = announce_dividend(source="replay", symbol="IBM", ex_date=later(DAY).date(), dps=micros("1"))
    make_quote("IBM", "100", at=later(DAY))
    go_ex_dividend(position_id=cell.pk, dividend=dividend, market_at=later(DAY))
    put_right(cell, shares="10", at=DAY + 1)
    assert standing().alone == micros("21075")
    assert standing().change == 0


def test_the_chart_of_worth_adds_them_to_both_lines(cell):
    make_quote("IBM", "101", at=later(DAY))
    put_right(cell, shares="10", cash="500", at=DAY + 1)
    cell.refresh_from_db()
    drawn = chart_of(cell, market_clocks())
    assert drawn["values"] == drawn["alone"]
    assert drawn["alone"][-1] == 21_610.0

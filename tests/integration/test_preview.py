"""Settings tried on a cell's own history: the side in force now is the log's, the other one is what would have been."""

from datetime import date
from typing import Any

import pytest

from portfolios.domain.amounts import micros
from portfolios.models import Event, Position
from portfolios.services.positions import deposit, pause, resume, set_anchor, withdraw
from tests.integration.test_parity import BEGINS, BY_ANN, CELLS, Life, load_between, walk
from trading.market.selectors import market_now
from trading.models import Order
from trading.services.halts import halt, rearm
from trading.services.quarantine import quarantine, release_cell
from trading.simulation.preview import Preview, preview

pytestmark = pytest.mark.django_db


def looked_at(position: Position, **given: Any) -> Preview:
    rows = Position.objects.select_related("portfolio__settings_version", "settings_version")
    return preview(rows.get(pk=position.pk), given)


def own(position: Position) -> dict[str, Any]:
    position.refresh_from_db()
    return position.settings_version.given if position.settings_version else {}


@pytest.mark.django_db(transaction=True)
def test_the_side_in_force_now_is_the_log_of_a_replayed_cell() -> None:
    """Through a split and dividends, money in and out, a pause, a quarantine, a halt, people's orders and anchors."""
    load_between(BEGINS, date(2005, 3, 31))
    life = Life([CELLS[number] for number in (0, 1, 2, 4, 6)])
    walk("2005-02-08")
    life.each(deposit, amount=micros("500"))
    walk("2005-02-11")
    life.each(pause, reason="away")
    walk("2005-02-16")
    life.each(resume, reason="back")
    walk("2005-02-24")
    life.each(withdraw, amount=micros("200"))
    stop = halt(scope="portfolio", target_id=life.portfolio.pk, reason="a look", **BY_ANN)
    walk("2005-03-02")
    rearm(halt_id=stop.pk, reason="looked", **BY_ANN)
    walk("2005-03-04")
    for cell in life.cells:
        cell.refresh_from_db()
        words = {"market_at": market_now("replay"), "reason": "moved", **BY_ANN}
        set_anchor(position_id=cell.pk, price=cell.anchor * 99 // 100, **words)
    walk("2005-03-11")
    life.buy()
    walk("2005-03-15")
    for cell in life.cells:
        quarantine(position_id=cell.pk, why="a drill")
    walk("2005-03-17")
    for cell in life.cells:
        release_cell(position_id=cell.pk, reason="looked", **BY_ANN)
    walk("2005-03-31")
    kinds = set(Event.objects.values_list("type", flat=True))
    assert kinds >= {"split", "ex_dividend", "dividend_paid", "halted", "quarantined", "anchor_reset"}
    for cell in life.cells:
        found = looked_at(cell, **own(cell))
        assert found.logged.agrees, (cell, own(cell), found.logged)
        assert found.now == found.new
        assert (found.now.orders, found.logged.orders) == (found.counts["same"], found.now.orders)
        assert found.changed == []
        row = Position.objects.get(pk=cell.pk)
        assert found.now.value == row.cash + row.receivable + value_at(found, row)
    assert Order.objects.filter(origin="robot", filled_quantity__gt=0).count() > 60


def value_at(found: Preview, row: Position) -> int:
    from portfolios.domain.holding import value_of
    from trading.market.selectors import newest_quote

    return value_of(row.shares, newest_quote(row.symbol, row.source).last)

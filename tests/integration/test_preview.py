"""Settings tried on a cell's own history: the side in force now is the log's, the other one is what would have been."""

from datetime import date, timedelta
from typing import Any

import pytest

from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.models import Event, Position, SettingsVersion
from portfolios.services.positions import deposit, pause, resume, set_anchor, withdraw
from portfolios.services.settings import change_settings
from tests.factories import NOON, make_position, make_quote
from tests.integration.test_parity import BEGINS, BY_ANN, CELLS, Life, load_between, walk
from tests.market import later
from trading.market.base import Price
from trading.market.models import Quote
from trading.market.selectors import market_now
from trading.market.services import take_prices
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


QUARTERLY = ("100", "96.5", "97", "99.8", "103", "100", "96", "100")  # a quarter of an hour each, from noon on


def lived(prices: tuple[str, ...] = QUARTERLY, **traits: Any) -> Position:
    """A cell anchored at 100 with 100 shares and 10,000, which saw these prices; nothing was evaluated."""
    position = make_position(**({"anchor": "100", "symbol": "IBM"} | traits))
    make_quote("IBM", "100")
    seen(prices)
    return position


def seen(prices: tuple[str, ...], first: int = 1) -> None:
    at = [later(15 * (first + number)) for number in range(len(prices))]
    rows = zip(at, prices, strict=True)
    take_prices(source="replay", prices=[Price("IBM", moment, micros(price), 0, 0) for moment, price in rows])


def told(found: Preview) -> list[tuple[str, str, int, bool, bool]]:
    minutes = [(row.at - NOON) // timedelta(minutes=15) for row in found.changed]
    return [
        (row.what, row.side, minute, row.before is not None, row.after is not None)
        for row, minute in zip(found.changed, minutes, strict=True)
    ]


def test_orders_are_added_removed_and_resized() -> None:
    position = lived()
    same = looked_at(position)
    assert (same.counts["same"], same.changed, same.now) == (5, [], same.new)
    calmer = looked_at(position, tau="0.08")
    assert calmer.counts == {"added": 0, "removed": 5, "resized": 0, "same": 0}
    assert (calmer.new.orders, calmer.new.fees, calmer.new.turnover) == (0, 0, 0)
    assert [row[:3] for row in told(calmer)] == [
        ("removed", "BUY", 2), ("removed", "SELL", 4), ("removed", "SELL", 5), ("removed", "BUY", 7),
        ("removed", "SELL", 8),
    ]  # fmt: skip
    larger = looked_at(position, rebalance_ratio="0.1")
    assert larger.counts == {"added": 0, "removed": 0, "resized": 5, "same": 0}
    assert all(row.before and row.after and row.after > row.before for row in larger.changed)
    livelier = looked_at(position, tau="0.004", max_orders_per_day=50)
    assert livelier.counts["added"] > 0
    assert livelier.new.orders == livelier.now.orders + livelier.counts["added"] - livelier.counts["removed"]
    few = preview(position, {"tau": "0.08"}, most=1)
    assert (len(few.changed), few.unlisted) == (1, 4)


def test_settings_changed_in_its_life_are_said_beside_the_log() -> None:
    position = lived()
    assert looked_at(position).logged == (0, later(30), False, 0)
    words = {"author": position.portfolio.owner, "note": "", "market_at": later(60)}
    change_settings(portfolio_id=position.portfolio_id, position_id=position.pk, given={"tau": "0.08"}, **words)
    change_settings(portfolio_id=position.portfolio_id, given={"min_notional": "50"}, **words)
    found = looked_at(position)
    assert (found.logged.changes, found.logged.agrees) == (2, True)  # no order in the log, none under 8 %
    assert found.counts["added"] == 5
    assert found.seal.startswith("1.1.")


def test_a_persons_anchor_and_money_are_the_same_on_both_sides() -> None:
    position = lived(("100",))
    deposit(position_id=position.pk, amount=micros("500"), market_at=later(15), **BY_ANN)
    words = {"market_at": later(15), "reason": "so", **BY_ANN}
    set_anchor(position_id=position.pk, price=micros("90"), **words)
    found = looked_at(position, tau="0.2")
    assert [row.what for row in found.changed] == ["removed"]  # woken by the new anchor, it looks again at 100
    assert found.new.value == micros("20500")
    seen(("100",), first=2)
    pause(position_id=position.pk, market_at=later(30), reason="away", **BY_ANN)
    seen(("80", "120"), first=3)
    assert looked_at(position).now.orders == 1


def test_money_that_would_not_have_been_there_is_said() -> None:
    position = lived(("100",), cash="1000")
    withdraw(position_id=position.pk, amount=micros("950"), market_at=later(15), **BY_ANN)
    looked_at(position)
    with pytest.raises(Refused, match="Under the settings typed the cell would not have had what was taken out") as no:
        looked_at(position, guardrail_low="0.92", guardrail_high="0.999", target_weight="0.95")
    assert (no.value.code, no.value.status) == ("cannot_preview", 409)


def test_a_cell_without_history_says_so() -> None:
    position = make_position()
    with pytest.raises(Refused, match="has not been shown a price yet") as no:
        looked_at(position, tau="0.05")
    assert no.value.code == "cannot_preview"
    make_quote("IBM", "100")
    one = looked_at(position, tau="0.05")
    assert (one.quotes, one.now.orders, one.days, len(one.worths[0])) == (1, 0, [date(2007, 1, 3)], 1)
    assert one.now.value == micros("20000")


def test_a_cell_without_an_anchor_gets_it_from_the_first_price() -> None:
    found = looked_at(lived(anchor="0"), rebalance_ratio="0.1")
    assert found.counts["resized"] == 5


def test_too_many_prices_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    position = lived()
    monkeypatch.setattr("trading.simulation.own_quotes.MOST_QUOTES", 3)
    with pytest.raises(Refused, match="shown more than 3 prices"):
        looked_at(position)


def test_bid_and_ask_choose_as_the_rule_does_and_a_live_price_grows_old() -> None:
    """One quote whose last is far from the middle, one that arrived ten seconds late."""
    position = make_position(anchor="100")
    Position.objects.update(source="live")
    rows = [(15, "96", "99.9", "100.1", 0), (30, "96", "0", "0", 10), (45, "96", "0", "0", 0)]
    for minutes, last, bid, ask, late in rows:
        at = later(minutes)
        Quote.objects.create(
            symbol="IBM", source="live", at=at, received_at=at + timedelta(seconds=late),
            last=micros(last), bid=micros(bid) or None, ask=micros(ask) or None,
        )  # fmt: skip
    found = looked_at(position, max_last_to_mid="0.1", max_quote_age=60)
    assert [row[:3] for row in told(found)] == [("added", "BUY", 1), ("removed", "BUY", 3)]


def test_nothing_is_written() -> None:
    position = lived()
    before = Event.objects.count(), SettingsVersion.objects.count(), Position.objects.values().get()
    looked_at(position, tau="0.05")
    assert before == (Event.objects.count(), SettingsVersion.objects.count(), Position.objects.values().get())


@pytest.mark.parametrize(
    ("given", "field"),
    [({"tau": "9"}, "trigger_up"), ({"colour": "red"}, "colour"), ({"guardrail_low": "0.9"}, "guardrail_low")],
)
def test_settings_that_cannot_be_are_named_as_in_saving(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as no:
        looked_at(lived(), **given)
    assert no.value.code == "invalid_setting"
    assert no.value.field is not None
    assert no.value.field.startswith("settings/")


def test_machine_code_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a look again after a person's act."""
    position = lived()
    words = {"market_at": later(135), "reason": "so", **BY_ANN}
    set_anchor(position_id=position.pk, price=micros("90"), **words)
    interpreted = looked_at(position, tau="0.01")
    monkeypatch.setattr("trading.simulation.own_past.LONG", 1)
    monkeypatch.setattr("trading.simulation.preview.LONG", 1)
    assert looked_at(position, tau="0.01") == interpreted

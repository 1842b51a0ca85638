"""The totals of one cell, fact by fact, in numbers that can be checked in the head."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from portfolios.domain.amounts import MICROS
from reporting.comparison import Payout, Ratio
from reporting.metrics.definitions import Figures, Point, Totals, Worths, growth_of
from reporting.metrics.ledger import closing_of, from_rest, rest_of
from reporting.metrics.lots import Lot, Sale, remove, sell, split
from reporting.metrics.rows import QUOTE, Fact, Facts, Fill, Rails, Skip, Versions, instant
from reporting.metrics.running import Running, walk

MONDAY = datetime(2007, 1, 8, 15, tzinfo=UTC)
HOUR = 3_600_000
RAILS = Rails(250_000, 750_000, 250_000)


def at(hours: float = 0) -> int:
    return instant(MONDAY + timedelta(hours=hours))


def dollars(amount: float) -> int:
    return round(amount * MICROS)


def opened(shares: float = 100, cash: float = 10_000) -> Fact:
    return Fact(at(), 1, "position_created", dollars(shares), dollars(cash), about=Versions(0, 0))


def traded(hours: float, seq: int, side: str, shares: float, price: float, decision: float = 0) -> Fact:
    notional, fee = dollars(shares * price), dollars(1)
    sign = 1 if side == "BUY" else -1
    fill = Fill(side, notional, fee, dollars(price), dollars(decision))
    return Fact(at(hours), seq, "order_filled", sign * dollars(shares), -sign * notional - fee, about=fill)


def prices(*steps: tuple[float, float]) -> list[tuple[int, int, int]]:
    return [(at(hours), QUOTE, dollars(price)) for hours, price in steps]


def run(
    *events: Fact, quotes: Any = (), actions: Any = (), until: float, start: Running | None = None
) -> list[Running]:
    facts = Facts(events, [], quotes, actions, lambda portfolio, cell: RAILS)
    return list(walk(start or Running(), facts, at(until)))


def figures(running: Running) -> Figures:
    closing = closing_of(running)
    return Figures(closing.totals, Worths(), closing.worths, closing.growth)


def test_a_sale_takes_the_oldest_shares_and_each_lot_it_touches_is_a_round_trip():
    left, sale = sell([Lot(10, 100), Lot(10, 200)], 15, 450)
    assert left == [Lot(5, 100)]
    assert sale == Sale(trips=2, wins=2, realised=450 - 100 - 100)


def test_no_micro_is_lost_however_oddly_a_lot_is_divided():
    lots, realised = [Lot(7, 100)], 0
    for _ in range(7):
        lots, sale = sell(lots, 1, 33)
        realised += sale.realised
    assert (lots, realised) == ([], 7 * 33 - 100)


def test_a_split_changes_the_shares_and_not_what_they_cost():
    assert split([Lot(3, 30), Lot(4, 50)], 7, 10) == [Lot(4, 30), Lot(6, 50)]


def test_shares_that_are_taken_out_are_no_sale():
    assert remove([Lot(10, 100)], 4) == [Lot(6, 60)]


def test_a_round_trip_counts_the_fees_of_both_sides():
    (day,) = run(
        opened(shares=0),
        traded(1, 2, "BUY", 10, 100, decision=99),
        traded(2, 3, "SELL", 10, 100.1, decision=100.1),
        quotes=prices((0, 100)),
        until=3,
    )
    told = figures(day)
    assert told.hit_rate == 0  # a dollar won, two paid in fees
    assert (told.realised, told.fees) == (dollars(-1), dollars(2))
    assert told.slippage_bps == pytest.approx(1000 / 2001 * (1 / 99) * 10_000)


def test_turnover_and_fee_drag_are_of_the_mean_value_over_time():
    (day,) = run(opened(shares=0, cash=10_000), traded(0, 2, "BUY", 10, 100), quotes=prices((0, 100)), until=8.76)
    assert figures(day).turnover == pytest.approx(1_000 / 9_999 * 1_000)  # 8.76 hours are a thousandth of a year
    assert figures(day).fee_drag == pytest.approx(1 / 9_999 * 1_000)


def test_guardrail_time_runs_from_the_price_that_crosses_to_the_one_that_comes_back():
    (day,) = run(opened(), quotes=prices((0, 100), (1, 310), (3, 200)), until=4)  # 75.6 % stock for two of four hours
    assert figures(day).guardrail_time_pct == 50


def test_money_comes_and_goes_without_being_a_profit():
    deposit = Fact(at(2), 2, "deposited", cash=dollars(1_000))
    shares_in = Fact(at(3), 3, "adjusted", shares=dollars(5), cash=dollars(-20))
    (day,) = run(opened(), deposit, shares_in, quotes=prices((0, 100)), until=4)
    told = figures(day)
    assert (told.value, told.profit, told.totals.flow) == (dollars(21_480), 0, dollars(21_480))
    assert (told.against_alone, told.against_held) == (0, 0)
    assert told.growth == 1


def test_left_alone_and_buy_and_hold_get_their_dividends_after_tax_and_their_splits():
    actions = [Payout(date(2007, 1, 9), dollars(2)), Ratio(date(2007, 1, 9), 2, 1)]
    booked = Fact(at(24), 2, "split", shares=dollars(100))
    paid = Fact(at(24), 3, "dividend_paid", cash=dollars(150))
    *_, day = run(opened(), booked, paid, quotes=prices((0, 100), (24, 50)), actions=actions, until=25)
    assert closing_of(day).worths == Worths(dollars(20_150), dollars(20_150), dollars(20_300))
    assert day.totals.received == dollars(150)
    assert [lot.quantity for lot in day.lots] == [dollars(200)]


def test_nothing_counts_before_the_first_price_is_known():
    (day,) = run(opened(), quotes=prices((5, 90)), until=6)
    assert day.totals.priced_ms == HOUR
    assert day.totals.flow == dollars(19_000)


def test_a_skip_is_one_span_however_many_prices_it_lasts():
    skip = Fact(at(1), 2, "skipped", robot=True, about=Skip("BUY", dollars(97), "below_min_notional"))
    asked = Fact(at(2), 3, "skipped", about=Skip("BUY", dollars(97), "below_min_notional"))
    ended = Fact(at(5), 4, "evaluated", robot=True)
    order = Fact(at(5), 5, "order_intent", about="trigger_down")
    quotes = prices((0, 100), (1, 97), (2, 96), (3, 98), (4, 95), (5, 80), (6, 90))
    (day,) = run(opened(), skip, asked, ended, order, quotes=quotes, until=7)
    assert (day.totals.skips, day.totals.skip_quotes, day.totals.fired) == (1, 3, 2)
    assert figures(day).min_notional_skip_share == 0.5


def test_a_closed_cell_is_told_no_further():
    closed = Fact(at(1), 2, "closed", state="closed")
    *_, day = run(opened(), closed, quotes=prices((0, 100), (2, 200), (30, 300)), until=31)
    assert (day.price, day.totals.priced_ms) == (dollars(100), HOUR)


def test_stopping_and_going_on_at_any_moment_gives_the_same():
    events = [opened(), traded(1, 2, "BUY", 10, 97, 97), traded(26, 3, "SELL", 12, 101, 100)]
    quotes = prices((0, 100), (1, 97), (20, 99), (26, 101), (50, 96))
    whole = run(*events, quotes=quotes, until=51)
    for hours in (0, 1, 13, 14, 20, 26, 40, 50):
        half = run(
            *(event for event in events if event.at <= at(hours)),
            quotes=[quote for quote in quotes if quote[0] <= at(hours)],
            until=hours,
        )
        start = from_rest(rest_of(half[-1]))
        rest = run(
            *(event for event in events if event.seq > start.seq),
            quotes=[quote for quote in quotes if quote[0] > start.quote_at],
            until=51,
            start=start,
        )
        days = {running.day: running for running in [*half, *rest]}
        assert list(days.values()) == whole


def test_returns_are_chained_by_day_whatever_money_came_between():
    def point(day: int, value: int, flow: int) -> Point:
        return Point(date(2007, 1, day), Worths(value, 0, 0), flow)

    assert growth_of([point(8, 110, 100), point(9, 231, 200)], None) == pytest.approx(1.1 * 1.1)
    assert growth_of([], None) is None
    assert Figures(Totals(), Worths(), Worths(), None).time_weighted is None

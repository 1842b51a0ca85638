"""Dividends and splits: each step once, the same amount from receivable to cash, no trade that only a split caused."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dividends.models import Dividend, Entitlement, Split, SplitApplication
from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from portfolios.models import Event, Position
from portfolios.services.settings import change_settings
from tests.factories import FIRST_DAY, NOON, make_position, make_quote
from tests.fake_broker import FAKE, VENUE, Venue
from tests.market import assert_sound, later, story, tick
from trading.domain.choices import Side
from trading.market.models import Bar, MarketClock
from trading.market.services import begin_clock
from trading.models import Order
from trading.services.corporate_actions import apply_due, go_ex_due, pay_due, split_due
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order
from trading.services.ordering import place_order
from trading.services.replay import next_step, release_step

pytestmark = pytest.mark.django_db
EX_DAY = date(2007, 1, 4)
EX_OPEN = datetime(2007, 1, 4, 14, 30, tzinfo=UTC)


def pay(dps: str = "0.82", **more: Any) -> Dividend:
    return announce_dividend(source="replay", symbol="IBM", ex_date=EX_DAY, dps=micros(dps), **more)


def split(numerator: int = 2, denominator: int = 1) -> Split:
    return announce_split(source="replay", symbol="IBM", ex_date=EX_DAY, numerator=numerator, denominator=denominator)


def due(day: date = EX_DAY) -> int:
    return apply_due(source="replay", day=day, market_at=EX_OPEN)


def fresh(position: Position) -> Position:
    return Position.objects.get(pk=position.pk)


def test_a_hundred_shares_and_82_cents() -> None:
    position = make_position(anchor="150")
    pay()
    assert due() == 1
    entitlement = Entitlement.objects.get()
    amounts = (entitlement.shares, entitlement.gross, entitlement.tax, entitlement.net)
    assert amounts == (micros("100"), micros("82"), micros("20.5"), micros("61.5"))
    cell = fresh(position)
    assert (cell.receivable, cell.cash, cell.anchor) == (micros("61.5"), micros("10000"), micros("149.18"))
    assert_sound()


def test_an_unknown_pay_date_is_thirty_days_on_and_marked() -> None:
    assumed = pay()
    assert (assumed.pay_date, assumed.pay_date_assumed) == (date(2007, 2, 3), True)
    Dividend.objects.all().delete()
    assert pay(pay_date=date(2007, 1, 31)).pay_date_assumed is False


def test_on_the_pay_date_the_same_amount_becomes_cash() -> None:
    position = make_position(anchor="150")
    pay()
    due()
    assert pay_due(source="replay", day=date(2007, 2, 2), market_at=NOON) == 0
    assert pay_due(source="replay", day=date(2007, 2, 3), market_at=NOON) == 1
    cell = fresh(position)
    assert (cell.receivable, cell.cash) == (0, micros("10061.5"))
    assert story(cell) == ["ex_dividend", "dividend_paid"]
    assert_sound()


def test_every_step_happens_once_however_often_it_runs() -> None:
    position = make_position(anchor="150")
    pay()
    split()
    for _ in range(3):
        due(date(2007, 2, 3))
    assert sorted(story(position)) == ["dividend_paid", "ex_dividend", "split"]
    assert_sound()


def test_only_who_held_the_shares_at_the_close_before_is_entitled() -> None:
    before = make_position(anchor="150")
    after = make_position(before.portfolio, anchor="150")
    Position.objects.filter(pk=after.pk).update(opened_on=EX_DAY)
    pay()
    assert due() == 1
    assert Entitlement.objects.get().position == before
    assert fresh(after).anchor == micros("150")


def test_a_cell_without_shares_gets_nothing_but_its_anchor_follows_the_price() -> None:
    position = make_position(shares="0", anchor="150")
    pay()
    due()
    assert (fresh(position).receivable, fresh(position).anchor) == (0, micros("149.18"))


def test_the_withholding_of_the_day_applies() -> None:
    position = make_position(anchor="150")
    owner = position.portfolio.owner
    given = {"withholding": "0.15"}
    change_settings(portfolio_id=position.portfolio_id, given=given, author=owner, note="", market_at=NOON)
    pay()
    due()
    assert fresh(position).receivable == micros("69.7")


@pytest.mark.parametrize("anchor", ["0.82", "0.5"])
def test_a_dividend_as_large_as_the_anchor_clears_it_and_pauses_the_cell(anchor: str) -> None:
    position = make_position(anchor=anchor)
    pay()
    due()
    assert (fresh(position).anchor, fresh(position).state) == (0, "paused")
    assert story(position) == ["ex_dividend", "anchor_cleared", "paused"]
    assert_sound()


def test_a_split_doubles_the_shares_and_halves_the_anchor() -> None:
    position = make_position(anchor="150")
    split()
    due()
    assert (fresh(position).shares, fresh(position).anchor) == (micros("200"), micros("75"))
    application = SplitApplication.objects.get()
    assert (application.shares_before, application.shares_after) == (micros("100"), micros("200"))
    assert_sound()


def test_a_fraction_that_cannot_be_held_is_paid_in_cash() -> None:
    position = make_position(shares="101", anchor="150", fractional=False)
    make_quote(price="90")
    split(3, 2)
    due()
    cell = fresh(position)
    assert (cell.shares, cell.cash) == (micros("151"), micros("10030"))  # half a share at 90 * 2/3
    assert SplitApplication.objects.get().cash_in_lieu == micros("30")
    assert_sound()


def test_an_open_order_is_cancelled_before_the_split() -> None:
    position = make_position(anchor="100")
    make_quote(price="97")
    order = evaluate_position(position_id=position.pk).order
    split()
    due()
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert story(position)[-2:] == ["order_cancelled", "split"]
    assert fresh(position).reserved_cash == 0
    assert_sound()


@pytest.fixture
def silent_venue(settings) -> Venue:
    settings.BROKERS = FAKE
    VENUE.open_again()
    VENUE.lost_answers = 1
    return VENUE


def test_a_split_waits_for_an_order_of_unknown_fate_and_nothing_is_decided_meanwhile(silent_venue) -> None:
    position = make_position(anchor="100")
    make_quote(price="97")
    order = tick(position)
    assert order.status == "unknown"
    split()
    assert due() == 0
    make_quote(price="48.5", at=EX_OPEN)
    MarketClock.objects.update(day=EX_DAY)
    execute_order(order_id=order.pk)
    assert evaluate_position(position_id=position.pk).decision is None
    asked = evaluate_position(position_id=position.pk, asked_by="user:ann")
    assert asked.event.content["outputs"]["reason"] == "split_due"
    assert due() == 1
    assert fresh(position).shares == 2 * (micros("100") + order.quantity)
    assert evaluate_position(position_id=position.pk).order is None  # 48.5 is what 97 was
    assert_sound()


def record_bars(*prices: tuple[date, str, str]) -> None:
    """Bars of IBM by day, open and close."""
    for day, first, last in prices:
        low, high = sorted((micros(first), micros(last)))
        Bar.objects.create(symbol="IBM", day=day, open=micros(first), high=high, low=low, close=micros(last))
    begin_clock(source="replay", begins_on=FIRST_DAY)


def walk(steps: int) -> None:
    for _ in range(steps):
        release_step(next_step(MarketClock.objects.get(source="replay")))
        for position in Position.objects.order_by("pk"):
            tick(position)


def test_at_the_exactly_adjusted_price_a_split_triggers_nothing() -> None:
    position = make_position(anchor="97.3")
    record_bars((FIRST_DAY, "97.3", "97.3"), (EX_DAY, "48.65", "48.65"))
    split()
    walk(4)
    assert story(position) == ["split"]
    assert fresh(position).anchor == micros("48.65")
    assert Order.objects.count() == 0


def test_a_day_begins_with_the_split_then_the_ex_date_then_payments_then_decisions() -> None:
    position = make_position(anchor="100")
    record_bars((FIRST_DAY, "100", "100"), (EX_DAY, "48", "48"))
    paid_today = announce_dividend(
        source="replay", symbol="IBM", ex_date=date(2006, 12, 29), dps=micros("1"), pay_date=EX_DAY
    )
    Entitlement.objects.create(position=position, dividend=paid_today, shares=0, gross=0, tax=0, net=0)
    split()
    pay("0.25")
    walk(3)
    kinds = ["split", "ex_dividend", "dividend_paid", "evaluated", "order_intent", "order_submitted", "order_filled"]
    assert story(position) == [*kinds, "anchor_updated"]
    assert Entitlement.objects.get(dividend__ex_date=EX_DAY).shares == micros("200")
    assert Event.objects.of(position).get(type="evaluated").content["inputs"]["anchor"] == "49.75"
    assert set(Event.objects.of(position).filter(seq__gt=1).values_list("market_at", flat=True)) == {EX_OPEN}
    assert_sound()


def test_shares_bought_on_the_ex_date_get_nothing() -> None:
    position = make_position(anchor="100")
    record_bars((FIRST_DAY, "100", "97"), (EX_DAY, "93", "93"))
    pay("1")
    walk(4)
    bought_before = Order.objects.order_by("pk").first().quantity
    assert Order.objects.count() == 2
    assert Entitlement.objects.get(position=position).shares == micros("100") + bought_before


def test_a_persons_resting_order_does_not_survive_a_split() -> None:
    position = make_position()
    make_quote(price="100")
    order = place_order(
        position_id=position.pk,
        side=Side.SELL,
        quantity=micros("10"),
        limit=micros("120"),
        author=position.portfolio.owner,
        actor="user:ann",
        key="k",
    )
    execute_order(order_id=order.pk)
    split()
    assert split_due(source="replay", day=EX_DAY, market_at=later()) == 0  # the broker is asked first
    execute_order(order_id=order.pk)
    assert split_due(source="replay", day=EX_DAY, market_at=later()) == 1
    order.refresh_from_db()
    assert (order.status, fresh(position).reserved_shares) == ("cancelled", 0)


def test_a_closed_cell_is_left_alone() -> None:
    position = make_position(anchor="100")
    Position.objects.filter(pk=position.pk).update(state="closed")
    pay()
    assert go_ex_due(source="replay", day=EX_DAY + timedelta(days=1), market_at=later()) == 0

"""Every race we claim to survive, run with threads on PostgreSQL."""

from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from portfolios.models import Event, Position, SettingsVersion
from portfolios.services.positions import create_position, deposit, withdraw
from portfolios.services.settings import change_settings
from tests.at_once import at_once
from tests.factories import FIRST_DAY, NOON, make_portfolio, make_position, make_quote
from tests.fake_broker import FAKE, VENUE, Venue
from tests.market import assert_sound, later, make_fallen_cell, story, tick
from trading.brokers.base import Report
from trading.domain.choices import Side
from trading.models import Execution, Order
from trading.services.corporate_actions import apply_due
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order, fill_by_hand, record_report
from trading.services.ordering import cancel_order, place_order

pytestmark = pytest.mark.django_db(transaction=True)
EX_DAY = date(2007, 1, 4)


@pytest.fixture
def venue(settings) -> Venue:
    settings.BROKERS = FAKE
    VENUE.open_again()
    return VENUE


def failures(outcomes: list[Any]) -> list[Any]:
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


def order_of(position: Position) -> Order:
    return evaluate_position(position_id=position.pk).order


def test_ten_workers_with_one_quote_make_one_order() -> None:
    position = make_fallen_cell()
    outcomes = at_once(*[partial(evaluate_position, position_id=position.pk)] * 10)
    assert sum(outcome.order is not None for outcome in outcomes) == 1
    assert Order.objects.get().quantity == micros("10.4687")
    assert story(position) == ["evaluated", "order_intent"]
    assert_sound()


def test_ten_people_who_tick_at_once_make_one_order() -> None:
    position = make_fallen_cell()
    at_once(*[partial(evaluate_position, position_id=position.pk, asked_by=f"user:{name}") for name in "abcdefghij"])
    assert Order.objects.count() == 1
    assert sorted(story(position)) == ["evaluated", "order_intent"] + ["skipped"] * 9
    assert_sound()


def test_ten_workers_executing_one_order_buy_once(venue) -> None:
    position = make_fallen_cell()
    order = order_of(position)
    venue.delay = 0.05  # long enough for the others to find it sending
    outcomes = at_once(*[partial(execute_order, order_id=order.pk)] * 10)
    assert failures(outcomes) == []
    assert venue.bought() == Order.objects.get().filled_quantity == micros("10.4687")
    assert Execution.objects.count() == 1
    assert_sound()


def test_ten_workers_executing_one_paper_order_buy_once() -> None:
    position = make_fallen_cell()
    order = order_of(position)
    outcomes = at_once(*[partial(execute_order, order_id=order.pk)] * 10)
    assert failures(outcomes) == []
    position.refresh_from_db()
    assert position.shares == micros("110.4687")
    assert story(position).count("order_filled") == story(position).count("anchor_updated") == 1
    assert_sound()


def test_a_lost_answer_does_not_buy_twice(venue) -> None:
    position = make_fallen_cell()
    order = order_of(position)
    venue.lost_answers = 1
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "unknown"
    at_once(*[partial(execute_order, order_id=order.pk)] * 4)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("filled", order.quantity)
    assert venue.submissions == [order.client_order_id]
    assert venue.bought() == order.quantity
    assert_sound()


def test_a_request_that_never_arrived_is_sent_again_under_the_same_id(venue) -> None:
    position = make_fallen_cell()
    order = order_of(position)
    venue.lost_requests = 1
    execute_order(order_id=order.pk)
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "filled"
    assert venue.submissions == [order.client_order_id] * 2
    assert venue.bought() == order.quantity
    assert_sound()


def test_a_fill_reported_ten_times_at_once_books_once(venue) -> None:
    venue.open_again("rests")
    position = make_fallen_cell()
    order = order_of(position)
    execute_order(order_id=order.pk)
    fill = venue.fill(order.client_order_id, order.quantity, micros("97"))
    at_once(*[partial(record_report, order_id=order.pk, report=Report("filled", (fill,)))] * 10)
    position.refresh_from_db()
    assert position.shares == micros("110.4687")
    assert Execution.objects.count() == 1
    assert story(position).count("order_filled") == 1
    assert_sound()


def test_parts_that_arrive_at_once_and_out_of_order_book_each_once(venue) -> None:
    venue.open_again("rests")
    position = make_fallen_cell()
    order = order_of(position)
    execute_order(order_id=order.pk)
    sizes = [micros("2")] * 5
    parts = [venue.fill(order.client_order_id, size, micros("97")) for size in [*sizes, order.quantity - sum(sizes)]]
    reports = [Report("partially_filled", (part,)) for part in reversed(parts)]
    at_once(*[partial(record_report, order_id=order.pk, report=report) for report in reports * 2])
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("filled", order.quantity)
    assert Execution.objects.count() == 6
    assert order.notional == sum(Execution.objects.values_list("notional", flat=True)) == micros("1015.4639")
    assert_sound()


def test_deposits_racing_evaluations_conserve_money() -> None:
    position = make_fallen_cell()
    paid_in = partial(deposit, position_id=position.pk, amount=micros("10"), market_at=NOON, actor="user:ann")
    at_once(*[paid_in, partial(tick, position)] * 5)
    position.refresh_from_db()
    spent = sum(execution.notional + execution.commission for execution in Execution.objects.all())
    assert position.cash == micros("10050") - spent
    assert position.shares == micros("100") + Order.objects.get().filled_quantity
    assert_sound()


def test_cash_cannot_be_withdrawn_and_spent() -> None:
    position = make_position(shares="0", cash="1000", anchor="100", auto_rebalance=False, sizing="constant_mix")
    make_quote(price="97")
    take_all = partial(withdraw, position_id=position.pk, amount=micros("1000"), market_at=NOON, actor="user:ann")
    at_once(take_all, partial(tick, position))
    position.refresh_from_db()
    assert position.cash >= 0
    assert (position.shares > 0) != (story(position)[0] == "withdrawn")
    assert_sound()


def test_a_cell_made_while_the_settings_change_is_ruled_by_the_new_ones() -> None:
    portfolio = make_portfolio()
    make_position(portfolio, symbol="AAPL")
    new_rules = partial(
        change_settings,
        portfolio_id=portfolio.pk,
        given={"guardrail_high": "0.6"},
        author=portfolio.owner,
        note="",
        market_at=NOON,
    )
    new_cell = partial(
        create_position,
        portfolio_id=portfolio.pk,
        symbol="IBM",
        shares=0,
        cash=micros("1000"),
        market_at=NOON,
        opened_on=FIRST_DAY,
        actor="user:ann",
        given_settings={"guardrail_low": "0.65"},  # lawful under the old settings only
    )
    outcomes = at_once(new_rules, new_cell)
    assert [error.code for error in failures(outcomes)] == ["invalid_setting"]
    assert SettingsVersion.objects.count() == 1
    assert_sound()


def test_two_changes_of_settings_at_once_are_two_versions() -> None:
    portfolio = make_portfolio()
    change = partial(
        change_settings, portfolio_id=portfolio.pk, author=portfolio.owner, note="", market_at=NOON, given={}
    )
    at_once(*[change] * 4)
    assert sorted(SettingsVersion.objects.values_list("number", flat=True)) == [1, 2, 3, 4]
    assert_sound()


def test_two_persons_orders_at_once_are_one_order_and_a_refusal() -> None:
    position = make_fallen_cell()
    buy = partial(
        place_order,
        position_id=position.pk,
        side=Side.BUY,
        quantity=micros("1"),
        limit=None,
        author=position.portfolio.owner,
        actor="user:ann",
    )
    outcomes = at_once(*[partial(buy, key=key) for key in "abcd"])
    assert sorted(getattr(outcome, "code", "made") for outcome in outcomes) == ["made"] + ["order_open"] * 3
    assert_sound()


def test_a_cancel_that_races_the_fill_either_cancels_or_comes_too_late(venue) -> None:
    """Whoever wins, what the venue has filled is booked and nothing stays reserved."""
    venue.open_again("rests")
    position = make_fallen_cell()
    order = order_of(position)
    execute_order(order_id=order.pk)
    fill = venue.fill(order.client_order_id, order.quantity, micros("97"))
    at_once(
        partial(cancel_order, order_id=order.pk, actor="user:ann"),
        partial(record_report, order_id=order.pk, report=Report("filled", (fill,))),
    )
    position.refresh_from_db()
    assert position.shares == micros("110.4687")
    assert ("late_fill" in story(position)) == ("order_cancelled" in story(position))
    assert_sound()


def test_a_fill_by_hand_while_the_paper_broker_answers_is_not_filled_again() -> None:
    position = make_fallen_cell(order_type="limit", drift_bps=1000)
    order = order_of(position)
    make_quote(price="97.5", at=later())
    execute_order(order_id=order.pk)
    make_quote(price="96", at=later(2))
    by_hand = partial(fill_by_hand, order_id=order.pk, price=micros("97"), commission=None, actor="user:ann")
    at_once(
        partial(execute_order, order_id=order.pk),
        partial(by_hand, quantity=micros("4")),
        partial(execute_order, order_id=order.pk),
    )
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("filled", order.quantity)
    assert "quarantined" not in story(position)
    assert_sound()


def test_many_cells_locked_by_many_hands_never_wait_for_each_other_forever() -> None:
    portfolio = make_portfolio()
    cells = [make_position(portfolio, symbol=symbol, anchor="100") for symbol in ("AAPL", "GOOG", "IBM", "MSFT")]
    for cell in cells:
        make_quote(cell.symbol, "97")
    change = partial(
        change_settings, portfolio_id=portfolio.pk, author=portfolio.owner, note="", market_at=NOON, given={}
    )
    outcomes = at_once(change, *[partial(tick, cell) for cell in reversed(cells)], change, change)
    assert failures(outcomes) == []
    assert_sound()


def test_a_day_full_of_corporate_actions_and_new_settings_never_wait_in_a_circle() -> None:
    portfolio = make_portfolio()
    for symbol in ("MSFT", "IBM", "GOOG", "AAPL"):
        make_position(portfolio, symbol=symbol, anchor="100")
        announce_dividend(source="replay", symbol=symbol, ex_date=EX_DAY, dps=micros("1"))
    for symbol in ("AAPL", "GOOG"):  # splits come first, and these cells last
        announce_split(source="replay", symbol=symbol, ex_date=EX_DAY, numerator=2, denominator=1)
    change = partial(
        change_settings, portfolio_id=portfolio.pk, author=portfolio.owner, note="", market_at=NOON, given={}
    )
    outcomes = at_once(partial(apply_due, source="replay", day=EX_DAY, market_at=NOON), *[change] * 5)
    assert failures(outcomes) == []
    assert Event.objects.filter(type__in=("split", "ex_dividend")).count() == 6
    assert_sound()


def test_two_writers_of_one_stream_leave_no_gap() -> None:
    position = make_position()
    paid_in = partial(deposit, position_id=position.pk, amount=micros("1"), market_at=NOON, actor="user:ann")
    at_once(*[paid_in] * 12)
    assert list(Event.objects.of(position).values_list("seq", flat=True)) == list(range(1, 14))
    with transaction.atomic():
        assert Position.objects.locked().get(pk=position.pk).cash == micros("10012")
    assert_sound()

"""Two answers to one proposal at the same moment, and what approval does to a whole market."""

from datetime import date
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command

from portfolios.models import Event, Portfolio, Position
from portfolios.services.portfolios import create_portfolio
from tests.at_once import at_once
from tests.factories import make_portfolio, make_user
from tests.market import assert_sound, later, make_fallen_cell
from trading.market.models import MarketClock
from trading.models import Execution, Order
from trading.selectors import waiting_cells, waiting_orders
from trading.services.demonstration import load_history, open_half_and_half
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order
from trading.services.halts import halt
from trading.services.proposals import approve_proposal, dismiss_proposal, expire_proposals, set_approve_first
from trading.services.replay import SOURCE, clear_step, next_step, release_step

pytestmark = pytest.mark.django_db(transaction=True)
UNTIL = date(2007, 6, 29)


def proposal() -> Order:
    portfolio = make_portfolio()
    set_approve_first(portfolio_id=portfolio.pk, on=True, actor="user:ann")
    order = evaluate_position(position_id=make_fallen_cell(portfolio=portfolio).pk).order
    assert order is not None
    return order


def approving(order: Order) -> Any:
    return partial(approve_proposal, order_id=order.pk, actor="user:ann")


def intents() -> int:
    return Event.objects.filter(type="order_intent").count()


def test_ten_people_who_approve_at_once_send_one_order() -> None:
    order = proposal()
    outcomes = at_once(*[approving(order)] * 10)
    assert [outcome.status for outcome in outcomes] == ["new"] * 10
    assert intents() == 1
    assert_sound()


@pytest.mark.parametrize("_round", range(5))
def test_yes_no_and_too_late_at_once_come_to_one_of_them(_round: int) -> None:
    order = proposal()
    no = partial(dismiss_proposal, order_id=order.pk, reason="no", actor="user:bob")
    late = partial(expire_proposals, source=SOURCE, market_at=later(61))
    at_once(approving(order), no, late, approving(order))
    order.refresh_from_db()
    assert order.status in ("new", "cancelled", "expired")
    assert intents() == (order.status == "new")
    ends = Event.objects.filter(subject=order.public_id, type__in=("order_cancelled", "order_expired")).count()
    assert ends == (order.status != "new")
    assert_sound()


@pytest.mark.parametrize("_round", range(5))
def test_a_halt_at_the_moment_of_approval_lets_nothing_leave(_round: int) -> None:
    order = proposal()
    stop = partial(halt, scope="global", target_id=None, reason="stop", actor="user:bob")
    at_once(approving(order), stop)
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status in ("proposed", "cancelled")
    assert not Execution.objects.exists()
    assert_sound()


def walk(approves: bool) -> None:
    """As fast-forward does it, with a person who approves whatever is proposed in the same moment."""
    while True:
        step = next_step(MarketClock.objects.get(source=SOURCE))
        if step is None or step.day > UNTIL:
            return
        for order_id in clear_step(step):
            execute_order(order_id=order_id)
        quotes = release_step(step)
        for order_id in waiting_orders(quotes):
            execute_order(order_id=order_id)
        for position_id in waiting_cells(quotes):
            order = evaluate_position(position_id=position_id).order
            if order and order.status == "proposed" and approves:
                approve_proposal(order_id=order.pk, actor="user:ann")
            if order:
                execute_order(order_id=order.pk)


def four_cells(name: str) -> Portfolio:
    portfolio = create_portfolio(owner=make_user(name), name="Four")
    for symbol in ("AAPL", "GOOG", "IBM", "MSFT"):
        open_half_and_half(portfolio, symbol)
    return portfolio


def traded(portfolio: Portfolio) -> list[Any]:
    rows = Execution.objects.filter(order__position__portfolio=portfolio).order_by("at", "order__position__symbol")
    return list(rows.values_list("at", "order__position__symbol", "order__side", "quantity", "price", "commission"))


def held(portfolio: Portfolio) -> list[Any]:
    return list(Position.objects.filter(portfolio=portfolio).order_by("symbol").values_list("symbol", *AMOUNTS))


AMOUNTS = ("shares", "cash", "receivable", "reserved_cash", "reserved_shares", "anchor", "wake_below", "wake_above")


def test_whoever_approves_everything_at_once_trades_exactly_as_the_robot_alone() -> None:
    load_history()
    alone, asked = four_cells("alone"), four_cells("asked")
    set_approve_first(portfolio_id=asked.pk, on=True, actor="user:ann")
    walk(approves=True)
    assert len(traded(alone)) > 10
    assert traded(asked) == traded(alone)
    assert held(asked) == held(alone)
    assert_sound()


def test_whoever_never_answers_trades_nothing_and_loses_nothing() -> None:
    load_history()
    asked = four_cells("asked")
    set_approve_first(portfolio_id=asked.pk, on=True, actor="user:ann")
    call_command("feed", fast_forward_to=date(2007, 3, 30))
    orders = Order.objects.filter(position__portfolio=asked)
    assert set(orders.values_list("status", flat=True)) == {"expired", "proposed"}
    assert not Execution.objects.exists()
    assert_sound()

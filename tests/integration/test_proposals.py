"""Approve first: the robot proposes, a person sends. What waits reserves nothing and is looked at again."""

from datetime import timedelta

import pytest

from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.models import Account, Event, Position
from portfolios.services.positions import pause, withdraw
from tests.factories import NOON, make_portfolio, make_quote, make_user
from tests.market import assert_sound, later, make_fallen_cell, story
from trading.market.services import move_clock
from trading.models import Order
from trading.services.closing import close_position
from trading.services.corporate_actions import take_back_open
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order, fill_by_hand
from trading.services.proposals import (
    approve_proposal,
    dismiss_proposal,
    expire_proposals,
    set_approve_first,
    why_ended,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cell() -> Position:
    """A cell that has fallen to 97 in a portfolio where the robot proposes."""
    portfolio = make_portfolio()
    set_approve_first(portfolio_id=portfolio.pk, on=True, actor="user:ann")
    return make_fallen_cell(portfolio=portfolio)


def look(cell: Position) -> Order | None:
    return evaluate_position(position_id=cell.pk).order


def proposed(cell: Position) -> Order:
    order = look(cell)
    assert order is not None
    assert order.status == "proposed"
    return order


def approve(order: Order) -> Order:
    return approve_proposal(order_id=order.pk, actor="user:ann")


def now(order: Order) -> str:
    return str(Order.objects.values_list("status", flat=True).get(pk=order.pk))


def test_a_proposal_is_not_open_and_reserves_nothing(cell: Position) -> None:
    order = proposed(cell)
    execute_order(order_id=order.pk)
    cell.refresh_from_db()
    assert (now(order), cell.reserved_cash, order.quantity) == ("proposed", 0, micros("10.4687"))
    assert story(cell) == ["evaluated", "order_proposed"]
    assert_sound()


def test_it_is_good_for_an_hour_and_never_past_the_end_of_the_session(cell: Position) -> None:
    assert proposed(cell).expires_at == NOON + timedelta(hours=1)
    make_quote("IBM", "90", at=NOON + timedelta(hours=3, minutes=30))
    assert proposed(cell).expires_at == NOON + timedelta(hours=4)  # 16:00 in New York


def test_approved_it_is_an_order_like_any_other(cell: Position) -> None:
    order = approve(proposed(cell))
    cell.refresh_from_db()
    assert (order.status, cell.reserved_cash > 0) == ("new", True)
    execute_order(order_id=order.pk)
    assert now(order) == "filled"
    assert story(cell)[1:] == ["order_proposed", "order_intent", "order_submitted", "order_filled", "anchor_updated"]
    assert Event.objects.of(cell).get(type="order_intent").actor == "user:ann"
    assert_sound()


def test_twice_is_once(cell: Position) -> None:
    order = proposed(cell)
    approve(order)
    assert approve(order).status == "new"
    execute_order(order_id=order.pk)
    assert approve(order).status == "filled"
    assert Event.objects.filter(type="order_intent").count() == 1


def test_nothing_is_proposed_twice_while_the_price_is_near(cell: Position) -> None:
    order = proposed(cell)
    make_quote("IBM", "96.9", at=later(1))
    assert look(cell) is None
    skipped = Event.objects.of(cell).last().content
    assert skipped["outputs"]["gates"]["order_open"] == "a proposal waits"
    assert "a proposal waits" in skipped["message"]
    assert now(order) == "proposed"


def test_when_the_price_has_moved_on_the_old_one_gives_way(cell: Position) -> None:
    old = proposed(cell)
    make_quote("IBM", "96", at=later(1))
    new = proposed(cell)
    assert (now(old), now(new)) == ("expired", "proposed")
    assert "the price is 96 now" in why_ended(old)
    assert story(cell)[2:] == ["order_expired", "evaluated", "order_proposed"]


def test_a_price_that_moved_too_far_ends_it_at_approval(cell: Position) -> None:
    order = proposed(cell)
    make_quote("IBM", "96", at=later(1))
    assert approve(order).status == "expired"
    assert why_ended(order) == "Not sent: 97 became 96."
    assert approve(order).status == "expired"
    assert_sound()


def test_a_price_that_moved_a_little_is_paid_for_at_approval(cell: Position) -> None:
    order = proposed(cell)
    make_quote("IBM", "97.1", at=later(1))
    assert approve(order).reserved_cash == 1_016_510_770 + 101_652  # 10.4687 * 97.1, and one basis point


def test_what_nobody_answered_lapses_by_market_time(cell: Position) -> None:
    order = proposed(cell)
    assert expire_proposals(source="replay", market_at=order.expires_at) == 0
    after = order.expires_at + timedelta(seconds=1)
    assert expire_proposals(source="replay", market_at=after) == 1
    assert expire_proposals(source="replay", market_at=after) == 0
    assert (now(order), why_ended(order)) == ("expired", "Nobody approved it in time.")


def test_an_hour_late_is_too_late_to_approve(cell: Position) -> None:
    order = proposed(cell)
    make_quote("IBM", "97", at=later(61))
    assert approve(order).status == "expired"


def test_money_that_is_gone_by_now_ends_it(cell: Position) -> None:
    order = proposed(cell)
    withdraw(position_id=cell.pk, amount=micros("9500"), market_at=NOON, actor="user:ann")
    assert approve(order).status == "expired"
    assert "500 is free" in why_ended(order)
    assert_sound()


def test_a_dismissed_one_is_gone_and_says_why(cell: Position) -> None:
    order = proposed(cell)
    for _ in range(2):
        dismissed = dismiss_proposal(order_id=order.pk, reason="earnings tomorrow", actor="user:ann")
        assert dismissed.status == "cancelled"
    assert why_ended(order) == "Dismissed: earnings tomorrow"
    with pytest.raises(Refused, match="cancelled") as refused:
        approve(order)
    assert refused.value.code == "not_proposed"


@pytest.mark.parametrize("reason", ["", " ", "x" * 201, "a\nb", "\x00"])
def test_a_dismissal_without_a_reason_is_refused(cell: Position, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        dismiss_proposal(order_id=proposed(cell).pk, reason=reason, actor="user:ann")
    assert refused.value.code == "invalid_reason"


def test_what_was_never_proposed_is_not_approved_and_what_is_under_way_not_dismissed(cell: Position) -> None:
    order = approve(proposed(cell))
    with pytest.raises(Refused) as refused:
        dismiss_proposal(order_id=order.pk, reason="so", actor="user:ann")
    assert (refused.value.code, refused.value.status) == ("not_proposed", 409)
    other = look(make_fallen_cell(portfolio=make_portfolio(make_user("bob")), symbol="AAPL"))
    with pytest.raises(Refused) as refused:
        approve(other)
    assert refused.value.code == "not_proposed"


def freeze(cell: Position) -> None:
    Account.objects.filter(portfolios=cell.portfolio).update(state="frozen")


def age(cell: Position) -> None:
    move_clock(source="replay", at=later(59), day=NOON.date(), phase="open")


SHUT = {
    "paused": lambda cell: pause(position_id=cell.pk, market_at=NOON, actor="user:ann", reason="so"),
    "quarantined": lambda cell: Position.objects.filter(pk=cell.pk).update(state="quarantined"),
    "unreconciled": freeze,
    "stale_price": age,
    "market_closed": lambda cell: make_quote("IBM", "97", at=NOON + timedelta(days=4)),
}


@pytest.mark.parametrize("gate", SHUT)
def test_a_shut_gate_keeps_it_waiting(cell: Position, gate: str) -> None:
    order = proposed(cell)
    SHUT[gate](cell)
    with pytest.raises(Refused) as refused:
        approve(order)
    assert refused.value.code == gate
    assert now(order) == "proposed"


def test_without_a_broker_approving_means_that_a_person_does_it(cell: Position) -> None:
    portfolio = cell.portfolio
    set_approve_first(portfolio_id=portfolio.pk, on=False, actor="user:ann")
    Account.objects.filter(pk=portfolio.account_id).update(adapter="none")
    order = proposed(cell)
    execute_order(order_id=approve(order).pk)
    assert now(order) == "accepted"
    fill_by_hand(
        order_id=order.pk, price=micros("96.9"), quantity=order.quantity, commission=micros("1"), actor="user:ann"
    )
    cell.refresh_from_db()
    assert (now(order), cell.anchor, cell.shares) == ("filled", micros("96.9"), micros("110.4687"))
    assert_sound()


def test_switched_off_what_waits_is_dismissed_and_the_robot_goes_on(cell: Position) -> None:
    order = proposed(cell)
    set_approve_first(portfolio_id=cell.portfolio_id, on=False, actor="user:ann")
    assert now(order) == "cancelled"
    make_quote("IBM", "97", at=later(1))
    assert look(cell).status == "new"
    told = Event.objects.filter(type="approval_changed").values_list("actor", flat=True)
    assert list(told) == ["user:ann"] * 2


def test_a_cell_that_is_closed_leaves_no_proposal_behind(cell: Position) -> None:
    order = proposed(cell)
    close_position(position_id=cell.pk, actor="user:ann", reason="so")
    assert now(order) == "cancelled"
    assert_sound()


def test_a_split_meets_no_proposal(cell: Position) -> None:
    order = proposed(cell)
    take_back_open(cell.pk, NOON)
    assert now(order) == "cancelled"

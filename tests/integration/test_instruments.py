"""What is not traded at present gets no order, from nobody, and says why."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portfolios.errors import Refused
from portfolios.models import Event, Position, User
from tests.factories import NOON, make_portfolio, make_position, make_quote
from tests.integration.test_parity import assert_parity
from tests.market import assert_sound, later, make_fallen_cell, tick
from trading.brokers.models import Ability
from trading.cards import order_preview
from trading.domain.choices import Side
from trading.market.models import Instrument
from trading.models import Order
from trading.services.crowd import evaluate_cells
from trading.services.evaluation import evaluate_position, preview_position
from trading.services.execution import execute_order
from trading.services.lots import heed_lots
from trading.services.ordering import place_order
from trading.services.proposals import approve_proposal, set_approve_first
from trading.timeline import evaluations

pytestmark = pytest.mark.django_db
WHY = "this symbol is not traded at present"
THERE = "the broker does not trade this symbol at present"


def at_a_broker(cell: Position, **told: Any) -> None:
    """Its account is at one that has told what it can do."""
    account = cell.portfolio.account
    account.adapter = "alpaca"
    account.save(update_fields=["adapter"])
    Ability.objects.update_or_create(account=account.code, defaults={"probed_at": NOON} | told)


@pytest.fixture
def cell():
    Instrument.objects.create(symbol="IBM", tradable=False)
    return make_fallen_cell()


def test_the_robot_skips_and_says_why_and_goes_on_when_it_is_traded_again(cell) -> None:
    assert tick(cell) is None
    event = Event.objects.of(cell).get(type="skipped")
    assert event.content["outputs"]["gates"]["halted"] == WHY
    Instrument.objects.update(tradable=True)
    make_quote("IBM", "97", at=later())
    assert evaluate_position(position_id=cell.pk).order
    assert_sound()


def test_so_it_is_for_many_together(cell) -> None:
    evaluate_cells(position_ids=[cell.pk])
    assert Event.objects.of(cell).get(type="skipped").content["outputs"]["gates"]["halted"] == WHY
    assert Order.objects.count() == 0


def test_a_person_is_refused_with_the_reason(cell) -> None:
    author = User.objects.get(pk=cell.portfolio.owner_id)
    asked = {"position_id": cell.pk, "side": Side.BUY, "quantity": 1_000_000, "limit": None, "author": author}
    with pytest.raises(Refused, match=WHY):
        place_order(**asked, actor="user:test", key="k")
    Instrument.objects.update(tradable=True)
    assert place_order(**asked, actor="user:test", key="k").quantity == 1_000_000


@pytest.mark.parametrize("together", [False, True])
def test_what_the_account_cannot_trade_gets_no_order_and_says_so(together: bool) -> None:
    cell = make_fallen_cell()
    at_a_broker(cell, untradable=["IBM"])
    if together:
        evaluate_cells(position_ids=[cell.pk])
    else:
        evaluate_position(position_id=cell.pk)
    event = Event.objects.of(cell).get(type="skipped")
    assert event.content["outputs"]["gates"]["halted"] == THERE
    assert event.content["message"] == f"No buy at 97: {THERE}."
    assert preview_position(position=cell).gate_values["halted"] == THERE
    author = User.objects.get(pk=cell.portfolio.owner_id)
    with pytest.raises(Refused, match=THERE):
        place_order(
            position_id=cell.pk, side=Side.BUY, quantity=1, limit=None, author=author, actor="user:test", key="k"
        )
    with pytest.raises(Refused, match=THERE):
        order_preview(cell, Side.BUY, 1_000_000, None)
    at_a_broker(cell, untradable=["NVR"])
    make_quote("IBM", "97", at=later())
    assert order_preview(cell, Side.BUY, 1_000_000, None)
    assert preview_position(position=cell).gate_values["halted"] == "no"


@pytest.mark.parametrize("by_person", [False, True])
def test_an_order_that_has_not_left_when_trading_ends_does_not_leave(by_person: bool) -> None:
    cell = make_fallen_cell()
    if by_person:
        author = User.objects.get(pk=cell.portfolio.owner_id)
        order = place_order(
            position_id=cell.pk,
            side=Side.BUY,
            quantity=1_000_000,
            limit=None,
            author=author,
            actor="user:test",
            key="k",
        )
    else:
        order = evaluate_position(position_id=cell.pk).order
    Instrument.objects.create(symbol="IBM", tradable=False)
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert Event.objects.of(cell).get(type="order_cancelled").content["message"] == f"Not sent: {WHY}."
    assert_sound()


def test_an_order_for_parts_of_a_share_does_not_leave_when_they_are_traded_no_more() -> None:
    cell = make_fallen_cell()
    order = evaluate_position(position_id=cell.pk).order
    Instrument.objects.create(symbol="IBM", fractional=False)
    heed_lots()
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "cancelled"
    said = Event.objects.of(cell).get(type="order_cancelled").content["message"]
    assert said == "Not sent: it is for parts of shares that are not traded any more."
    cell.refresh_from_db()
    assert (cell.reserved_cash, cell.reserved_shares) == (0, 0)
    make_quote("IBM", "97", at=later())
    assert tick(cell).quantity == 10_000_000


def test_a_proposal_for_parts_of_a_share_has_passed_when_they_are_traded_no_more() -> None:
    cell = make_fallen_cell()
    set_approve_first(portfolio_id=cell.portfolio_id, on=True, actor="user:ann")
    order = evaluate_position(position_id=cell.pk).order
    Instrument.objects.create(symbol="IBM", fractional=False)
    heed_lots()
    assert approve_proposal(order_id=order.pk, actor="user:ann").status == "expired"


def test_the_timeline_and_the_replay_know_that_it_was_not_traded(cell) -> None:
    assert tick(cell) is None
    make_quote("IBM", "96.9", at=later())
    assert tick(cell) is None  # quiet: it has been said
    Instrument.objects.update(tradable=True)
    make_quote("IBM", "96.8", at=later(2))
    assert tick(cell)
    cell = Position.objects.select_related("portfolio__settings_version", "settings_version").get(pk=cell.pk)
    actions = [row.decision.action.name for row in evaluations(cell)]
    assert actions == ["SKIP", "SKIP", "BUY"]
    assert_parity(cell)


def test_less_than_a_lot_says_why_it_may_not_be_less() -> None:
    portfolio = make_portfolio()
    for symbol, settings, lot, words in (
        ("WM", {"fractional": False}, 0, "a whole share is left, and the cell's settings ask for whole shares"),
        ("BAC", {}, 1_000_000, "a whole share is left, and smaller parts are not traded"),
        ("IBM", {}, 500_000, "0.5 shares is left, and smaller parts are not traded"),
    ):
        Instrument.objects.create(symbol=symbol, lot=lot)
        cell = make_position(
            portfolio, symbol=symbol, shares="1", cash="100", anchor="100", min_notional="1", **settings
        )
        heed_lots()
        make_quote(symbol, "97")
        assert tick(cell) is None
        assert Event.objects.of(cell).get(type="skipped").content["message"] == f"No buy at 97: less than {words}."


def test_the_cockpit_says_why_nothing_is_ordered_and_in_which_steps(client: Client) -> None:
    cell = make_fallen_cell()
    client.force_login(cell.portfolio.owner)
    url = reverse("cockpit", args=[cell.public_id])
    plain = client.get(url).content.decode()
    assert 'id="untraded"' not in plain
    assert 'id="lot"' not in plain
    Instrument.objects.create(symbol="IBM", tradable=False, fractional=False)
    heed_lots()
    told = client.get(url).content.decode()
    assert f"No orders in IBM now:</strong> {WHY}." in told
    assert "orders in whole shares, smaller parts are not traded" in told
    Instrument.objects.update(tradable=True, fractional=True)
    heed_lots()
    at_a_broker(cell, untradable=["IBM"])
    assert f"No orders in IBM now:</strong> {THERE}." in client.get(url).content.decode()


def test_a_cell_is_opened_in_steps_that_are_traded_and_told_why(client: Client) -> None:
    cell = make_fallen_cell()
    client.force_login(cell.portfolio.owner)
    Instrument.objects.create(symbol="IBM", fractional=False)
    typed = {"ticker": "IBM", "stock": "10.5", "cash": "1000", "stock_in": "shares", "preset": "balanced"}
    said = client.post(reverse("open-cell"), typed)
    assert said.status_code == 422
    assert "Must be whole shares: IBM is traded in whole shares only" in said.content.decode()
    shown = client.get(reverse("position-new"), typed | {"stock": "100", "cash": "10000"}).content.decode()
    assert "Orders in whole shares only: sizes are rounded down." in shown

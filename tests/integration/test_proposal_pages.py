"""The pages of proposals: what waits, what it would do now, and the answer."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portfolios.models import Event, Position, User
from tests.factories import make_portfolio, make_quote, make_user
from tests.integration.browsing import page, queries, signed_in
from tests.market import later, make_fallen_cell
from trading.models import Order
from trading.services.evaluation import evaluate_position
from trading.services.proposals import set_approve_first

pytestmark = pytest.mark.django_db


@pytest.fixture
def cell() -> Position:
    portfolio = make_portfolio(make_user("ann"), bob="viewer", cat="trader")
    set_approve_first(portfolio_id=portfolio.pk, on=True, actor="user:ann")
    return make_fallen_cell(portfolio=portfolio)


@pytest.fixture
def order(cell: Position) -> Order:
    order = evaluate_position(position_id=cell.pk).order
    assert order is not None
    return order


def as_(name: str) -> Client:
    return signed_in(User.objects.get(username=name))


def answer(client: Client, door: str, order: Order, **body: str) -> Any:
    return client.post(reverse(door, args=[order.public_id]), body)


def test_what_waits_is_on_every_page_that_may_answer(order: Order, cell: Position) -> None:
    for name in ("orders", "reports"):
        assert "to approve" in page(as_("cat"), name)
        assert "to approve" not in page(as_("bob"), name)
    assert "A proposal waits: buy 10.4687" in page(as_("bob"), "cockpit", cell)
    assert "10.4687" in page(as_("bob"), "orders", status="proposed")


def test_the_order_says_what_it_would_do_now(order: Order) -> None:
    make_quote("IBM", "96.9", at=later(1))
    html = page(as_("ann"), "order", order)
    for text in ("$97.00", "$96.90", "$1,014.5", "Approve: buy 10.4687 IBM", "fell to the trigger", "Order proposed"):
        assert text in html, text
    assert "too far" not in html
    make_quote("IBM", "95", at=later(2))
    assert "too far" in page(as_("ann"), "order", order)
    assert queries(as_("ann"), "order", order) <= 19


def test_approving_sends_it_and_twice_is_once(order: Order) -> None:
    for said in ("Approved. The order goes out.", "It was approved already. Nothing goes out a second time."):
        answer = as_("cat").post(reverse("order-approve", args=[order.public_id]), follow=True)
        assert said in answer.content.decode()
        assert 'class="error"' not in answer.content.decode()
    order.refresh_from_db()
    assert order.status == "new"
    assert Event.objects.filter(subject=order.public_id, type="order_intent").count() == 1


def test_too_late_is_said(order: Order) -> None:
    make_quote("IBM", "95", at=later(1))
    said = as_("ann").post(reverse("order-approve", args=[order.public_id]), follow=True)
    assert "Not approved: Not sent: 97 became 95." in said.content.decode()


def test_dismissing_needs_a_reason_and_keeps_what_was_typed(order: Order) -> None:
    for reason in ("", "  ", "x" * 201, "a\nb"):
        refused = answer(as_("ann"), "order-dismiss", order, reason=reason)
        assert refused.status_code == 422
        assert "Not dismissed: the reason must be one line" in refused.content.decode()
        assert "Must be one line of at most 200 characters." in refused.content.decode()
    assert "xxx" in answer(as_("ann"), "order-dismiss", order, reason="x" * 201).content.decode()
    assert answer(as_("ann"), "order-dismiss", order, reason="earnings tomorrow").status_code == 302
    assert "earnings tomorrow" in page(as_("bob"), "order", order)


def test_viewers_see_no_button_and_answer_nothing(order: Order) -> None:
    html = page(as_("bob"), "order", order)
    assert "Whoever trades in this portfolio answers." in html
    assert "Approve: buy" not in html
    for door in ("order-approve", "order-dismiss"):
        assert answer(as_("bob"), door, order, reason="so").status_code == 403


def test_strangers_find_nothing(order: Order) -> None:
    dan = signed_in(make_user("dan"))
    for door in ("order-approve", "order-dismiss"):
        assert answer(dan, door, order, reason="so").status_code == 404


def test_the_owner_alone_turns_the_switch(cell: Position) -> None:
    portfolio = cell.portfolio
    address = reverse("portfolio-approval", args=[portfolio.public_id])
    assert "Let the robot send by itself" in page(as_("ann"), "portfolio-settings", portfolio)
    assert "Let the robot send by itself" not in page(as_("cat"), "portfolio-settings", portfolio)
    assert as_("cat").post(address, {"approve_first": "0"}).status_code == 403
    assert as_("ann").post(address, {"approve_first": "0"}).status_code == 302
    portfolio.refresh_from_db()
    assert portfolio.approve_first is False
    assert "Approve each order first" in page(as_("ann"), "portfolio-settings", portfolio)

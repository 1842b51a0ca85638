"""The pages of orders: what they list, tell and take back."""

import pytest
from django.urls import reverse

from portfolios.domain.amounts import micros
from portfolios.models import Position
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.integration.browsing import page, queries, signed_in
from tests.market import later, make_fallen_cell, tick
from trading.domain.choices import Side
from trading.models import Order
from trading.services.ordering import cancel_order, place_order

pytestmark = pytest.mark.django_db


def order_by_hand(position: Position, quantity: str = "2", limit: str | None = None, key: str = "k") -> Order:
    return place_order(
        position_id=position.pk,
        side=Side.BUY,
        quantity=micros(quantity),
        limit=micros(limit) if limit else None,
        author=position.portfolio.owner,
        actor="user:ann",
        key=key,
    )


@pytest.fixture
def ann():
    return make_user("ann")


@pytest.fixture
def client(ann):
    return signed_in(ann)


def test_orders_are_listed_newest_first_with_what_they_filled(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    tick(position)
    order_by_hand(position)
    html = page(client, "orders")
    assert html.index("ordered by a person") < html.index("fell to the trigger")
    assert "10.4687" in html
    assert "$97.00" in html


def test_the_list_is_filtered_and_an_unknown_filter_is_none(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    tick(position)
    order_by_hand(position)
    rows = {"status": "filled", "origin": "robot", "side": "BUY", "ticker": "ibm", "cell": position.public_id}
    for name, value in rows.items():
        assert "fell to the trigger" in page(client, "orders", **{name: value})
    assert "ordered by a person" not in page(client, "orders", origin="robot")
    assert "ordered by a person" in page(client, "orders", status="open")
    assert "No such orders" in page(client, "orders", side="SELL")
    assert page(client, "orders", status="'; DROP", before="forged").count("Fell to") == 0


def test_older_orders_are_on_the_next_page_each_once(ann, client):
    position = make_position(make_portfolio(ann))
    for number in range(51):
        cancel_order(order_id=order_by_hand(position, key=str(number)).pk, actor="user:ann")
    first = page(client, "orders", side="BUY")
    assert first.count("ordered by a person") == 50
    older = first.split('">Older</a>')[0].rsplit('href="?', 1)[1].replace("&amp;", "&")
    answer = client.get(f"{reverse('orders')}?{older}")
    assert answer.content.decode().count("ordered by a person") == 1
    assert ">Newest</a>" in answer.content.decode()


def test_the_list_costs_the_same_however_many_orders_there_are(ann, client):
    position = make_position(make_portfolio(ann))
    cancel_order(order_id=order_by_hand(position).pk, actor="user:ann")
    few = queries(client, "orders")
    for number in range(30):
        cancel_order(order_id=order_by_hand(position, key=str(number)).pk, actor="user:ann")
    assert queries(client, "orders") == few <= 6


def test_who_has_no_order_is_told_where_they_come_from(client):
    assert "No orders yet" in page(client, "orders")


def test_an_order_tells_its_states_its_fills_and_the_decision_behind_it(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    order = tick(position)
    html = page(client, "order", order)
    for text in ("Order written", "Order sent", "Order filled", "What was known", "No open order", "0.0\u00a0bps"):
        assert text in html
    assert queries(client, "order", order) <= 11


def test_an_order_of_a_person_has_no_decision_behind_it(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    html = page(client, "order", order_by_hand(position))
    assert "ann ordered it by hand" in html
    assert "Cancel this order" in html


def test_an_order_is_taken_back_once_however_often_it_is_asked(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    order = order_by_hand(position)
    for _ in range(2):
        answer = client.post(reverse("order-cancel", args=[order.public_id]), follow=True)
        assert "The order is cancelled" in answer.content.decode()
    position.refresh_from_db()
    assert position.reserved_cash == 0


def test_an_order_that_has_ended_is_not_taken_back(ann, client):
    position = make_fallen_cell(portfolio=make_portfolio(ann))
    order = tick(position)
    answer = client.post(reverse("order-cancel", args=[order.public_id]), follow=True)
    assert "Not cancelled: the order is filled." in answer.content.decode()


def test_who_may_only_look_sees_no_button_and_cancels_nothing(ann):
    position = make_position(make_portfolio(make_user("bob"), ann="viewer"))
    make_quote("IBM", "97", at=later(1))
    order = order_by_hand(position)
    client = signed_in(ann)
    assert "Cancel this order" not in page(client, "order", order)
    assert client.post(reverse("order-cancel", args=[order.public_id])).status_code == 403
    order.refresh_from_db()
    assert order.status == "new"


def test_orders_of_others_are_not_there(client):
    order = order_by_hand(make_fallen_cell(portfolio=make_portfolio(make_user("bob"))))
    assert "No orders yet" in page(client, "orders")
    assert client.get(reverse("order", args=[order.public_id])).status_code == 404
    assert client.get(reverse("orders"), {"cell": order.position.public_id}).status_code == 404

"""Lists that ask for themselves again get 304 while nothing has moved."""

import pytest

from tests.factories import make_portfolio, make_user
from tests.integration.browsing import signed_in
from tests.market import make_fallen_cell, tick
from trading.models import Order

pytestmark = pytest.mark.django_db
LIVE = {"HX-Request": "true"}


@pytest.mark.parametrize("address", ["/orders", "/dividends", "/audit?kind=trades"])
def test_a_list_is_not_sent_again_while_nothing_has_moved(address):
    ann = make_user("ann")
    cell = make_fallen_cell(portfolio=make_portfolio(ann))
    client = signed_in(ann)
    first = client.get(address, headers=LIVE)
    assert b'id="live"' in first.content
    again = client.get(address, headers=LIVE | {"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert signed_in(make_user("bob")).get(address, headers=LIVE | {"If-None-Match": first["ETag"]}).status_code == 200
    tick(cell)
    assert client.get(address, headers=LIVE | {"If-None-Match": first["ETag"]}).status_code == 200


def test_a_whole_page_is_always_made_anew():
    client = signed_in(make_user("ann"))
    answer = client.get("/orders", headers={"If-None-Match": "*"})
    assert answer.status_code == 200
    assert "ETag" not in answer
    assert "HX-Request" in answer["Vary"]


def test_the_page_of_an_order_tells_its_end_by_itself_but_takes_no_form_away_from_who_answers():
    ann = make_user("ann")
    cell = make_fallen_cell(portfolio=make_portfolio(ann))
    order, client = tick(cell), signed_in(ann)
    address = f"/orders/{order.public_id}"
    first = client.get(address, headers=LIVE)
    assert b'hx-trigger="every 2s"' in first.content
    assert client.get(address, headers=LIVE | {"If-None-Match": first["ETag"]}).status_code == 304
    assert signed_in(make_user("bob")).get(address, headers=LIVE | {"If-None-Match": first["ETag"]}).status_code == 404
    Order.objects.update(status="proposed")
    assert b"hx-trigger" not in client.get(address).content

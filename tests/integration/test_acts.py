"""Acts on a cell from its pages: foreseen first, done once, refused with the field at fault."""

import re

import pytest
from django.urls import reverse

from portfolios.domain.amounts import micros
from portfolios.models import Event, Position
from reporting.reading import money, shares
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.integration.browsing import page, queries, signed_in
from tests.market import later, make_fallen_cell, story, tick
from trading.models import Order
from trading.services.execution import execute_order
from trading.views.deeds import DEEDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return make_user("ann")


@pytest.fixture
def client(ann):
    return signed_in(ann)


@pytest.fixture
def cell(ann):
    """100 shares and 10,000 in cash at 100, its anchor: half in stock."""
    make_quote("IBM", "100")
    return make_position(make_portfolio(ann), anchor="100")


def foresee(client, cell, name, **typed) -> str:
    return page(client, f"act-{name}", cell, **typed)


def act(client, cell, name, key="k1", **typed):
    answer = client.post(reverse(f"act-{name}", args=[cell.public_id]), {"key": key, **typed}, follow=True)
    cell.refresh_from_db()
    return answer


def key_in(html: str) -> str:
    return re.search(r'name="key" value="(\w+)"', html)[1]


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_purchase_is_foreseen_with_cost_fee_and_stock_share_and_writes_nothing(client, cell):
    html = foresee(client, cell, "buy", qty="10")
    for text in ("$1,000.10", "$0.10", "50.0\u00a0%", "55.0\u00a0%"):
        assert text in html, text
    assert "Yes, buy" in html
    assert (Order.objects.count(), story(cell)) == (0, [])


def test_a_purchase_beyond_the_guardrail_is_warned_of(client, cell):
    assert "more stock than the high guardrail allows" in foresee(client, cell, "buy", qty="60")


def test_a_limit_that_is_not_reached_is_said_to_wait(client, cell):
    html = foresee(client, cell, "buy", qty="1", limit_price="90")
    assert "waits for its limit" in html
    assert "</strong> share of IBM" in html
    assert "waits for its limit" not in foresee(client, cell, "sell", qty="1", limit_price="90")


def test_a_limit_does_not_revalue_the_cell_it_is_foreseen_for(client, cell):
    """The cell is worth $20,000 at today's 100, whatever somebody is ready to pay."""
    generous = foresee(client, cell, "buy", qty="10", limit_price="150")
    assert "costs <strong>$1,000.10</strong>" in generous
    assert "$1,500.15 is reserved" in generous
    assert "$19,999.90" in generous
    assert "brings <strong>$999.90</strong>" in foresee(client, cell, "sell", qty="10", limit_price="80")
    waiting = foresee(client, cell, "sell", qty="10", limit_price="150")
    assert "brings <strong>$1,499.85</strong>" in waiting
    assert "50.0\u00a0%" in waiting
    assert "$25,000.00" not in waiting


def test_a_confirmed_purchase_is_an_order_of_that_person_once(client, cell):
    key = key_in(foresee(client, cell, "buy", qty="10"))
    first = act(client, cell, "buy", key, qty="10")
    assert "Order written: buy 10 shares." in words(first)
    again = act(client, cell, "buy", key, qty="10")
    assert "Done already, and once only" in words(again)
    order = Order.objects.get()
    assert (order.origin, order.author.username, order.quantity) == ("person", "ann", micros("10"))
    assert Event.objects.of(cell).last().actor == "user:ann"


def test_a_market_order_fills_at_the_price_it_was_shown_at_and_the_page_says_so(client, cell):
    html = foresee(client, cell, "buy", qty="10")
    assert "fills at once at the newest price while the market is open" in html
    assert "at about <strong>$100.00</strong>" in html
    act(client, cell, "buy", key_in(html), qty="10")
    order = execute_order(order_id=Order.objects.get().pk)
    assert (order.status, order.executions.get().price) == ("filled", micros("100"))


def test_one_key_does_not_carry_two_different_purchases(client, cell):
    act(client, cell, "deposit", "k", amount="5")
    answer = act(client, cell, "deposit", "k", amount="6")
    assert answer.status_code == 422
    assert "used for another request" in words(answer)
    assert ".." not in words(answer)
    assert cell.cash == micros("10005")


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("buy", {"qty": "-1"}, "Must be from 0.000001 to 1000000000000"),
        ("buy", {"qty": "1,5"}, "Must be a plain number: write 1.5, not 1,5"),
        ("buy", {"qty": "1,000"}, "Must be a plain number: write 1000 or 1.000, not 1,000"),
        ("buy", {"qty": "1e3"}, "Must be a plain number"),
        ("buy", {"qty": ""}, "This field is required"),
        ("buy", {"qty": "500"}, "is free"),
        ("buy", {"qty": "1", "limit_price": "0"}, "Must be from 0.0001 to 1000000"),
        ("sell", {"qty": "100.5"}, "At most 100 shares are free"),
        ("withdraw", {"amount": "10000.01"}, "at most 10000"),
        ("deposit", {"amount": "0"}, "Must be from 0.000001"),
        ("deposit", {"amount": "5", "note": "x" * 201}, "at most 200 characters"),
        ("adjust", {"qty": "-101", "reason": "x"}, "At most 100 can be taken away"),
        ("adjust", {"qty": "", "cash": "", "reason": "x"}, "Shares or cash must change"),
        ("adjust", {"qty": "1", "reason": ""}, "This field is required"),
        ("anchor", {"price": "1000001", "reason": "x"}, "Must be from 0.0001 to 1000000"),
        ("pause", {"reason": ""}, "This field is required"),
        ("resume", {"reason": "x\u2028y"}, "one line of plain text"),
    ],
)
def test_what_cannot_be_done_is_said_beside_its_field_before_and_after(client, cell, name, typed, said):
    html = foresee(client, cell, name, **typed)
    assert said in html
    assert 'name="key"' not in html
    answer = act(client, cell, name, **typed)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()
    for value in typed.values():
        assert f'value="{value[:200]}' in answer.content.decode()
    assert story(cell) == []


def test_cash_goes_in_and_out_with_its_note_in_the_log(client, cell):
    assert "$10,500.00" in foresee(client, cell, "deposit", amount="500")
    assert "$500.00 deposited." in words(act(client, cell, "deposit", amount="500", note="bonus"))
    assert "withdrawn" in words(act(client, cell, "withdraw", "k2", amount="300"))
    assert cell.cash == micros("10200")
    assert Event.objects.of(cell)[1].content["inputs"]["note"] == "bonus"


def test_shares_are_put_right_with_a_reason(client, cell):
    assert "101" in foresee(client, cell, "adjust", qty="1", reason="transfer")
    act(client, cell, "adjust", qty="1", cash="-2.5", reason="transfer")
    assert (cell.shares, cell.cash) == (micros("101"), micros("9997.5"))
    event = Event.objects.of(cell).last()
    assert (event.actor, event.content["inputs"]["reason"]) == ("user:ann", "transfer")


def test_an_anchor_from_which_a_trigger_has_fired_is_warned_of(client, cell):
    assert "The buy trigger has fired by then" in foresee(client, cell, "anchor", price="110", reason="x")
    assert "trigger has fired" not in foresee(client, cell, "anchor", price="101", reason="x")
    act(client, cell, "anchor", price="101", reason="new view")
    assert cell.anchor == micros("101")


def test_a_cell_is_paused_resumed_and_closed_with_reasons(client, cell):
    assert "Paused" in foresee(client, cell, "pause", reason="holiday")
    assert "The cell is paused" in words(act(client, cell, "pause", reason="holiday"))
    assert cell.state == "paused"
    assert "Resume" in page(client, "cockpit", cell)
    act(client, cell, "resume", "k2", reason="back")
    assert cell.state == "active"
    assert "Closed" in foresee(client, cell, "close", reason="enough")
    act(client, cell, "close", "k3", reason="enough")
    assert cell.state == "closed"
    assert [event.actor for event in Event.objects.of(cell)[1:]] == ["user:ann"] * 3


def test_a_closed_cell_offers_its_cash_only(client, cell):
    act(client, cell, "close", reason="enough")
    html = page(client, "cockpit", cell)
    assert "Withdraw" in html
    assert "Evaluate now" not in html
    assert html.count("nothing is traded any more") == 2
    assert "or below" not in html
    assert 'id="ladder"' not in html
    assert "cell is closed" in words(act(client, cell, "buy", "k2", qty="1"))


def test_who_closes_a_cell_is_told_that_its_shares_stay_in_it_for_good(client, cell):
    assert "100 shares would stay in it for good" in foresee(client, cell, "close", reason="enough")
    act(client, cell, "adjust", qty="-100", reason="transfer")
    assert "for good:" not in foresee(client, cell, "close", reason="enough")


def test_what_is_in_a_closed_cell_is_found_from_the_overview(client, cell):
    act(client, cell, "close", reason="enough")
    portfolio = cell.portfolio
    assert reverse("portfolio", args=[portfolio.public_id]) in page(client, "overview")
    html = page(client, "portfolio", portfolio)
    assert "1 closed" in html
    assert "No open cells" in html
    assert reverse("cockpit", args=[cell.public_id]) in html
    assert "$10,000.00" in html


@pytest.mark.parametrize(("state", "said"), [("paused", "not before you resume it"), ("quarantined", "has looked")])
def test_a_cell_that_may_not_trade_promises_no_trade(client, cell, state, said):
    assert said not in page(client, "cockpit", cell)
    Position.objects.filter(pk=cell.pk).update(state=state)
    assert page(client, "cockpit", cell).count(said) == 2


def test_an_evaluation_asked_for_says_what_it_would_do_and_does_it(ann, client):
    cell = make_fallen_cell(portfolio=make_portfolio(ann))
    assert "10.4687" in foresee(client, cell, "evaluate")
    assert story(cell) == []
    assert "Buy 10.4687 at 97" in words(act(client, cell, "evaluate"))
    assert story(cell) == ["evaluated", "order_intent"]
    assert "no price is known" in foresee(client, make_position(cell.portfolio, symbol="ZIM"), "evaluate")


def test_a_second_order_waits_until_the_first_is_done(client, cell):
    act(client, cell, "buy", qty="1")
    assert "this cell has an open order" in foresee(client, cell, "sell", qty="1").lower()


@pytest.mark.parametrize("name", DEEDS)
def test_who_may_only_look_finds_no_button_and_no_way_around_it(name):
    cell = make_fallen_cell(portfolio=make_portfolio(make_user("bob"), ann="viewer"))
    client = signed_in(cell.portfolio.memberships.get(role="viewer").user)
    assert "Act on this cell" not in page(client, "cockpit", cell)
    address = reverse(f"act-{name}", args=[cell.public_id])
    assert client.get(address).status_code == 403
    assert client.post(address, {"key": "k", "amount": "1", "qty": "1", "reason": "x"}).status_code == 403
    assert story(cell) == []


def test_the_page_of_an_act_costs_little(client, cell):
    for name, typed in (("buy", {"qty": "1"}), ("pause", {"reason": "x"}), ("evaluate", {})):
        assert queries(client, f"act-{name}", cell, **typed) <= 26


def test_the_trader_of_an_open_order_sees_it_on_the_cockpit(client, cell):
    act(client, cell, "buy", qty="1", limit_price="90")
    assert "Buy order new" in page(client, "cockpit", cell)
    make_quote("IBM", "99", at=later(1))
    tick(cell)
    assert Order.objects.get().status == "new"


def test_the_ladder_on_the_cockpit_is_what_the_robot_then_does(ann, client):
    cell = make_position(make_portfolio(ann), anchor="100")
    make_quote("IBM", "100")
    html = page(client, "cockpit", cell).split('id="ladder"')[1].split("</details>")[0]
    assert (html.count("#buy"), html.count("#sell")) == (5, 5)
    for minutes, price in enumerate(("97", "94.09"), start=1):
        make_quote("IBM", price, at=later(minutes))
        assert shares(tick(cell).quantity) in html
        assert shares(cell.shares) in html
        assert money(cell.cash) in html


def test_the_ladder_says_where_the_guardrail_bites_and_where_it_ends(ann, client):
    cell = make_position(make_portfolio(ann), shares="250", anchor="100")
    make_quote("IBM", "100")
    assert "the guardrail bites from here on" in page(client, "cockpit", cell)
    timid = make_position(cell.portfolio, anchor="100", min_notional="5000")
    html = page(client, "cockpit", timid)
    assert "no order: it is worth less than the smallest allowed trade" in html
    assert "The ladder ends here" in html


def test_a_cell_without_an_anchor_has_no_ladder_and_says_why(ann, client):
    html = page(client, "cockpit", make_position(make_portfolio(ann)))
    assert "no anchor to measure from yet" in html

"""What a cell was at any past instant: the fold of its events up to then, at the price and by the rules of then."""

import random
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from portfolios.domain.amounts import as_text, micros
from portfolios.domain.fold import NOTHING, after
from portfolios.errors import Refused
from portfolios.models import Event, Position
from portfolios.selectors import effective_rules
from portfolios.services.positions import deposit
from portfolios.services.settings import change_settings
from tests.factories import NOON, bearer, make_portfolio, make_position, make_quote, make_user
from tests.integration.browsing import queries, signed_in
from tests.market import later, make_fallen_cell, tick
from trading.cards import RELATED, position_card
from trading.domain.choices import Side
from trading.market.selectors import market_now
from trading.market.services import move_clock
from trading.models import Order
from trading.past import past_of
from trading.services.ordering import cancel_order, place_order
from trading.timeline.walk import change_of

pytestmark = pytest.mark.django_db


def seen(position: Position) -> Position:
    return Position.objects.select_related(*RELATED).get(pk=position.pk)


def at_random(seed: int) -> Position:
    """A cell with a life: prices, deposits, settings of its own and its portfolio's, a person's order, all in turn."""
    chance = random.Random(seed)
    position = make_position(anchor="100")
    for minute in range(1, 25):
        at = later(minute)
        make_quote(price=str(chance.randrange(70, 130)), at=at)
        deed = chance.randrange(6)
        if deed == 0:
            deposit(position_id=position.pk, amount=chance.randrange(1, 10**8), market_at=at, actor="user:ann")
        elif deed == 1:
            own = {"position_id": position.pk} if chance.random() < 0.5 else {}
            given = {"max_trade": f"0.{chance.randrange(1, 5)}"}
            change_settings(
                portfolio_id=position.portfolio_id,
                **own,
                given=given,
                author=position.portfolio.owner,
                note="",
                market_at=at,
            )
        elif deed == 2 and not Order.objects.filter(position=position).open().exists():
            person_orders(position, minute)
        elif deed == 3 and (order := Order.objects.filter(position=position).open().first()):
            cancel_order(order_id=order.pk, actor="user:ann")
        else:
            tick(position)
    return seen(position)


def person_orders(position: Position, number: int) -> Order:
    return place_order(
        position_id=position.pk,
        side=Side.BUY,
        quantity=micros("1"),
        limit=micros("60"),
        author=position.portfolio.owner,
        actor="user:ann",
        key=str(number),
    )


@pytest.mark.parametrize("seed", range(5))
def test_at_every_event_it_is_the_fold_of_the_events_up_to_then_and_now_it_is_the_row(seed: int) -> None:
    position = at_random(seed)
    log, state, folded = list(Event.objects.of(position)), NOTHING, {}
    for event in log:
        state = after(state, change_of(event))
        folded[event.market_at] = (event.seq, state, event.content["settings"])
    assert len(folded) > 8
    for at, (seq, state, named) in folded.items():
        past = past_of(position, at)
        assert (past.last.seq, past.position.folded) == (seq, state)
        assert (
            past_of(position, min(at + timedelta(microseconds=1), market_now(position.source))).position.folded == state
        )
        if named and log[seq - 1].type == "evaluated":
            assert past.effective.named == {
                **named,
                "portfolio_version": int(named["portfolio_version"]),
                "cell_version": int(named["cell_version"]),
            }
    now = past_of(position, market_now(position.source))
    card = position_card(position)
    assert now.position.folded == position.folded
    assert (now.value, now.stock_share, now.sight) == (card.value, card.stock_share, card.sight)
    assert now.effective == effective_rules(position)
    order = Order.objects.filter(position=position).open().first()
    assert (now.order.order if now.order else None) == order
    assert (now.order.status if now.order else None) == (order.status if order else None)


def test_an_order_is_open_from_its_intent_to_its_end() -> None:
    position = make_fallen_cell()
    order = tick(position)
    assert order is not None
    make_quote(price="90", at=later(5))
    person_orders(position, 1)
    make_quote(price="91", at=later(6))
    waiting = Order.objects.get(origin="person")
    cancel_order(order_id=waiting.pk, actor="user:ann")
    cell = seen(position)
    assert past_of(cell, later(4)).order is None
    then = past_of(cell, later(5)).order
    assert then is not None
    assert (then.order, then.status, then.filled) == (waiting, "new", 0)
    assert past_of(cell, later(5)).position.reserved_cash > 0
    assert past_of(cell, later(6)).order is None


def test_the_future_and_the_time_before_it_began_are_told_apart() -> None:
    cell = seen(make_fallen_cell())
    with pytest.raises(Refused) as refused:
        past_of(cell, NOON + timedelta(seconds=1))
    assert refused.value.code == "in_the_future"
    with pytest.raises(Refused) as refused:
        past_of(cell, NOON - timedelta(seconds=1))
    assert (refused.value.code, "began at 2007-01-03T17:00:00+00:00" in refused.value.message) == (
        "before_it_began",
        True,
    )


def asked(cell: Position, as_of: Any, client: Client | None = None, **headers: Any) -> Any:
    headers = headers or bearer(cell.portfolio.owner)
    return (client or Client()).get(f"/v1/positions/{cell.public_id}", {"as_of": as_of}, headers=headers)


def test_the_api_shows_the_cell_of_then() -> None:
    cell = make_fallen_cell()
    tick(cell)
    make_quote(price="100", at=later(30))
    tick(cell)
    answer = asked(cell, "2007-01-03T12:00:00-05:00").json()
    assert (answer["as_of"], answer["price"], answer["last_seq"]) == ("2007-01-03T17:00:00Z", "97", cell.event_seq - 5)
    first = Event.objects.of(cell).filter(type="order_filled").first()
    assert answer["qty"] == as_text(micros("100") + first.d_shares)
    assert answer["settings"]["portfolio_version"] == effective_rules(seen(cell)).portfolio_version
    now = asked(cell, later(30).isoformat()).json()
    current = Client().get(f"/v1/positions/{cell.public_id}", headers=bearer(cell.portfolio.owner)).json()
    same = set(now) & set(current)
    assert len(same) > 15
    assert {name: now[name] for name in same} == {name: current[name] for name in same}


@pytest.mark.parametrize(
    ("as_of", "status", "code"),
    [
        ("", 400, "invalid_parameters"),
        ("yesterday", 400, "invalid_parameters"),
        ("2007-01-03", 400, "invalid_parameters"),
        ("2007-01-03T12:00:00", 400, "invalid_parameters"),
        ("2007-02-30T12:00:00Z", 400, "invalid_parameters"),
        ("1899-12-31T12:00:00Z", 400, "invalid_parameters"),
        ("9999-12-31T23:59:59-12:00", 400, "invalid_parameters"),
        ("2100-01-01T00:00:00Z", 422, "in_the_future"),
        ("2007-01-03T17:00:00.000001Z", 422, "in_the_future"),
        ("2007-01-03T16:59:59Z", 422, "before_it_began"),
        ("1900-01-01T12:00:00Z", 422, "before_it_began"),
    ],
)
def test_a_bad_instant_is_answered_by_what_is_wrong_with_it(as_of: str, status: int, code: str) -> None:
    answer = asked(make_fallen_cell(), as_of)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_stranger_learns_nothing_of_the_past_and_a_viewer_all_of_it() -> None:
    cell = make_fallen_cell(portfolio=make_portfolio(bob="viewer"))
    theirs, nobodys = (
        asked(cell, NOON.isoformat(), **bearer(make_user("eve"))),
        Client().get(
            "/v1/positions/6a0e1f9c-0000-4000-8000-000000000000",
            {"as_of": NOON.isoformat()},
            headers=bearer(make_user("eva")),
        ),
    )
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content) == (404, nobodys.content)
    bob = cell.portfolio.memberships.get(role="viewer").user
    assert asked(cell, NOON.isoformat(), **bearer(bob)).status_code == 200


def costs(cell: Position, at: datetime) -> int:
    position = seen(cell)
    with CaptureQueriesContext(connection) as captured:
        past_of(position, at)
    return len(captured)


def test_the_past_costs_the_same_however_long_the_log_is() -> None:
    cell = make_fallen_cell()
    tick(cell)
    few = costs(cell, NOON)
    for _ in range(30):
        deposit(position_id=cell.pk, amount=1, market_at=later(1), actor="user:ann")
    move_clock(source="replay", at=later(2), day=NOON.date(), phase="open")
    assert costs(cell, later(1)) == few <= 11


def shown(cell: Position, as_of: str, client: Client | None = None) -> Any:
    return (client or signed_in(cell.portfolio.owner)).get(f"/positions/{cell.public_id}", {"as_of": as_of})


def test_the_page_shows_the_cell_of_then_and_lets_nobody_act() -> None:
    cell = make_fallen_cell()
    tick(cell)
    make_quote(price="110", at=later(30))
    answer = shown(cell, "2007-01-03T12:00")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "As of 3 Jan 2007, 12:00 New York" in html
    assert "$97.00" in html
    assert "$110.00" not in html.split("<main")[1]
    assert "/act/" not in html
    assert 'id="act-' not in html
    assert 'value="2007-01-03T12:00"' in html
    assert (
        'name="as_of" type="datetime-local"'
        in signed_in(cell.portfolio.owner).get(f"/positions/{cell.public_id}").content.decode()
    )


@pytest.mark.parametrize(
    ("as_of", "kept", "words"),
    [
        ("", "", "Must be a day and a time"),
        ("yesterday", "yesterday", "Must be a day and a time"),
        ("2007-02-30T12:00", "2007-02-30T12:00", "Must be a day and a time"),
        ("0001-01-01T00:00", "0001-01-01T00:00", "Must be a day and a time"),
        ("9999-12-31T23:59:59+23:59", "9999-12-31T23:59:59+23:59", "Must be a day and a time"),
        ("2100-01-01T00:00", "2100-01-01T00:00", "It is 3 Jan 2007, 12:00 New York for this cell"),
        ("2007-01-03T11:59", "2007-01-03T11:59", "This cell began at 3 Jan 2007, 12:00 New York"),
        ("2007-01-03T16:59:00Z", "2007-01-03T11:59", "This cell began at 3 Jan 2007, 12:00 New York"),
        ("<script>", "<script>", "Must be a day and a time"),
    ],
)
def test_the_page_keeps_the_form_where_there_is_nothing_to_show(as_of: str, kept: str, words: str) -> None:
    answer = shown(make_fallen_cell(), as_of)
    html = answer.content.decode()
    assert (answer.status_code, words in html, f'value="{escape(kept)}"' in html) == (422, True, True)


def without_token(answer: Any) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())


def test_the_page_of_a_stranger_is_that_of_nobody_and_a_viewer_sees_it() -> None:
    cell = make_fallen_cell(portfolio=make_portfolio(bob="viewer"))
    eve = signed_in(make_user("eve"))
    theirs = shown(cell, "2007-01-03T12:00", eve)
    nobodys = eve.get("/positions/6a0e1f9c-0000-4000-8000-000000000000", {"as_of": "2007-01-03T12:00"})
    assert theirs.status_code == nobodys.status_code == 404
    assert without_token(theirs) == without_token(nobodys)
    bob = signed_in(cell.portfolio.memberships.get(role="viewer").user)
    assert shown(cell, "2007-01-03T12:00", bob).status_code == 200


def test_the_page_costs_the_same_however_long_the_log_is() -> None:
    cell = make_fallen_cell()
    tick(cell)
    client = signed_in(cell.portfolio.owner)
    few = queries(client, "cockpit", cell, as_of="2007-01-03T12:00")
    for _ in range(30):
        deposit(position_id=cell.pk, amount=1, market_at=NOON, actor="user:ann")
    assert queries(client, "cockpit", cell, as_of="2007-01-03T12:00") <= few <= 20


def timeline(client: Client, cell: Position, **query: str) -> Any:
    return client.get(f"/positions/{cell.public_id}/timeline", query)


def test_the_timeline_of_then_knows_nothing_of_later_and_its_links_stay_then() -> None:
    cell = make_fallen_cell()
    ann = signed_in(cell.portfolio.owner)
    deposit(position_id=cell.pk, amount=micros("5"), market_at=later(3), actor="user:ann")
    make_quote(price="96", at=later(5))
    deposit(position_id=cell.pk, amount=micros("7"), market_at=later(5), actor="user:ann")
    now, then = timeline(ann, cell), timeline(ann, cell, as_of="2007-01-03T12:04", show="settings")
    assert (now.content.decode().count('<details class="event"'), now.status_code) == (3, 200)
    html = then.content.decode()
    assert html.count('<details class="event"') == 2
    assert 'id="banner-as-of"' in html
    assert "As of 3 Jan 2007, 12:04 New York." in html
    assert f"/positions/{cell.public_id}?as_of=2007-01-03T12%3A04" in html
    assert "?show=trades&amp;as_of=2007-01-03T12%3A04" in html
    assert '<input type="hidden" name="show" value="settings">' in html
    assert "/timeline?as_of=2007-01-03T12%3A04" in shown(cell, "2007-01-03T12:04", ann).content.decode()
    assert 'id="as_of"' in now.content.decode()
    assert queries(ann, "timeline", cell, as_of="2007-01-03T12:04") <= 11


def test_older_pages_of_the_timeline_stay_then() -> None:
    cell = make_fallen_cell()
    for _ in range(60):
        deposit(position_id=cell.pk, amount=micros("1"), market_at=later(1), actor="user:ann")
    make_quote(price="96", at=later(2))
    html = timeline(signed_in(cell.portfolio.owner), cell, as_of="2007-01-03T12:01").content.decode()
    assert "?show=all&amp;as_of=2007-01-03T12%3A01&amp;before=" in html


@pytest.mark.parametrize(
    "as_of", ["", "x", "2007-02-30T10:00", "0001-01-01T00:00", "1999-01-01T00:00", "2190-01-01T00:00"]
)
def test_the_timeline_keeps_the_form_where_there_is_nothing_to_show(as_of: str) -> None:
    cell = make_fallen_cell()
    answer = timeline(signed_in(cell.portfolio.owner), cell, as_of=as_of)
    assert answer.status_code == 422
    assert "Nothing to show for that." in answer.content.decode()
    assert 'id="as_of"' in answer.content.decode()
    assert '<details class="event"' not in answer.content.decode()

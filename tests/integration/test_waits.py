"""What keeps a cell from deciding anything is told alike by evaluation, preview, card, ladder and pages."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dividends.services.announcements import announce_split, note_answers
from portfolios.domain.amounts import micros
from portfolios.models import Event, Portfolio, Position
from tests.factories import bearer, make_portfolio, make_position, make_quote
from tests.integration.browsing import page, queries, signed_in
from tests.market import LIVE, lives, tick
from trading.services.corporate_actions import apply_due
from trading.services.evaluation import evaluate_position, preview_position

pytestmark = pytest.mark.django_db
DAY = date(2007, 1, 4)
OPEN = datetime(2007, 1, 4, 14, 30, tzinfo=UTC)
JSON = "application/json"


def gapped(portfolio: Portfolio | None = None, symbol: str = "IBM", price: str = "90") -> Position:
    cell = lives(make_position(portfolio, symbol=symbol, anchor="100"))
    make_quote(symbol, "100", source=LIVE)
    make_quote(symbol, price, source=LIVE, at=OPEN)
    return cell


def nothing_known() -> Position:
    return make_position(symbol="ZIM", anchor="100")


def before_a_split() -> Position:
    cell = make_position(anchor="100")
    make_quote()
    announce_split(source="replay", symbol="IBM", ex_date=DAY, numerator=2, denominator=1)
    make_quote(price="50", at=OPEN)
    return cell


def explained() -> Position:
    cell = gapped()
    note_answers(source=LIVE, symbols=["IBM"], day=DAY, by="user:ann")
    return cell


def split_by_then() -> Position:
    cell = before_a_split()
    apply_due(source="replay", day=DAY, market_at=OPEN)
    return Position.objects.get(pk=cell.pk)


def answers(cell: Position) -> dict[str, Any]:
    """What each door says of the newest price: the reason why nothing can be decided, or None."""
    client = Client(headers=bearer(cell.portfolio.owner))
    client.get("/v1/positions")
    cards = client.get("/v1/positions").json()["results"]
    card = client.get(f"/v1/positions/{cell.public_id}").json()
    ladder = client.get(f"/v1/positions/{cell.public_id}/ladder").json()
    overview = client.get(f"/v1/portfolios/{cell.portfolio.public_id}/overview").json()
    waits = {"card": card["waits"], "listed": cards[0]["waits"], "ladder": ladder["waits"]}
    told = {name: row and row["reason"] for name, row in waits.items()} | {"overview": overview["cells"][0]["waits"]}
    preview, evaluation = preview_position(position=cell), evaluate_position(position_id=cell.pk, asked_by="user:ann")
    return told | {name: row.wait and row.wait.reason for name, row in (("preview", preview), ("asked", evaluation))}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (nothing_known, "no_price"),
        (before_a_split, "split_due"),
        (gapped, "unexplained_gap"),
        (explained, None),
        (split_by_then, None),
    ],
)
def test_every_door_says_the_same(make: Any, reason: str | None) -> None:
    told = answers(make())
    if reason == "no_price":
        assert told.pop("overview") is None  # its price is null, which says it
    assert told == dict.fromkeys(told, reason)


@pytest.mark.parametrize(
    ("make", "price"), [(before_a_split, "50"), (gapped, "90"), (explained, "90"), (split_by_then, "49")]
)
def test_a_dry_run_says_what_an_evaluation_says_then(make: Any, price: str) -> None:
    cell = make()
    client = Client(headers=bearer(cell.portfolio.owner))
    before = Event.objects.of(cell).count()
    url = f"/v1/positions/{cell.public_id}/evaluate"
    dry = client.post(url, {"dry_run": True}, JSON).json()
    priced = client.post(url, {"dry_run": True, "price": price}, JSON).json()
    assert Event.objects.of(cell).count() == before
    asked = client.post(url, {}, JSON).json()
    assert (dry["reason"], dry["proposals"]) == (asked["reason"], asked["proposals"])
    if price != "49":
        assert (priced["reason"], priced["proposals"]) == (asked["reason"], asked["proposals"])


def test_the_price_that_set_the_anchor_trades_nothing_in_a_preview_either() -> None:
    """Its stock share alone asks for an order."""
    cell = make_position(shares="0")
    make_quote()
    tick(cell)
    cell = Position.objects.get(pk=cell.pk)
    for said in (preview_position(position=cell), evaluate_position(position_id=cell.pk, asked_by="user:ann")):
        assert said.decision
        assert (said.decision.action.name, said.decision.reason.name) == ("HOLD", "NO_ANCHOR")
    another = preview_position(position=cell, price=micros("100")).decision
    assert another
    assert another.quantity > 0


@pytest.mark.parametrize(("make", "words"), [(gapped, "nobody has explained"), (before_a_split, "a split is due")])
def test_pages_do_not_promise_what_waits(make: Any, words: str) -> None:
    cell = make()
    client = signed_in(cell.portfolio.owner)
    html = page(client, "cockpit", cell)
    assert "Nothing is decided now." in html
    assert html.count(f"Not now:</strong> {words}") == 2
    assert f"none now</strong>: {words}" in html
    assert f"Nothing can be decided: {words}" in page(client, "act-evaluate", cell)
    assert ">Waits</span>" in page(client, "overview")
    assert tick(cell) is None


def test_waiting_costs_a_page_or_list_the_same_for_one_symbol_and_for_twenty() -> None:
    portfolio = make_portfolio()
    cell = gapped(portfolio)
    client = signed_in(portfolio.owner)
    assert queries(client, "cockpit", cell) <= 20  # instruments, the night, splits, dividends, answers
    api = Client(headers=bearer(portfolio.owner))
    alone = queries(client, "overview"), listed(api)
    for number in range(19):
        gapped(portfolio, symbol=f"S{number}", price=str(70 + number))
    assert (queries(client, "overview"), listed(api)) == alone
    assert alone[0] <= 20
    assert alone[1] <= 10


def listed(client: Client) -> int:
    client.get("/v1/positions")
    with CaptureQueriesContext(connection) as captured:
        answer = client.get("/v1/positions").json()
    assert all(row["waits"] for row in answer["results"])
    return len(captured)


def test_a_cell_that_is_closed_waits_for_nothing() -> None:
    cell = gapped()
    Position.objects.filter(pk=cell.pk).update(state="closed", shares=0, cash=0)
    assert "Nothing is decided now." not in page(signed_in(cell.portfolio.owner), "cockpit", cell)


def test_a_gap_that_closes_again_is_none() -> None:
    cell = gapped()
    make_quote(price="97", source=LIVE, at=OPEN + timedelta(minutes=1))
    assert preview_position(position=cell).wait is None

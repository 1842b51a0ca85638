"""A gap overnight that nobody has explained: no order, no anchor, until the feed of corporate actions has answered."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from dividends.services.announcements import announce_dividend, announce_split, note_answers
from portfolios.domain.amounts import micros
from portfolios.models import Event, Position
from tests.factories import make_position, make_quote
from tests.market import LIVE, assert_sound, lives, story, tick
from trading.models import Order
from trading.services.corporate_actions import apply_due
from trading.services.crowd import evaluate_cells
from trading.services.evaluation import evaluate_position
from vbalance.exposition import told_to_the_scraper

pytestmark = pytest.mark.django_db
DAY = date(2007, 1, 4)
OPEN = datetime(2007, 1, 4, 14, 30, tzinfo=UTC)
KEY: dict[str, Any] = {"source": LIVE, "symbol": "IBM", "ex_date": DAY}


@pytest.fixture
def cell() -> Position:
    position = lives(make_position(anchor="100"))
    make_quote(price="100", source=LIVE)
    return position


def opens_at(price: str, minutes: int = 0) -> None:
    make_quote(price=price, source=LIVE, at=OPEN + timedelta(minutes=minutes))


def told(cell: Position) -> list[str]:
    rows = Event.objects.of(cell).filter(type="evaluated")
    return [row.content["outputs"]["reason"] for row in rows]


def test_nothing_is_traded_and_it_is_said_once_a_day(cell) -> None:
    for minutes, price in enumerate(("50", "50.5", "49")):
        opens_at(price, minutes)
        assert tick(cell) is None
    assert told(cell) == ["unexplained_gap"]
    event = Event.objects.of(cell).get(type="evaluated")
    assert "-50.00 %, from 100 to 50, more than 5 %" in event.content["message"]
    assert (event.content["inputs"]["close_before"], event.content["inputs"]["gap"]) == ("100", "0.5")
    assert b"vb_gapped_cells 1.0" in told_to_the_scraper()
    assert_sound()


def test_it_opens_when_the_feed_says_that_there_is_nothing(cell) -> None:
    opens_at("90")
    assert tick(cell) is None
    for _ in range(2):
        note_answers(source=LIVE, symbols=["IBM"], day=DAY, by="feed")
    order = tick(cell)
    assert order
    assert order.side == "BUY"


@pytest.mark.parametrize("stale", [{"day": DAY - timedelta(days=1)}, {"symbols": ["ZIM"]}, {"source": "other"}])
def test_an_answer_about_something_else_opens_nothing(cell, stale) -> None:
    opens_at("90")
    note_answers(**({"source": LIVE, "symbols": ["IBM"], "day": DAY, "by": "feed"} | stale))
    assert tick(cell) is None


def test_a_split_that_is_announced_explains_it_and_triggers_nothing(cell) -> None:
    opens_at("50")
    assert tick(cell) is None
    announce_split(**KEY, numerator=2, denominator=1)
    apply_due(source=LIVE, day=DAY, market_at=OPEN)
    assert tick(cell) is None
    assert (story(cell), cell.shares, cell.anchor) == (["evaluated", "split"], micros("200"), micros("50"))
    assert Order.objects.count() == 0


def test_a_dividend_that_is_announced_explains_it(cell) -> None:
    opens_at("93")
    assert tick(cell) is None
    announce_dividend(**KEY, dps=micros("7"))
    apply_due(source=LIVE, day=DAY, market_at=OPEN)
    assert tick(cell) is None
    assert told(cell) == ["unexplained_gap"]


@pytest.mark.parametrize(("price", "trades"), [("95", True), ("94.99", False), ("105", True), ("105.01", False)])
def test_the_limit_is_five_percent(cell, price, trades) -> None:
    opens_at(price)
    assert bool(tick(cell)) is trades


def test_a_fall_during_the_day_is_no_gap(cell) -> None:
    opens_at("99")
    tick(cell)
    opens_at("90", 1)
    assert tick(cell)


def test_no_anchor_is_taken_from_it() -> None:
    cell = lives(make_position())
    make_quote(price="100", source=LIVE)
    opens_at("50")
    tick(cell)
    assert (cell.anchor, told(cell)) == (0, ["unexplained_gap"])
    note_answers(source=LIVE, symbols=["IBM"], day=DAY, by="feed")
    tick(cell)
    assert cell.anchor == micros("50")


def test_who_asks_is_told_each_time(cell) -> None:
    opens_at("90")
    for _ in range(2):
        asked = evaluate_position(position_id=cell.pk, asked_by="user:ann")
        assert (asked.order, asked.event.content["outputs"]["reason"]) == (None, "unexplained_gap")


def test_many_cells_at_once_are_held_back_the_same(cell) -> None:
    other = lives(make_position(cell.portfolio, anchor="100"))
    opens_at("90")
    assert [done.order for done in evaluate_cells(position_ids=[cell.pk, other.pk])] == [None, None]
    assert (told(cell), told(other)) == (["unexplained_gap"], ["unexplained_gap"])


def test_a_record_knows_its_corporate_actions() -> None:
    cell = make_position(anchor="100")
    make_quote(price="100")
    make_quote(price="90", at=OPEN)
    assert tick(cell)


def test_pages_of_a_cell_that_is_held_back_say_why(cell) -> None:
    opens_at("90")
    tick(cell)
    client = Client()
    client.force_login(cell.portfolio.owner)
    for page in ("", "/timeline"):
        answer = client.get(f"/positions/{cell.public_id}{page}")
        assert answer.status_code == 200
    assert "nobody has explained yet" in answer.content.decode()

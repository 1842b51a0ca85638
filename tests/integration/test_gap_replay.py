"""A live cell that waited at a gap overnight: hindsight, replay and preview of settings say HOLD where it held."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from dividends.models import ActionsAnswer, Dividend, Split
from dividends.services.announcements import announce_dividend, announce_split, note_answers
from portfolios.domain.amounts import micros
from portfolios.models import Event, Position
from tests.factories import bearer, make_position, make_quote
from tests.integration.browsing import page, signed_in
from tests.market import LIVE, assert_sound, lives, tick
from trading.cards import RELATED
from trading.market.models import MarketClock, Quote
from trading.models import Order
from trading.services.corporate_actions import apply_due
from trading.services.evaluation import evaluate_position
from trading.simulation.engine import STALE
from trading.simulation.own_past import past_of
from trading.simulation.replay import Replayed, replay
from trading.timeline import evaluations
from trading.timeline.rows import EvaluationRow

pytestmark = pytest.mark.django_db
DAY = date(2007, 1, 4)
OPEN = datetime(2007, 1, 4, 14, 30, tzinfo=UTC)
KEY: dict[str, Any] = {"source": LIVE, "symbol": "IBM", "ex_date": DAY}
MODELS = (Split, Dividend, ActionsAnswer)


class Day:
    """A live cell at work: quotes come in minute by minute after the opening, and all that is told is told then."""

    def __init__(self, anchor: str = "100") -> None:
        self.cell = lives(make_position(anchor=anchor))
        self.at = OPEN - timedelta(days=1)
        self.quote("100")

    def opens(self) -> None:
        self.at = OPEN - timedelta(minutes=1)

    def quote(self, price: str) -> Order | None:
        self.at += timedelta(minutes=1)
        make_quote(price=price, source=LIVE, at=self.at)
        Quote.objects.filter(at=self.at).update(received_at=self.at + timedelta(seconds=1))
        return self.looks()

    def looks(self) -> Order | None:
        return tick(self.cell)

    def told(self, tell: Callable[[], object]) -> None:
        """Half a minute after the last price."""
        known = {model: set(model.objects.values_list("pk", flat=True)) for model in MODELS}
        tell()
        for model in MODELS:
            new = model.objects.exclude(pk__in=known[model])
            new.update(created_at=self.at + timedelta(seconds=30))

    @property
    def rows(self) -> list[EvaluationRow]:
        MarketClock.objects.all().delete()  # only replayed markets have one
        return list(evaluations(Position.objects.select_related(*RELATED).get(pk=self.cell.pk)))

    @property
    def today(self) -> list[tuple[str, str, str, bool]]:
        rows = [row for row in self.rows if row.at >= OPEN]
        return [(f"{row.at:%M}", row.decision.action.name, row.reason, row.computed) for row in rows]

    def replayed(self) -> Replayed:
        MarketClock.objects.all().delete()
        related = ("portfolio__settings_version", "portfolio__account", "settings_version")
        return replay(Position.objects.select_related(*related).get(pk=self.cell.pk))


HELD = ("HOLD", "unexplained_gap")


def by_announcement() -> None:
    announce_dividend(**KEY, dps=micros("10"))


def by_the_feed() -> None:
    note_answers(source=LIVE, symbols=["IBM"], day=DAY, by="feed:alpaca")


def by_a_person() -> None:
    note_answers(source=LIVE, symbols=["IBM"], day=DAY, by="user:ann")


@pytest.mark.parametrize("answer", [by_the_feed, by_a_person])
def test_what_waited_until_the_answer_came_is_told_so_and_what_came_after_as_it_was_decided(answer: Any) -> None:
    day = Day()
    day.opens()
    assert [day.quote(price) for price in ("90", "89.9", "90.1")] == [None] * 3
    day.told(answer)
    assert day.quote("90")
    assert day.today == [
        ("30", *HELD, False),
        ("31", *HELD, True),
        ("32", *HELD, True),
        ("33", "BUY", "trigger_down", False),
    ]
    found = day.replayed()
    assert (found.difference, found.broken, found.waited) == (None, [], 3)
    assert found.fills == 1
    assert_sound()


def test_the_price_that_waited_is_decided_when_the_answer_comes_and_no_newer_one_has() -> None:
    day = Day()
    day.opens()
    assert day.quote("90") is None
    day.told(by_the_feed)
    assert day.looks()
    assert [row[:3] for row in day.today] == [("30", *HELD), ("30", "BUY", "trigger_down")]
    assert day.replayed().difference is None


def test_an_announcement_explains_it_within_the_day() -> None:
    day = Day()
    day.opens()
    assert [day.quote(price) for price in ("90", "89.5")] == [None] * 2
    day.told(by_announcement)
    apply_due(source=LIVE, day=DAY, market_at=day.at + timedelta(seconds=30))
    day.quote("90")
    assert day.today == [("30", *HELD, False), ("31", *HELD, True), ("32", "HOLD", "inside_band", True)]
    found = day.replayed()
    assert (found.difference, found.waited) == (None, 2)


def test_a_split_explains_it_within_the_day_and_prices_before_it_stay_on_the_timeline() -> None:
    day = Day()
    day.opens()
    assert [day.quote(price) for price in ("50", "50.1")] == [None] * 2
    day.told(lambda: announce_split(**KEY, numerator=2, denominator=1))
    apply_due(source=LIVE, day=DAY, market_at=day.at + timedelta(seconds=30))
    day.quote("50")
    assert day.today == [("30", *HELD, False), ("31", *HELD, True), ("32", "HOLD", "inside_band", True)]
    found = day.replayed()
    assert (found.difference, found.waited) == (None, 2)
    assert found.holding.shares == micros("200")


def test_a_day_that_ends_without_an_answer_waited_to_its_end_and_the_next_begins_anew() -> None:
    day = Day()
    day.opens()
    assert [day.quote(price) for price in ("90", "90.2", "90.1")] == [None] * 3
    day.at = OPEN + timedelta(days=1)
    assert day.quote("90")
    assert [row[1:3] for row in day.today] == [HELD, HELD, HELD, ("BUY", "trigger_down")]
    found = day.replayed()
    assert (found.difference, found.waited, found.fills) == (None, 3, 1)


def test_a_price_back_near_the_close_is_decided_without_an_answer() -> None:
    day = Day()
    day.opens()
    assert day.quote("90") is None
    assert day.quote("96")
    assert [row[1:3] for row in day.today] == [HELD, ("BUY", "trigger_down")]
    assert (day.replayed().difference, day.replayed().waited) == (None, 1)


def test_no_anchor_is_set_by_what_waited() -> None:
    day = Day.__new__(Day)
    day.cell, day.at = lives(make_position()), OPEN - timedelta(days=1)
    make_quote(price="100", source=LIVE, at=day.at)
    day.opens()
    assert day.quote("50") is None
    day.told(by_the_feed)
    day.quote("51")
    assert day.cell.anchor == micros("51")
    found = day.replayed()
    assert (found.difference, found.holding.anchor, found.waited) == (None, micros("51"), 1)


def test_a_person_who_asks_is_told_the_same_in_hindsight() -> None:
    day = Day()
    day.opens()
    day.quote("90")
    evaluate_position(position_id=day.cell.pk, asked_by="user:ann")
    assert day.today == [("30", *HELD, False)] * 2
    assert day.replayed().difference is None


def test_settings_tried_on_its_own_past_do_not_trade_where_it_waited() -> None:
    day = Day()
    day.opens()
    for price in ("90", "89.9"):
        day.quote(price)
    day.told(by_a_person)
    day.quote("90")
    MarketClock.objects.all().delete()
    past = past_of(Position.objects.select_related(*RELATED).get(pk=day.cell.pk))
    assert (past.market & STALE).astype(bool).tolist() == [True, True, False]


def test_the_command_names_what_waited() -> None:
    day = Day()
    day.opens()
    day.quote("90")
    MarketClock.objects.all().delete()
    words, told = StringIO(), StringIO()
    call_command("replay", position=str(day.cell.public_id), stdout=words)
    assert "1 looks at which nothing was decided: the gap overnight was not explained yet" in words.getvalue()
    call_command("replay", position=str(day.cell.public_id), json=True, stdout=told)
    assert json.loads(told.getvalue())["compared"]["waited"] == 1


def test_doors_of_the_timeline_tell_it() -> None:
    day = Day()
    day.opens()
    for price in ("90", "89.9"):
        day.quote(price)
    MarketClock.objects.all().delete()
    client = Client(headers=bearer(day.cell.portfolio.owner))
    rows = client.get(f"/v1/positions/{day.cell.public_id}/timeline").json()["evaluations"][-2:]
    for row in rows:
        assert (row["action"], row["reason"], row["outputs"]["reason"]) == (*HELD, HELD[1])
        assert client.get(f"/v1/evaluations/{row['id']}").json() == row
        why = client.get(f"/v1/evaluations/{row['id']}/why-not").json()
        assert (why["reason"], why["differences"]) == (HELD[1], [])
    event = Event.objects.of(day.cell).get(type="evaluated")
    html = page(signed_in(day.cell.portfolio.owner), "timeline", day.cell, why=event.seq)
    assert "Nothing could be decided: nobody has explained yet" in html

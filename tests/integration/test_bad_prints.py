"""Bad prints among ten thousand good prices, through the door that live prices take: no order, no anchor."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from portfolios.domain.amounts import micros
from portfolios.models import Event, Portfolio, Position
from tests.factories import NOON, make_position
from tests.market import assert_sound, later
from trading.domain.prices import Refusal
from trading.market.base import Price
from trading.market.models import MarketClock, Pace, PriceRefusal, Quote
from trading.models import Order
from trading.selectors import waiting_cells
from trading.services.evaluation import evaluate_position
from trading.services.intake import Refused, Taken, rebuild_pace, take_price

pytestmark = pytest.mark.django_db
SOURCE = "alpaca-1min"
SECOND = timedelta(seconds=1)


@pytest.fixture
def cell() -> Position:
    """It has an anchor of 100, and has seen nothing yet. Its market has a clock that the test moves."""
    MarketClock.objects.create(source=SOURCE, begins_on=NOON.date())
    position = make_position(anchor="100")
    Position.objects.filter(pk=position.pk).update(source=SOURCE)
    Portfolio.objects.filter(pk=position.portfolio_id).update(source=SOURCE)
    return Position.objects.get(pk=position.pk)


def comes(price: int, at: datetime, **traits: Any) -> Taken | Refused:
    """It comes a second after its market time; whoever it wakes evaluates at once."""
    MarketClock.objects.filter(source=SOURCE).update(at=at + SECOND)
    told = take_price(
        Price("IBM", at, price, *traits.pop("sides", (0, 0)), **traits), source=SOURCE, received_at=at + SECOND
    )
    if isinstance(told, Taken):
        for pk in waiting_cells([told.quote]):
            evaluate_position(position_id=pk)
    return told


def walk(chance: random.Random, price: int, count: int) -> list[int]:
    """Around 100, never far enough for a trade: 0.05 % a minute, pulled back."""
    prices = []
    for _ in range(count):
        price += int(chance.gauss(0, 50_000) - (price - 100_000_000) * 0.02)
        prices.append(price)
    return prices


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_bad_prints_make_no_order_and_move_no_anchor(cell, count) -> None:
    """One in fifty, never two in a row: two that agree are what a true gap looks like."""
    chance = random.Random(8)
    bad = {
        50 * part + chance.randrange(49): chance.choice((10.0, 0.1, 100.0, 1.15, 0.85)) for part in range(count // 50)
    }
    refused = set()
    for place, price in enumerate(walk(chance, 100_000_000, count)):
        if isinstance(comes(int(price * bad.get(place, 1)), later(place)), Refused):
            refused.add(place)
    assert refused >= set(bad)
    assert refused - set(bad) <= {0, 1}  # the first price waits for a second one
    assert PriceRefusal.objects.count() == len(refused)
    cell.refresh_from_db()
    assert (Order.objects.count(), cell.anchor) == (0, micros("100"))
    assert not Event.objects.of(cell).filter(type__in=["anchor_set", "anchor_reset"]).exists()
    assert Quote.objects.filter(last__gt=micros("104")).count() == 0
    assert set(PriceRefusal.objects.values_list("reason", flat=True)) <= {"outlier", "unconfirmed", "out_of_range"}
    assert_sound()


def test_a_true_gap_that_a_second_price_confirms_makes_one_order(cell) -> None:
    for place, price in enumerate(walk(random.Random(3), 100_000_000, 200)):
        comes(price, later(place))
    first, second = comes(micros("94"), later(200)), comes(micros("94.02"), later(201))
    comes(micros("94.01"), later(202))
    assert isinstance(first, Refused)
    assert first.reason is Refusal.OUTLIER
    assert "a second price must confirm it" in first.sentence
    assert isinstance(second, Taken)
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("price", "traits", "reason"),
    [
        (0, {}, "out_of_range"),
        (-1, {}, "out_of_range"),
        (10**13, {}, "out_of_range"),
        (100_000_000, {"sides": (100_010_000, 100_000_000)}, "crossed"),
        (100_000_000, {"sides": (9_000_000, 10_000_000)}, "outlier"),
        (130_000_000, {}, "outlier"),
    ],
)
def test_each_refusal_is_written_once_with_its_reason(cell, price, traits, reason) -> None:
    for minute in range(5):
        comes(100_000_000, later(minute))
    for _ in range(2):
        assert isinstance(comes(price, later(5), **traits), Refused)
    row = PriceRefusal.objects.exclude(reason="unconfirmed").get()
    assert (row.symbol, row.source, row.at, row.reason) == ("IBM", SOURCE, later(5), reason)
    assert row.sentence
    assert Quote.objects.latest("at").at == later(4)


def test_late_stale_early_and_corrected_prices_are_refused_and_the_same_one_is_nothing_new(cell) -> None:
    for minute in range(5):
        comes(100_000_000, later(minute))
    assert comes(100_000_000, later(4)) == Refused(Refusal.CORRECTION, "It was taken before.", known=True)
    assert comes(100_000_001, later(4)).reason is Refusal.CORRECTION
    assert comes(100_000_000, later(3)).known
    assert comes(100_000_000, later(3.5)).reason is Refusal.OUT_OF_ORDER
    old = take_price(Price("IBM", later(6), 100_000_000, 0, 0), source=SOURCE, received_at=later(9))
    early = take_price(Price("IBM", later(6), 100_000_000, 0, 0), source=SOURCE, received_at=later(5))
    assert [old.reason, early.reason] == [Refusal.STALE, Refusal.FROM_THE_FUTURE]
    assert PriceRefusal.objects.exclude(reason="unconfirmed").count() == 4


def test_what_prices_are_measured_by_is_made_anew_from_the_quotes(cell) -> None:
    for place, price in enumerate(walk(random.Random(5), 100_000_000, 120)):
        comes(price, later(place))
    kept = Pace.objects.get()
    known = (kept.price, kept.at, kept.returns, kept.variance)
    Pace.objects.update(price=0, at=None, returns=0, variance=0)
    anew = Pace.objects.get()
    rebuild_pace(anew)
    assert (anew.price, anew.at, anew.returns, anew.variance) == known
    assert known[2] > 100
    assert known[1] > NOON

"""Yahoo through its library, whose every question comes to a fake of it: prices, dividends, splits, and what fails."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from dividends.models import ActionsAnswer, Dividend, Split
from tests.fake_yahoo import FakeYahoo, fake_yahoo
from trading.market.base import Price, PriceUnavailable, Unreadable
from trading.market.sources.corporate import DividendTold, SplitTold
from trading.market.sources.yahoo import YahooActions, YahooSource, dividend_in, split_in
from trading.services.asking_for_actions import ask_for_actions

FRIDAY = datetime(2026, 11, 20, 15, 0, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def yahoo(settings: Any, tmp_path: Path) -> Any:
    settings.VAR = tmp_path
    with time_machine.travel(FRIDAY), fake_yahoo() as found:
        found.bars["IBM"] = [(FRIDAY - 2 * MINUTE, 97.0), (FRIDAY - MINUTE, 97.13)]
        yield found


def test_its_newest_minute_is_the_price_and_what_it_does_not_know_is_left_out(yahoo: FakeYahoo) -> None:
    told = YahooSource().newest(["IBM", "ZZZ"])
    assert told == [Price("IBM", FRIDAY - MINUTE, 97_130_000, 0, 0, None, "yahoo")]


def test_a_minute_without_a_close_is_no_price(yahoo: FakeYahoo) -> None:
    yahoo.bars["IBM"] = [(FRIDAY - 2 * MINUTE, 97.0), (FRIDAY - MINUTE, None)]
    assert [price.last for price in YahooSource().newest(["IBM"])] == [97_000_000]
    yahoo.bars["IBM"] = []
    assert YahooSource().newest(["IBM"]) == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_yahoo_that_refuses_is_unavailable_and_not_without_prices(yahoo: FakeYahoo, status: int) -> None:
    yahoo.status = status
    with pytest.raises(PriceUnavailable, match="yfinance"):
        YahooSource().newest(["IBM"])


def days(yahoo: FakeYahoo) -> None:
    at = FRIDAY.replace(hour=14, minute=30)
    yahoo.bars["IBM"] = [(at - DAY * back, 100.0) for back in (4, 3, 2, 1, 0)]
    yahoo.dividends["IBM"] = [(at - 3 * DAY, 0.2)]
    yahoo.splits["IBM"] = [(at - DAY, 7, 1)]


def test_what_went_ex_is_told_as_it_was_paid(yahoo: FakeYahoo) -> None:
    days(yahoo)
    dividends, splits = YahooActions().between(["IBM", "ZZZ"], date(2026, 11, 13), date(2026, 11, 20))
    assert splits == [SplitTold("IBM", date(2026, 11, 19), 7, 1)]
    assert dividends == [DividendTold("IBM", date(2026, 11, 17), 1_400_000, None)]


@pytest.mark.parametrize("value", [1.0, -2.0, float("nan"), float("inf"), 1e9, 1e-9])
def test_what_is_no_split_is_refused(value: float) -> None:
    with pytest.raises(PriceUnavailable, match="split"):
        split_in("IBM", FRIDAY.date(), value)
    assert split_in("IBM", FRIDAY.date(), 1.5)[2:] == (3, 2)
    assert split_in("IBM", FRIDAY.date(), 0.1)[2:] == (1, 10)


@pytest.mark.parametrize("value", [-1.0, float("nan"), 1e13])
def test_what_is_no_dividend_is_refused(value: float) -> None:
    with pytest.raises(PriceUnavailable, match="dividend"):
        dividend_in("IBM", FRIDAY.date(), value, [])


@pytest.mark.django_db
def test_while_alpaca_is_silent_it_stands_in_once_an_hour_and_answers_for_nothing(yahoo: FakeYahoo, settings) -> None:
    settings.ALPACA_DATA_KEY = ""
    cache.clear()
    days(yahoo)
    asked = {"source": "yahoo-1min", "symbols": ["IBM"], "day": FRIDAY.date(), "market_at": FRIDAY}
    assert not ask_for_actions(**asked)
    before = len(yahoo.asked)
    assert not ask_for_actions(**asked)
    assert len(yahoo.asked) == before
    assert [split.numerator for split in Split.objects.filter(source="yahoo-1min")] == [7]
    [dividend] = Dividend.objects.filter(source="yahoo-1min")
    assert (dividend.dps, dividend.pay_date_assumed) == (1_400_000, True)
    assert not ActionsAnswer.objects.exists()
    Dividend.objects.update(dps=1_500_000)
    asked["market_at"] += timedelta(hours=1)
    assert not ask_for_actions(**asked)
    assert len(yahoo.asked) > before
    assert Dividend.objects.get(source="yahoo-1min").dps == 1_500_000


def test_a_price_beyond_all_measure_comes_as_it_is(yahoo: FakeYahoo) -> None:
    yahoo.bars["IBM"] = [(FRIDAY - MINUTE, 1e300)]
    [told] = YahooSource().newest(["IBM"])
    assert isinstance(told, Unreadable)

"""Recorded bars from Alpaca: whole or not at all, page by page, and the same again adds nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.bars import OPENING
from tests.fake_alpaca import fake_alpaca
from tests.integration.test_import_bars_command import refusal, said
from trading.bars.catalogue import stored_bars
from trading.bars.models import BarImport
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.brokers.fake_alpaca.market import FakeBar
from trading.brokers.fake_alpaca.server import FakeAlpaca
from trading.market.base import PriceUnavailable
from trading.market.models import Bar
from trading.market.sources import alpaca_bars
from trading.market.sources.alpaca import Keys
from trading.market.sources.alpaca_bars import AlpacaBars, bar_in

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def fake(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAlpaca]:
    monkeypatch.setattr(alpaca_bars, "PAGE", 2)
    monkeypatch.setattr(alpaca_bars, "FIRST_PAUSE", 0.0)
    settings.BARS_FOLDER = tmp_path
    with fake_alpaca() as fake:
        settings.ALPACA_DATA_URL, settings.ALPACA_DATA_FEED = fake.url, "iex"
        settings.ALPACA_DATA_KEY, settings.ALPACA_DATA_SECRET = KEY, SECRET
        fake.do(lambda: fake.book.prices.recorded.update(IBM=[bar(number) for number in range(5)]))
        yield fake


def bar(number: int, price: str = "100.01") -> FakeBar:
    close = Decimal(price) + number
    return FakeBar(OPENING + number * MINUTE, close, close + 1, close - 1, close, 100 + number)


def test_all_pages_come_in_and_the_next_time_only_what_is_new(fake: FakeAlpaca) -> None:
    told = said("fetch_bars", "ibm", "--resolution", "1min", "--since", "2014-06-05")
    assert told.startswith("IBM 1min: 5 bars, 2014-06-05 13:30 UTC to 2014-06-05 13:34 UTC\n  new 5")
    assert BarImport.objects.get().name == "alpaca-IBM-1min.csv"
    assert stored_bars("IBM", "1min").row(0)["close"] == 100_010_000
    fake.do(lambda: fake.book.prices.recorded["IBM"].append(bar(5)))
    again = json.loads(said("fetch_bars", "IBM", "--resolution", "1min", "--json"))
    assert (again["rows"], again["new"], again["same"]) == (2, 1, 1)
    fake.do(lambda: fake.book.prices.recorded.update(IBM=[bar(5, "90")]))
    assert "other values are recorded" in refusal("fetch_bars", "IBM", "--resolution", "1min")


def test_a_day_stands_under_its_date_in_new_york(fake: FakeAlpaca) -> None:
    midnight = datetime(2014, 6, 5, 4, tzinfo=UTC)
    days = [bar(0)._replace(at=midnight), bar(1)._replace(at=midnight + timedelta(days=1))]
    fake.do(lambda: fake.book.prices.recorded.update(IBM=days))
    said("fetch_bars", "IBM", "--since", "2014-06-01", "--until", "2014-06-30")
    assert [f"{row.day}" for row in Bar.objects.filter(symbol="IBM").order_by("day")] == ["2014-06-05", "2014-06-06"]


def test_a_bar_that_still_grows_is_left_out(fake: FakeAlpaca) -> None:
    with time_machine.travel(OPENING + 4.5 * MINUTE):
        assert "IBM 1min: 4 bars" in said("fetch_bars", "IBM", "--resolution", "1min", "--since", "2014-06-05")


def test_where_there_is_nothing_nothing_is_imported(fake: FakeAlpaca) -> None:
    assert "has no bar from 2015-01-05" in said("fetch_bars", "IBM", "--resolution", "1min", "--since", "2015-01-05")
    assert not BarImport.objects.exists()


@pytest.mark.parametrize("fault", ["429", "500", "garbage"])
def test_a_page_that_fails_is_asked_for_again(fake: FakeAlpaca, fault: str) -> None:
    fake.do(lambda: fake.faults.add("GET /v2/stocks", fault, times=3, skip=1))
    assert "5 bars" in said("fetch_bars", "IBM", "--resolution", "1min", "--since", "2014-06-05")


def test_one_that_fails_for_good_leaves_nothing_half(fake: FakeAlpaca) -> None:
    fake.do(lambda: fake.faults.add("GET /v2/stocks", "500", times=99, skip=2))
    assert "nothing is imported" in refusal("fetch_bars", "IBM", "--resolution", "1min", "--since", "2014-06-05")
    assert not BarImport.objects.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("<b>", "--since", "2014-06-05"), "symbol"),
        (("IBM",), "--since"),
        (("IBM", "--since", "2014-06-05", "--until", "2014-06-04"), "--until"),
        (("IBM", "--since", "yesterday"), "must be a date"),
        (("IBM", "--since", "2014-06-05", "--resolution", "2min"), "invalid choice"),
    ],
)
def test_bad_words_are_named(fake: FakeAlpaca, words: tuple[str, ...], said: str) -> None:
    assert said in refusal("fetch_bars", *words)


def test_without_keys_it_says_which(fake: FakeAlpaca, settings: Any) -> None:
    settings.ALPACA_DATA_KEY = ""
    assert "VBALANCE_ALPACA_DATA_KEY" in refusal("fetch_bars", "IBM", "--since", "2014-06-05")


@pytest.mark.parametrize(
    "row", [7, {}, {"t": "soon"}, {"t": "2014-06-05T13:30:00Z", "o": "1", "h": 1, "l": 1, "c": 1, "v": 1}]
)
def test_what_is_no_bar_is_none(row: Any) -> None:
    with pytest.raises(PriceUnavailable, match="bar"):
        bar_in(row)


def test_bars_out_of_order_are_refused(fake: FakeAlpaca) -> None:
    source = AlpacaBars(Keys(fake.url, KEY, SECRET))
    rows = [{"t": f"2014-06-05T13:3{minute}:00Z", **dict.fromkeys("ohlcv", 1)} for minute in (1, 0)]
    source.page = lambda *_: {"bars": rows, "next_page_token": None}  # type: ignore[method-assign]
    with pytest.raises(PriceUnavailable, match="order"):
        list(source.between("IBM", "1min", OPENING, OPENING + 9 * MINUTE))

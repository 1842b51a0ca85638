"""A recorded past in few words, and runs over it."""

from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np

from portfolios.domain.amounts import micros
from portfolios.domain.settings import merge_settings, rules_from
from portfolios.models import User
from tests.factories import make_user
from trading.market.models import Bar, Instrument
from trading.simulation.archive import packed, series_of
from trading.simulation.bars import Bars, Dividend, Split, day_number
from trading.simulation.inside import inside_of
from trading.simulation.models import SimulationRun
from trading.simulation.report import summary_of, worths_of
from trading.simulation.runs import as_written, run
from trading.simulation.services import create_run
from trading.simulation.stage import CLOSE, stage_of, starting

BEGINS = date(2007, 1, 1)  # a Monday
PRICES = ("100", "97", "99", "103", "96", "100", "108", "101", "95", "99")


def make_bars(symbol: str = "IBM", prices: tuple[str, ...] = PRICES, begins: date = BEGINS) -> None:
    """A bar a weekday that opens, moves and closes at one price each."""
    Instrument.objects.get_or_create(symbol=symbol)
    day = begins
    for price in prices:
        while day.weekday() > 4:
            day += timedelta(days=1)
        at = micros(price)
        Bar.objects.create(symbol=symbol, day=day, open=at, high=at, low=at, close=at)
        day += timedelta(days=1)


def make_run(owner: User | None = None, **wishes: Any) -> SimulationRun:
    """10,000 half in stock over all of the recorded days, without slippage, unless wished otherwise."""
    if not Bar.objects.exists():
        make_bars()
    usual = {
        "symbol": "IBM",
        "settings": {},
        "cash": 10**10,
        "in_stock": 500_000,
        "slippage": 0,
        "first_day": None,
        "last_day": None,
        "path": "close",
        "name": "",
    }
    return create_run(owner=owner or make_user(), **usual | wishes)


def make_done_run(owner: User | None = None, **traits: Any) -> SimulationRun:
    """A run as it is kept, with a dividend and a split in it, without a bar in the database."""
    result, series = told()
    usual = {"symbol": "IBM", "first_day": BEGINS, "last_day": BEGINS + timedelta(days=11), "cash": 10**10}
    usual |= {"in_stock": 500_000, "slippage": 0, "status": "done", "done": 4, "total": 4, "tries": 1}
    usual |= {"settings_sha256": "0" * 64, "rule_version": "0" * 64, "data_sha256": "0" * 64}
    return SimulationRun.objects.create(owner=owner or make_user(), result=result, series=series, **usual | traits)


@cache
def told() -> tuple[dict[str, Any], bytes]:
    """2 for 1 on 4 January; 1.00 a share ex on 9 January, paid on the 11th."""
    days = np.array([day_number(BEGINS + timedelta(days=n)) for n in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)], np.int32)
    closes = [micros(price) // (2 if number > 2 else 1) for number, price in enumerate(PRICES)]
    prices = np.repeat(np.array(closes, np.int64)[:, None], 4, axis=1)
    bars = Bars(days.astype(np.int64) * 86_400, days, prices, np.zeros(len(days), np.uint8), is_daily=True)
    dividends = [Dividend(BEGINS + timedelta(days=8), BEGINS + timedelta(days=10), 10**6)]
    splits = [Split(BEGINS + timedelta(days=3), 2, 1)]
    stage = stage_of(bars, dividends, splits)
    rules = rules_from(merge_settings({}), default_buffer=0)
    done = run(stage, rules, starting(10**10, 500_000, closes[0], rules.lot), 0, by=as_written)
    worths = worths_of(done, 10**10, 500_000, 0)
    inside = inside_of(done, CLOSE, bars, dividends, splits, 0)
    return summary_of(done, bars, worths, inside), packed(series_of(done, bars, worths, inside))

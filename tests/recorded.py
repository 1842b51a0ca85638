"""A recorded past in few words, and runs over it."""

from datetime import date, timedelta
from typing import Any

from portfolios.domain.amounts import micros
from portfolios.models import User
from tests.factories import make_user
from trading.market.models import Bar, Instrument
from trading.simulation.models import SimulationRun
from trading.simulation.services import create_run

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

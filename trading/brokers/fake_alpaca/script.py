"""What the fake is told to do: from a file at its start, and at a door of its own while it runs."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from trading.brokers.fake_alpaca.activities import read_activities
from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.corrections import read_corrections
from trading.brokers.fake_alpaca.entries import read_action
from trading.brokers.fake_alpaca.faults import Faults
from trading.brokers.fake_alpaca.orders import BAD_REQUEST, Problem
from trading.brokers.fake_alpaca.rest import BOOK, FAULTS, answer

OPENING = {"cash", "held"}  # of a book that begins
NOW = {"habit", "faults", "prices", "whole_shares", "assets", "actions", "activities", "corrections", "fees"}
ASSET = {
    *("exchange", "name", "status", "tradable", "fractionable"),
    *("min_order_size", "min_trade_increment", "price_increment"),
}
WRONG = (ValueError, TypeError, KeyError, IndexError, InvalidOperation)


def read_script(book: Book, faults: Faults, told: Any, allowed: set[str]) -> None:
    """Raises one of WRONG. What comes before the line that is wrong is done."""
    if not isinstance(told, Mapping) or set(told) - allowed:
        raise ValueError(f"a script has {', '.join(sorted(allowed))}")
    if "cash" in told:
        book.cash = Decimal(told["cash"])
    if "held" in told:
        book.held = {symbol: Decimal(qty) for symbol, qty in told["held"].items()}
    book.prices.told |= {symbol: Decimal(price) for symbol, price in told.get("prices", {}).items()}
    book.assets.whole |= set(told.get("whole_shares", ()))
    for symbol, said in told.get("assets", {}).items():
        if set(said) - ASSET:
            raise ValueError(f"of an asset can be said {', '.join(sorted(ASSET))}")
        book.assets.said[symbol] = book.assets.said.get(symbol, {}) | said
    book.habit = tuple(told.get("habit", book.habit))
    faults.read(told.get("faults", ()))
    for line in told.get("actions", ()):
        book.announce(read_action(line))
    rates = {name: Decimal(rate) for name, rate in told.get("fees", {}).items()}
    if set(rates) - {"reg", "taf"} or not all(rate.is_finite() and 0 <= rate < 1 for rate in rates.values()):
        raise ValueError("fees are reg, of a dollar sold, and taf, of a share sold")
    book.fees.reg, book.fees.taf = rates.get("reg", book.fees.reg), rates.get("taf", book.fees.taf)
    read_activities(book, told.get("activities", ()))
    read_corrections(book, told.get("corrections", ()))


async def take_script(request: web.Request) -> web.Response:
    """No door of the vendor's: `POST /fake/script`, with the keys."""
    try:
        told = json.loads(await request.read())
        read_script(request.app[BOOK], request.app[FAULTS], told, NOW)
    except WRONG as error:
        raise Problem(422, BAD_REQUEST, str(error)[:200]) from None
    return answer({"done": sorted(told)})


ROUTES = (web.post("/fake/script", take_script),)

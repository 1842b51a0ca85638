"""The fake's market data over HTTP: clock, bars, quotes and trades. Here prices are bare numbers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from trading.brokers.fake_alpaca.market import FakeBar
from trading.brokers.fake_alpaca.orders import Problem, stamp
from trading.brokers.fake_alpaca.rest import BOOK, answer
from trading.brokers.fake_alpaca.streams import quote

STEPS = {"Min": timedelta(minutes=1), "Hour": timedelta(hours=1), "Day": timedelta(days=1), "Week": timedelta(weeks=1)}


def wire(bar: FakeBar) -> dict[str, Any]:
    prices = {"o": float(bar.open), "h": float(bar.high), "l": float(bar.low), "c": float(bar.close)}
    return {"t": stamp(bar.at), **prices, "v": bar.volume, "n": 1, "vw": float((bar.high + bar.low) / 2)}


def trade(price: Decimal) -> dict[str, Any]:
    return {"p": float(price), "s": 100, "x": "V", "i": 1, "c": ["@"], "z": "C"}


def step_of(text: str) -> timedelta:
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = text[len(digits) :]
    if not digits.isdigit() or unit not in STEPS:
        raise Problem(400, 40_010_001, f"invalid timeframe {text}")
    return STEPS[unit] * int(digits)


def instant(request: web.Request, name: str, otherwise: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(request.query.get(name) or otherwise.isoformat())
    except ValueError:
        raise Problem(400, 40_010_001, f"invalid {name}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def bars(request: web.Request) -> web.Response:
    """Pages by symbol and place: at most `limit` bars in all."""
    book = request.app[BOOK]
    now = book.wall()
    start, end = instant(request, "start", now - timedelta(hours=1)), instant(request, "end", now)
    step, limit = step_of(request.query.get("timeframe", "1Min")), min(int(request.query.get("limit", "1000")), 10_000)
    if (end - start) / step > 1_000_000:
        raise Problem(400, 40_010_001, "too much is asked for")
    symbols = sorted(symbols_of(request))
    rows = [(symbol, bar) for symbol in symbols for bar in book.prices.bars(symbol, start, end, step)]
    begin = int(request.query.get("page_token") or 0)
    page: dict[str, list[dict[str, Any]]] = {}
    for symbol, bar in rows[begin : begin + limit]:
        page.setdefault(symbol, []).append(wire(bar))
    token = str(begin + limit) if begin + limit < len(rows) else None
    if "symbol" in request.match_info:
        return answer({"symbol": symbols[0], "bars": page.get(symbols[0], []), "next_page_token": token})
    return answer({"bars": page, "next_page_token": token})


def symbols_of(request: web.Request) -> set[str]:
    if "symbol" in request.match_info:
        return {request.match_info["symbol"]}
    found = {name for name in request.query.get("symbols", "").split(",") if name}
    if not found:
        raise Problem(400, 40_010_001, "symbols is required")
    return found


def newest(name: str, words: Callable[[Decimal], dict[str, Any]]) -> Any:
    """The handler for the newest quotes or trades of some symbols, or of the one in the address."""

    async def handler(request: web.Request) -> web.Response:
        book = request.app[BOOK]
        at = stamp(book.wall())
        found = {symbol: {"t": at, **words(book.prices.price(symbol))} for symbol in sorted(symbols_of(request))}
        if "symbol" in request.match_info:
            symbol = request.match_info["symbol"]
            return answer({"symbol": symbol, name: found[symbol]})
        return answer({f"{name}s": found})

    return handler


async def clock(request: web.Request) -> web.Response:
    """Always open: whoever tries something out at night wants to see something."""
    now = request.app[BOOK].wall()
    close = now.replace(hour=23, minute=59, second=59)
    opens = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    told = {"timestamp": stamp(now), "is_open": True, "next_open": stamp(opens), "next_close": stamp(close)}
    return answer(told)


ROUTES = (
    web.get("/v2/clock", clock),
    web.get("/v2/stocks/bars", bars),
    web.get("/v2/stocks/{symbol}/bars", bars),
    web.get("/v2/stocks/quotes/latest", newest("quote", quote)),
    web.get("/v2/stocks/trades/latest", newest("trade", trade)),
    web.get("/v2/stocks/{symbol}/quotes/latest", newest("quote", quote)),
    web.get("/v2/stocks/{symbol}/trades/latest", newest("trade", trade)),
)

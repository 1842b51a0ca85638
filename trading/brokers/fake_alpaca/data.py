"""The fake's market data over HTTP: bars, quotes and trades, of now and of the past. Here prices are bare numbers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from trading.brokers.fake_alpaca.market import FakeBar
from trading.brokers.fake_alpaca.orders import Problem, stamp
from trading.brokers.fake_alpaca.rest import BOOK, answer, whole_number
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


def bar_as_trade(bar: FakeBar) -> dict[str, Any]:
    return {"t": stamp(bar.at), **trade(bar.close)}


def bar_as_quote(bar: FakeBar) -> dict[str, Any]:
    return {"t": stamp(bar.at), **quote(bar.close)}


def history(name: str, words: Callable[[FakeBar], dict[str, Any]]) -> Any:
    """The handler for what was between two instants, by symbol and time: in pages of at most `limit` rows in all.

    Of trades and quotes there is one for each bar of a minute, at its close.
    """

    async def handler(request: web.Request) -> web.Response:
        rows = bars_asked_for(request, step_of(request.query.get("timeframe", "1Min") if name == "bars" else "1Min"))
        begin, limit = whole_number(request, "page_token", 0), whole_number(request, "limit", 1000)
        end = begin + min(max(limit, 1), 10_000)
        page: dict[str, list[dict[str, Any]]] = {}
        for symbol, bar in rows[begin:end]:
            page.setdefault(symbol, []).append(words(bar))
        token = str(end) if end < len(rows) else None
        if one := request.match_info.get("symbol"):
            return answer({"symbol": one, name: page.get(one, []), "next_page_token": token})
        return answer({name: page, "next_page_token": token})

    return handler


def bars_asked_for(request: web.Request, step: timedelta) -> list[tuple[str, FakeBar]]:
    book = request.app[BOOK]
    now = book.wall()
    start, end = instant(request, "start", now - timedelta(hours=1)), instant(request, "end", now)
    symbols = sorted(symbols_of(request))
    walked = len(set(symbols) - set(book.prices.recorded))
    if (end - start) / step * walked > 1_000_000:
        raise Problem(400, 40_010_001, "too much is asked for")
    rows = [(symbol, bar) for symbol in symbols for bar in book.prices.bars(symbol, start, end, step)]
    return rows if request.query.get("sort") != "desc" else rows[::-1]


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


ROUTES = (
    *(
        web.get(f"/v2/stocks/{of}{name}", history(name, words))
        for name, words in (("bars", wire), ("trades", bar_as_trade), ("quotes", bar_as_quote))
        for of in ("", "{symbol}/")
    ),
    web.get("/v2/stocks/quotes/latest", newest("quote", quote)),
    web.get("/v2/stocks/trades/latest", newest("trade", trade)),
    web.get("/v2/stocks/{symbol}/quotes/latest", newest("quote", quote)),
    web.get("/v2/stocks/{symbol}/trades/latest", newest("trade", trade)),
)

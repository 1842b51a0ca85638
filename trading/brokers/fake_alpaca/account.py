"""The fake's answers about the account, what it holds and what can be traded."""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.orders import NOT_FOUND, SYMBOL, ZERO, Problem, said, stamp
from trading.brokers.fake_alpaca.rest import BOOK, answer


def position(book: Book, symbol: str) -> dict[str, Any]:
    qty, price, cost = book.held[symbol], book.prices.price(symbol), book.cost.get(symbol, ZERO)
    return {
        "asset_id": book.asset_id(symbol),
        "symbol": symbol,
        "exchange": book.assets.wire(symbol)["exchange"],
        "asset_class": "us_equity",
        "asset_marginable": True,
        "avg_entry_price": said(cost),
        "qty": said(qty),
        "qty_available": said(book.available(symbol)),
        "side": "long" if qty > 0 else "short",
        "market_value": said(qty * price),
        "cost_basis": said(qty * cost),
        "unrealized_pl": said(qty * (price - cost)),
        "unrealized_plpc": "0",
        "unrealized_intraday_pl": "0",
        "unrealized_intraday_plpc": "0",
        "current_price": said(price),
        "lastday_price": said(price),
        "change_today": "0",
    }


async def list_positions(request: web.Request) -> web.Response:
    book = request.app[BOOK]
    return answer([position(book, symbol) for symbol in sorted(book.held)])


async def get_position(request: web.Request) -> web.Response:
    book, symbol = request.app[BOOK], request.match_info["symbol"]
    if symbol not in book.held:
        raise Problem(404, NOT_FOUND, "position does not exist")
    return answer(position(book, symbol))


async def get_account(request: web.Request) -> web.Response:
    book = request.app[BOOK]
    worth = sum((qty * book.prices.price(symbol) for symbol, qty in book.held.items()), ZERO)
    return answer(
        {
            "id": book.account_id,
            "account_number": "PAFAKE00001",
            "status": "ACTIVE",
            "crypto_status": "INACTIVE",
            "currency": "USD",
            "cash": said(book.cash),
            "buying_power": said(book.buying_power()),
            "non_marginable_buying_power": said(book.buying_power()),
            "portfolio_value": said(book.cash + worth),
            "equity": said(book.cash + worth),
            "last_equity": said(book.cash + worth),
            "long_market_value": said(worth),
            "short_market_value": "0",
            "initial_margin": "0",
            "maintenance_margin": "0",
            "last_maintenance_margin": "0",
            "sma": "0",
            "multiplier": "1",
            "daytrade_count": 0,
            "pattern_day_trader": False,
            "trading_blocked": book.blocked,
            "transfers_blocked": False,
            "account_blocked": False,
            "trade_suspended_by_user": False,
            "shorting_enabled": False,
            "created_at": stamp(datetime(2026, 1, 2, tzinfo=UTC)),
        }
    )


async def get_configurations(request: web.Request) -> web.Response:
    return answer(
        {
            "dtbp_check": "entry",
            "fractional_trading": True,
            "max_margin_multiplier": "1",
            "no_shorting": True,
            "pdt_check": "entry",
            "suspend_trade": False,
            "trade_confirm_email": "none",
            "ptp_no_exception_entry": False,
        }
    )


async def get_asset(request: web.Request) -> web.Response:
    book, symbol = request.app[BOOK], request.match_info["symbol"]
    if not SYMBOL.fullmatch(symbol) or symbol in book.assets.unlisted:
        raise Problem(404, NOT_FOUND, f"asset not found for {symbol}")
    return answer(book.assets.wire(symbol))


ROUTES = (
    web.get("/v2/positions", list_positions),
    web.get("/v2/positions/{symbol}", get_position),
    web.get("/v2/account", get_account),
    web.get("/v2/account/configurations", get_configurations),
    web.get("/v2/assets/{symbol}", get_asset),
)

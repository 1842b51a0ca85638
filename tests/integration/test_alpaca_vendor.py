"""The fake is faithful: the vendor's own client, unchanged, does with it whatever it does with Alpaca."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.requests import StockBarsRequest, StockLatestQuoteRequest, StockLatestTradeRequest
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AssetExchange,
    AssetStatus,
    OrderSide,
    OrderStatus,
    QueryOrderStatus,
    TimeInForce,
    TradeEvent,
)
from alpaca.trading.models import Order, TradeActivity
from alpaca.trading.requests import GetOrdersRequest, LimitOrderRequest, MarketOrderRequest, ReplaceOrderRequest
from alpaca.trading.stream import TradingStream

from tests.fake_alpaca import fake_alpaca, hold
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.brokers.fake_alpaca.server import FakeAlpaca


@pytest.fixture
def fake() -> Iterator[FakeAlpaca]:
    with fake_alpaca() as running:
        hold(running, "IBM", "100", "10000", "97.5")
        yield running


@pytest.fixture
def client(fake: FakeAlpaca) -> TradingClient:
    return TradingClient(KEY, SECRET, paper=True, url_override=fake.url)


def market(**traits: Any) -> MarketOrderRequest:
    plain = {"symbol": "IBM", "qty": 3, "side": OrderSide.BUY, "time_in_force": TimeInForce.DAY}
    return MarketOrderRequest(**(plain | traits))


def limit(price: float, **traits: Any) -> LimitOrderRequest:
    plain = {"symbol": "IBM", "qty": 2, "side": OrderSide.BUY, "time_in_force": TimeInForce.GTC, "limit_price": price}
    return LimitOrderRequest(**(plain | traits))


def until(true: Callable[[], Any], seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_an_order_is_submitted_filled_and_looked_up(client: TradingClient) -> None:
    order = client.submit_order(market(client_order_id="vb-1"))
    assert isinstance(order, Order)
    filled = until(lambda: (found := client.get_order_by_id(order.id)).status == OrderStatus.FILLED and found)
    assert (filled.filled_qty, filled.filled_avg_price, filled.client_order_id) == ("3", "97.5", "vb-1")
    assert client.get_order_by_client_id("vb-1").id == order.id
    position = client.get_open_position("IBM")
    assert (position.qty, client.get_all_positions()[0].symbol) == ("103", "IBM")
    assert client.get_account().cash == "9707.5"


def test_orders_are_listed_replaced_and_cancelled(client: TradingClient) -> None:
    order = client.submit_order(limit(90))
    changed = client.replace_order_by_id(order.id, ReplaceOrderRequest(qty=1, limit_price=91))
    assert (changed.qty, changed.limit_price, changed.replaces) == ("1", "91", order.id)
    assert client.get_order_by_id(order.id).status == OrderStatus.REPLACED
    standing = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN))
    assert [one.id for one in standing] == [changed.id]
    client.cancel_order_by_id(changed.id)
    assert client.get_order_by_id(changed.id).status == OrderStatus.CANCELED
    assert len(client.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL))) == 2
    client.submit_order(limit(90))
    assert [one.status for one in client.cancel_orders()] == [200]


@pytest.mark.parametrize(
    ("asked", "status", "code", "words"),
    [
        (market(qty=10_000), 403, 40310000, "insufficient buying power"),
        (market(qty=500, side=OrderSide.SELL), 403, 40310000, "insufficient qty"),
        (market(qty=1.5, time_in_force=TimeInForce.GTC), 422, 42210000, "fractional orders must be DAY"),
        (limit(90.001), 422, 42210000, "sub-penny"),
        (market(client_order_id="taken"), 422, 40010001, "client_order_id must be unique"),
        (market(symbol="no such"), 422, 42210000, "could not find asset"),
    ],
)
def test_refusals_are_worded_as_the_vendors(
    client: TradingClient, asked: Any, status: int, code: int, words: str
) -> None:
    client.submit_order(limit(1, client_order_id="taken"))
    with pytest.raises(APIError) as refused:
        client.submit_order(asked)
    assert (refused.value.status_code, refused.value.code) == (status, code)
    assert words in refused.value.message


def test_the_unknown_is_a_404_and_wrong_keys_are_forbidden(client: TradingClient, fake: FakeAlpaca) -> None:
    with pytest.raises(APIError) as unknown:
        client.get_order_by_client_id("never")
    assert (unknown.value.status_code, unknown.value.code) == (404, 40410000)
    with pytest.raises(APIError, match="forbidden") as stranger:
        TradingClient(KEY, "wrong", paper=True, url_override=fake.url).get_account()
    assert stranger.value.status_code == 403


def test_account_clock_asset_and_activities(client: TradingClient, fake: FakeAlpaca) -> None:
    fake.book.habit = ("fill 1", "fill")
    order = client.submit_order(market())
    until(lambda: client.get_order_by_id(order.id).status == OrderStatus.FILLED)
    assert client.get_clock().is_open
    assert client.get_account().status.value == "ACTIVE"
    assert client.get_account_configurations().fractional_trading
    assert client.get_asset("IBM").fractionable
    first, second = (TradeActivity(**row) for row in client.get("/account/activities/FILL", {"direction": "asc"}))
    assert (first.qty, first.cum_qty, first.leaves_qty) == (1, 1, 2)
    assert (second.qty, second.cum_qty, second.order_id, second.type.value) == (2, 3, order.id, "fill")
    page = client.get("/account/activities/FILL", {"direction": "asc", "page_size": 1, "page_token": first.id})
    assert [row["id"] for row in page] == [second.id]


def test_assets_and_orders_that_an_asset_does_not_allow(client: TradingClient, fake: FakeAlpaca) -> None:
    fake.book.assets.said["NVR"] = {"exchange": "NASDAQ", "fractionable": False, "name": "NVR, Inc."}
    fake.book.assets.said["OLD"] = {"status": "inactive", "tradable": False}
    fake.book.assets.said["FINE"] = {
        "min_order_size": "0.01",
        "min_trade_increment": "0.001",
        "price_increment": "0.05",
    }
    whole, ended, fine = (client.get_asset(symbol) for symbol in ("NVR", "OLD", "FINE"))
    assert (whole.exchange, whole.name, whole.fractionable) == (AssetExchange.NASDAQ, "NVR, Inc.", False)
    assert (ended.status, ended.tradable) == (AssetStatus.INACTIVE, False)
    assert (fine.min_order_size, fine.min_trade_increment, fine.price_increment) == (0.01, 0.001, 0.05)
    assert whole.min_trade_increment is None
    for asked, status, words in (
        (market(symbol="NVR", qty=1.5, time_in_force="day"), 403, "not fractionable"),
        (market(symbol="OLD"), 422, "not active"),
    ):
        with pytest.raises(APIError, match=words) as refused:
            client.submit_order(asked)
        assert refused.value.status_code == status
    assert client.submit_order(market(symbol="NVR", qty=1)).qty == "1"
    with pytest.raises(APIError, match="asset not found") as unknown:
        client.get_asset("no such")
    assert unknown.value.status_code == 404


def test_bars_quotes_and_trades(fake: FakeAlpaca) -> None:
    data = StockHistoricalDataClient(KEY, SECRET, url_override=fake.url)
    end = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    asked = StockBarsRequest(
        symbol_or_symbols=["IBM", "KO"], timeframe=TimeFrame.Minute, start=end - timedelta(minutes=9), end=end
    )
    bars = data.get_stock_bars(asked).data
    assert {symbol: len(rows) for symbol, rows in bars.items()} == {"IBM": 10, "KO": 10}
    assert data.get_stock_bars(asked).data == bars
    assert all(bar.low <= bar.open <= bar.high for bar in bars["KO"])
    quote = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="IBM"))["IBM"]
    assert (quote.bid_price, quote.ask_price) == (97.49, 97.51)
    assert data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols=["IBM"]))["IBM"].price == 97.5


class Running:
    """One of the vendor's streams in a thread; what it heard."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.heard = stream, []
        self.thread = threading.Thread(target=stream.run, daemon=True)

    async def hear(self, message: Any) -> None:
        self.heard.append(message)

    def __enter__(self) -> "Running":
        self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stream.stop()
        self.thread.join(10)


def test_the_trading_stream(client: TradingClient, fake: FakeAlpaca) -> None:
    stream = TradingStream(KEY, SECRET, paper=True, url_override=f"ws://127.0.0.1:{fake.port}/stream")
    running = Running(stream)
    stream.subscribe_trade_updates(running.hear)
    fake.book.habit = ("fill 1", "fill 2 at 98")
    with running:
        until(lambda: fake.trades.listening)
        client.submit_order(market())
        until(lambda: len(running.heard) == 3)
    assert [one.event for one in running.heard] == [TradeEvent.NEW, TradeEvent.PARTIAL_FILL, TradeEvent.FILL]
    last = running.heard[-1]
    assert (last.qty, last.price, last.position_qty, last.order.filled_qty) == (2, 98, 103, "3")
    assert last.execution_id != running.heard[1].execution_id


def test_the_data_stream(fake: FakeAlpaca) -> None:
    endpoint = f"ws://127.0.0.1:{fake.port}/v2/iex"
    stream = StockDataStream(KEY, SECRET, url_override=endpoint)
    running = Running(stream)
    stream.subscribe_quotes(running.hear, "IBM")
    stream.subscribe_trades(running.hear, "IBM")
    with running:
        until(lambda: len(running.heard) >= 4)
        assert {type(one).__name__ for one in running.heard} == {"Quote", "Trade"}
        assert {one.price for one in running.heard if hasattr(one, "price")} == {97.5}
        other = StockDataStream(KEY, SECRET, url_override=endpoint)
        with pytest.raises(ValueError, match="connection limit exceeded"):
            asyncio.run(other._start_ws())


def test_a_restart_keeps_the_book(tmp_path: Any) -> None:
    with fake_alpaca() as fake:
        fake.book.load(tmp_path / "book.json")
        client = TradingClient(KEY, SECRET, paper=True, url_override=fake.url)
        hold(fake, "IBM", "100", "10000", "97.5")
        bought, resting = client.submit_order(market()), client.submit_order(limit(90))
        until(lambda: client.get_order_by_id(bought.id).status == OrderStatus.FILLED)
    with fake_alpaca() as again:
        again.book.load(tmp_path / "book.json")
        client = TradingClient(KEY, SECRET, paper=True, url_override=again.url)
        assert client.get_order_by_id(bought.id).filled_avg_price == "97.5"
        assert [one.id for one in client.get_orders()] == [resting.id]
        assert client.get_open_position("IBM").qty == "103"
        assert (again.book.cash, len(again.book.activities)) == (Decimal("9707.5"), 1)

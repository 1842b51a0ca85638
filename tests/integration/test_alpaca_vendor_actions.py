"""The fake at corporate actions, fees, sessions and history, driven by the vendor's own client."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.requests import CorporateActionsRequest, StockQuotesRequest, StockTradesRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, OrderStatus, TimeInForce, TradeEvent
from alpaca.trading.models import NonTradeActivity
from alpaca.trading.requests import GetCalendarRequest, LimitOrderRequest, MarketOrderRequest
from alpaca.trading.stream import TradingStream

from tests.fake_alpaca import fake_alpaca, hold
from tests.integration.test_alpaca_vendor import Running, limit, market, until
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.days import Hours
from trading.brokers.fake_alpaca.server import FakeAlpaca
from trading.market.calendars import calendar_for

EVE, EX, PAID = date(2026, 6, 5), date(2026, 6, 8), date(2026, 6, 30)
SPLIT = {"kind": "forward_split", "symbol": "IBM", "ex_date": "2026-06-08", "new_rate": "7", "old_rate": "1"}
DIVIDEND = {"kind": "cash_dividend", "symbol": "KO", "ex_date": "2026-06-08", "rate": "0.3", "withheld": "0.25"} | {
    "payable_date": "2026-06-30"
}


class Days:
    """The fake's clock, as a test moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def go(self, fake: FakeAlpaca, day: date, hour: int = 15, minute: int = 0) -> None:
        """To an instant of UTC, and until the fake has seen it."""
        self.at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
        fake.look()


@pytest.fixture
def days() -> Days:
    return Days(datetime(2026, 6, 5, 15, tzinfo=UTC))


@pytest.fixture
def fake(days: Days) -> Iterator[FakeAlpaca]:
    with fake_alpaca(book=Book(now=days)) as running:
        hold(running, "IBM", "100", "10000", "98")
        hold(running, "KO", "10", "10000", "60")
        yield running


@pytest.fixture
def client(fake: FakeAlpaca) -> TradingClient:
    return TradingClient(KEY, SECRET, paper=True, url_override=fake.url)


def script(fake: FakeAlpaca, **told: Any) -> Any:
    headers = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
    asked = urllib.request.Request(f"{fake.url}/fake/script", json.dumps(told).encode(), headers)
    with urllib.request.urlopen(asked, timeout=5) as response:
        return json.load(response)


def activities(client: TradingClient) -> list[NonTradeActivity]:
    rows = client.get("/account/activities", {"direction": "asc", "category": "non_trade_activity"})
    return [NonTradeActivity(**row) for row in rows]


def announced(fake: FakeAlpaca, **asked: Any) -> Any:
    client = CorporateActionsClient(KEY, SECRET, url_override=fake.url)
    return client.get_corporate_actions(CorporateActionsRequest(**asked)).data


def test_corporate_actions_are_listed_by_their_day_of_processing(fake: FakeAlpaca) -> None:
    merged = {**SPLIT, "kind": "reverse_split", "symbol": "F", "new_rate": 1, "old_rate": 10}
    script(fake, actions=[SPLIT, DIVIDEND, merged])
    all_of_them = announced(fake, start=EX, end=PAID)
    (split,), (dividend,) = all_of_them["forward_splits"], all_of_them["cash_dividends"]
    assert (split.symbol, split.new_rate, split.old_rate, split.ex_date) == ("IBM", 7, 1, EX)
    assert (dividend.rate, dividend.ex_date, dividend.payable_date, dividend.process_date) == (0.3, EX, PAID, PAID)
    assert all_of_them["reverse_splits"][0].old_rate == 10
    assert set(announced(fake, symbols=["KO"], start=EX, end=EX)) == set()
    assert set(announced(fake, types=["cash_dividend"], start=EX, end=PAID)) == {"cash_dividends"}
    assert announced(fake, start=EVE, end=EVE) == {}


def test_actions_come_in_pages(fake: FakeAlpaca) -> None:
    script(fake, actions=[{**DIVIDEND, "symbol": f"A{letter}"} for letter in "BCDEF"])
    client = CorporateActionsClient(KEY, SECRET, url_override=fake.url)
    first = client.get("/corporate-actions", {"start": "2026-06-30", "end": "2026-06-30", "limit": 3})
    asked = {"start": "2026-06-30", "end": "2026-06-30", "limit": 3, "page_token": first["next_page_token"]}
    second = client.get("/corporate-actions", asked)
    found = [row["symbol"] for page in (first, second) for row in page["corporate_actions"]["cash_dividends"]]
    assert (found, second["next_page_token"]) == (["AB", "AC", "AD", "AE", "AF"], None)


def test_a_split_changes_shares_cost_and_orders_once(fake: FakeAlpaca, client: TradingClient, days: Days) -> None:
    fake.book.habit = ("rest",)
    buys, sells = client.submit_order(limit(91, qty=2)), client.submit_order(limit(105, qty=5, side=OrderSide.SELL))
    script(fake, actions=[SPLIT])
    days.go(fake, EVE, 23)
    assert client.get_open_position("IBM").qty == "100"
    days.go(fake, EX, 8)
    days.go(fake, EX, 9)
    position = client.get_open_position("IBM")
    assert (position.qty, position.avg_entry_price, position.current_price) == ("700", "14", "14")
    restated = client.get_order_by_id(buys.id)
    assert (restated.qty, restated.limit_price, restated.client_order_id) == ("14", "13", buys.client_order_id)
    assert client.get_order_by_id(sells.id).qty == "5"
    found = [(one.activity_type.value, one.qty, one.net_amount, one.date) for one in activities(client)]
    assert sorted(found, key=str) == [
        ("SPLIT", -100, 0, EX),
        ("SPLIT", 700, 0, EX),
    ]


def test_a_reverse_split_cancels_orders_and_pays_for_fractions(
    fake: FakeAlpaca, client: TradingClient, days: Days
) -> None:
    fake.book.habit = ("rest",)
    order = client.submit_order(limit(91, qty=2))
    script(fake, whole_shares=["IBM"], actions=[SPLIT | {"kind": "reverse_split", "new_rate": 1, "old_rate": 8}])
    days.go(fake, EX)
    assert client.get_order_by_id(order.id).status == OrderStatus.CANCELED
    assert client.get_open_position("IBM").qty == "12"
    assert client.get_account().cash == "10392"  # half a share of 98 times 8


def test_a_dividend_is_paid_on_its_day_to_who_held_before(fake: FakeAlpaca, client: TradingClient, days: Days) -> None:
    script(fake, actions=[DIVIDEND])
    days.go(fake, EX)
    client.submit_order(market(symbol="KO", qty=10, side=OrderSide.SELL))
    until(lambda: client.get_account().cash == "10600")
    assert activities(client) == []
    days.go(fake, PAID)
    days.go(fake, PAID, 20)
    taxed, paid = sorted(activities(client), key=lambda one: one.net_amount)
    assert (paid.activity_type.value, paid.net_amount, paid.per_share_amount, paid.symbol) == ("DIV", 3, 0.3, "KO")
    assert (taxed.activity_type.value, taxed.net_amount, taxed.date) == ("DIVNRA", -0.75, PAID)
    assert client.get_account().cash == "10602.25"


def test_fees_of_sales_are_charged_the_day_after_for_all_of_them_together(
    fake: FakeAlpaca, client: TradingClient, days: Days
) -> None:
    script(fake, fees={"reg": "0.0000278", "taf": "0.000166"})
    for qty in (3, 4):
        sold = client.submit_order(market(qty=qty, side=OrderSide.SELL))
        until(lambda sold=sold: client.get_order_by_id(sold.id).status == OrderStatus.FILLED)
    days.go(fake, EVE + timedelta(days=1))
    found = [(one.activity_type.value, one.net_amount, one.date, one.description) for one in activities(client)]
    assert sorted(found, key=str) == [
        ("FEE", -0.01, EVE, "TAF fee for proceed of 7 shares (2 trades) on 2026-06-05"),
        ("FEE", -0.02, EVE, "REG fee for proceed of $686.00 on 2026-06-05"),
    ]
    assert client.get_account().cash == "10685.97"
    only = client.get("/account/activities/FEE", {"direction": "desc", "page_size": 1})
    assert len(only) == 1
    with pytest.raises(APIError, match="invalid activity type"):
        client.get("/account/activities/NONSENSE")


def test_deposits_and_withdrawals_are_one_group(fake: FakeAlpaca, client: TradingClient) -> None:
    script(fake, activities=[{"type": "CSD", "net_amount": "500"}, {"type": "CSW", "net_amount": "-20.5"}])
    rows = client.get("/account/activities", {"activity_types": "TRANS"})
    assert sorted(row["net_amount"] for row in rows) == ["-20.5", "500"]
    assert client.get_account().cash == "10479.5"


def test_what_was_filled_is_taken_back_and_put_right(fake: FakeAlpaca, client: TradingClient) -> None:
    stream = TradingStream(KEY, SECRET, paper=True, url_override=f"ws://127.0.0.1:{fake.port}/stream", raw_data=True)
    running = Running(stream)
    stream.subscribe_trade_updates(running.hear)
    fake.book.habit = ("fill 1", "fill")
    with running:
        until(lambda: fake.trades.listening)
        order = client.submit_order(market(client_order_id="vb-1"))
        until(lambda: len(running.heard) == 3)
        script(fake, corrections=[{"client_order_id": "vb-1", "execution": 2}])
        script(fake, corrections=[{"client_order_id": "vb-1", "qty": "1", "price": "90"}])
        until(lambda: len(running.heard) == 5)
    first, second, busted, corrected = (one["data"] for one in running.heard[1:])
    assert (busted["event"], busted["qty"], busted["previous_execution_id"]) == (
        "trade_bust",
        "-2",
        second["execution_id"],
    )
    assert (corrected["event"], corrected["price"]) == ("trade_correct", "90")
    assert corrected["previous_execution_id"] == first["execution_id"]
    found = client.get_order_by_id(order.id)
    assert (found.filled_qty, found.filled_avg_price) == ("1", "90")
    assert client.get_open_position("IBM").qty == "101"
    assert client.get_account().cash == "9910"
    assert TradeEvent.RESTATED.value == "restated"


@pytest.mark.parametrize(
    "told",
    [
        b"no json",
        [],
        {"cash": "1"},
        {"actions": [{**SPLIT, "new_rate": 0}]},
        {"actions": [{**SPLIT, "ex_date": "soon"}]},
        {"actions": [{**DIVIDEND, "payable_date": "2026-01-01"}]},
        {"actions": [{**DIVIDEND, "withheld": 2}]},
        {"actions": [{**DIVIDEND, "symbol": "no such"}]},
        {"activities": [{"type": "GIFT", "net_amount": "1"}]},
        {"activities": [{"type": "CSD", "net_amount": "NaN"}]},
        {"activities": [{"type": "SPLIT", "qty": "3"}]},
        {"fees": {"vat": "0.2"}},
        {"fees": {"reg": "2"}},
        {"corrections": [{"client_order_id": "never"}]},
        {"faults": [{"on": "stream", "fault": "429"}]},
        {"prices": {"IBM": "x"}},
    ],
)
def test_a_script_of_no_sense_is_refused_at_the_door(fake: FakeAlpaca, told: Any) -> None:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    headers = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{fake.url}/fake/script", body, headers), timeout=5)
    assert refused.value.code == 422
    assert (fake.book.cash, fake.book.actions, fake.book.activities) == (Decimal(10000), [], [])


def test_trades_and_quotes_of_the_past_come_in_pages(fake: FakeAlpaca) -> None:
    data = StockHistoricalDataClient(KEY, SECRET, url_override=fake.url)
    end = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    span = {"symbol_or_symbols": ["IBM", "KO"], "start": end - timedelta(minutes=9), "end": end}
    trades = data.get_stock_trades(StockTradesRequest(**span)).data
    assert {symbol: len(rows) for symbol, rows in trades.items()} == {"IBM": 10, "KO": 10}
    quotes = data.get_stock_quotes(StockQuotesRequest(**span)).data
    assert all(
        row.bid_price < trade.price < row.ask_price for row, trade in zip(quotes["KO"], trades["KO"], strict=True)
    )
    asked = {"symbols": "IBM,KO", "start": span["start"].isoformat(), "end": end.isoformat(), "limit": 12}
    first = data.get("/stocks/trades", asked)
    second = data.get("/stocks/trades", asked | {"page_token": first["next_page_token"]})
    assert [len(first["trades"].get(name, [])) for name in ("IBM", "KO")] == [10, 2]
    assert (len(second["trades"]["KO"]), second["next_page_token"]) == (8, None)
    with pytest.raises(APIError, match="invalid page_token"):
        data.get("/stocks/quotes", asked | {"page_token": "x"})


def test_sessions_are_the_exchanges(fake: FakeAlpaca, client: TradingClient, days: Days) -> None:
    fake.book.hours = Hours(calendar_for)
    asked = GetCalendarRequest(start=date(2026, 11, 23), end=date(2026, 11, 29))
    found = [(f"{one.date:%a}", f"{one.open:%H:%M}", f"{one.close:%H:%M}") for one in client.get_calendar(asked)]
    full = ("09:30", "16:00")
    assert found == [("Mon", *full), ("Tue", *full), ("Wed", *full), ("Fri", "09:30", "13:00")]
    days.go(fake, date(2026, 11, 26))
    assert client.get_clock().is_open
    fake.book.hours = Hours(calendar_for, real=True)
    clock = client.get_clock()
    assert (clock.is_open, f"{clock.next_open:%d %H:%M}", f"{clock.next_close:%d %H:%M}") == (
        False,
        "27 09:30",
        "27 13:00",
    )


def test_in_real_hours_orders_wait_for_the_open_and_end_with_the_close(
    fake: FakeAlpaca, client: TradingClient, days: Days
) -> None:
    fake.book.hours = Hours(real=True)
    days.go(fake, EVE, 22)
    bought, low = client.submit_order(market()), client.submit_order(limit(1, time_in_force=TimeInForce.DAY))
    stays = client.submit_order(LimitOrderRequest(**(limit(1).model_dump() | {"qty": 1})))
    days.go(fake, EX, 12)
    assert client.get_order_by_id(bought.id).filled_qty == "0"
    days.go(fake, EX, 14)
    assert client.get_order_by_id(bought.id).status == OrderStatus.FILLED
    assert client.get_order_by_id(low.id).status == OrderStatus.NEW
    days.go(fake, EX, 20, 1)
    states = [client.get_order_by_id(one.id).status for one in (low, stays)]
    assert states == [OrderStatus.EXPIRED, OrderStatus.NEW]
    assert isinstance(market(), MarketOrderRequest)


def test_a_restart_does_nothing_twice(tmp_path: Any, days: Days) -> None:
    for _ in range(2):
        with fake_alpaca(book=Book(now=days)) as fake:
            fake.book.load(tmp_path / "book.json")
            if not fake.book.held:
                hold(fake, "IBM", "100", "10000", "98")
            script(fake, actions=[SPLIT]) if not fake.book.actions else None
            days.go(fake, EX)
            assert fake.book.held["IBM"] == 700
            assert len(fake.book.activities) == 2

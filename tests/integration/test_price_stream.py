"""Prices that are pushed: what is newest each second, whatever the line does, and polls wherever it is mute."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from portfolios.models import Position
from tests.factories import bearer, make_position, make_user
from tests.fake_alpaca import fake_alpaca
from tests.integration.browsing import signed_in
from tests.integration.test_feeds import follow
from trading import tasks
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.brokers.fake_alpaca.server import FakeAlpaca
from trading.management.commands import price_stream
from trading.management.commands.price_stream import Listener
from trading.market.base import PriceUnavailable
from trading.market.models import PriceRefusal, Quote
from trading.market.sources.alpaca import Keys
from trading.market.sources.alpaca_stream import AlpacaPrices, address_of, makes_last, rows_in
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order
from trading.services.polling import claim_turn, open_ones
from vbalance.exposition import told_to_the_scraper

FRIDAY = datetime(2026, 11, 20, 15, 0, 0, tzinfo=UTC)
DOLLAR = 1_000_000


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeAlpaca]:
    """On a Friday at ten in New York."""
    with time_machine.travel(FRIDAY), fake_alpaca() as fake:
        settings.ALPACA_DATA_URL, settings.ALPACA_DATA_FEED = fake.url, "iex"
        settings.ALPACA_DATA_KEY, settings.ALPACA_DATA_SECRET = KEY, SECRET
        costs(fake, IBM="100", KO="50")
        yield fake


def costs(fake: FakeAlpaca, **prices: str) -> None:
    fake.do(lambda: fake.book.prices.told.update({name: Decimal(price) for name, price in prices.items()}))


def until(said: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def prices_of(stream: AlpacaPrices, seconds: float = 0.3) -> dict[str, int]:
    """The last prices of what it told within a while."""
    deadline, found = time.monotonic() + seconds, {}
    while time.monotonic() < deadline:
        if raw := stream.next(0.05):
            stream.hear(raw)
        found |= {price.symbol: price.last for price in stream.taken()}
    return found


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://data.alpaca.markets", "wss://stream.data.alpaca.markets/v2/iex"),
        ("http://127.0.0.1:8100", "ws://127.0.0.1:8100/v2/iex"),
    ],
)
def test_it_stands_beside_the_address_over_rest(url: str, address: str) -> None:
    assert address_of(url, "iex") == address


def test_it_tells_of_what_is_followed_and_of_nothing_else(fake: FakeAlpaca) -> None:
    with AlpacaPrices(Keys(fake.url, KEY, SECRET)) as stream:
        stream.follow(["IBM"])
        [price] = stream.taken()
        assert (price.symbol, price.last, price.bid, price.ask) == ("IBM", 100_000_000, 99_990_000, 100_010_000)
        costs(fake, IBM="101")
        assert prices_of(stream) == {"IBM": 101_000_000}
        stream.follow(["IBM", "KO"])
        assert prices_of(stream) == {"IBM": 101_000_000, "KO": 50_000_000}
        stream.follow(["KO"])
        assert prices_of(stream) == {"KO": 50_000_000}


def test_what_is_no_longer_followed_is_not_asked_for_again_when_the_stream_is(fake: FakeAlpaca) -> None:
    with AlpacaPrices(Keys(fake.url, KEY, SECRET), ask_every=0.1) as stream:
        stream.follow(["IBM", "KO"])
        stream.follow(["KO"])
        prices_of(stream, 0.5)
        assert fake.data.wanted["trades"] == fake.data.wanted["quotes"] == {"KO"}


def test_a_stream_is_of_use_while_nobody_answers_over_rest(fake: FakeAlpaca) -> None:
    fake.do(lambda: fake.faults.add("GET /v2/stocks", "500", times=9))
    with AlpacaPrices(Keys(fake.url, KEY, SECRET)) as stream:
        stream.follow(["IBM"])
        assert stream.taken() == []
        assert prices_of(stream) == {"IBM": 100_000_000}


def test_a_price_is_told_once_and_never_an_older_one(fake: FakeAlpaca) -> None:
    with AlpacaPrices(Keys(fake.url, KEY, SECRET)) as stream:
        fake.tick = 60.0
        time.sleep(0.2)
        stream.follow(["IBM"])
        stream.taken()
        later = b'[{"T":"t","S":"IBM","p":101.0,"t":"2026-11-20T15:05:00.000000001Z","c":["@"]}]'
        older = b'[{"T":"t","S":"IBM","p":90.0,"t":"2026-11-20T15:04:00Z","c":["@"]}]'
        stream.hear(later)
        stream.hear(older)
        assert [price.last for price in stream.taken()] == [101_000_000]
        stream.hear(later)
        assert stream.taken() == []


@pytest.mark.parametrize("letter", ["C", "I", "W", "Z", "4"])
def test_a_trade_that_leaves_the_last_price_as_it_is_makes_none(letter: str) -> None:
    assert not makes_last({"c": ["@", letter]})
    assert makes_last({"c": ["@", "F"]})
    assert makes_last({})


@pytest.mark.parametrize("raw", [None, b"", b"{", b"7", b'{"T":"q"}', b"[7, null]", b"[" * 100_000, b"\xff"])
def test_nonsense_is_nothing(raw: bytes | None) -> None:
    assert list(rows_in(raw)) == []


def test_an_error_of_the_vendor_s_is_named_without_our_keys(fake: FakeAlpaca) -> None:
    keys = Keys(fake.url, KEY, SECRET)
    with pytest.raises(PriceUnavailable, match="402 auth failed"), AlpacaPrices(keys._replace(secret="wrong")):
        pass
    with AlpacaPrices(keys), pytest.raises(PriceUnavailable, match="406 connection limit"), AlpacaPrices(keys):
        pass
    with pytest.raises(PriceUnavailable, match="no stream"), AlpacaPrices(keys._replace(url="http://127.0.0.1:9")):
        pass


def test_what_is_lost_doubled_or_nonsense_does_no_harm(fake: FakeAlpaca) -> None:
    for fault in ("drop", "duplicate", "nonsense"):
        fake.do(lambda fault=fault: fake.faults.add("data", fault))
    with AlpacaPrices(Keys(fake.url, KEY, SECRET)) as stream:
        stream.follow(["IBM"])
        costs(fake, IBM="101")
        assert prices_of(stream, 0.5) == {"IBM": 101_000_000}
    assert sum(fake.faults.met.values()) == 3


def test_a_stream_that_answers_nothing_is_found_out(fake: FakeAlpaca) -> None:
    fake.do(lambda: fake.faults.add("data", "mute", skip=2))
    with AlpacaPrices(Keys(fake.url, KEY, SECRET), ask_every=0.3, answer=0.5) as stream:
        stream.follow(["IBM"])
        with pytest.raises(PriceUnavailable, match="mute"):
            prices_of(stream, 5)


@contextmanager
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[Quote], list[Exception]]]:
    """A listener in a thread: what it rang for, and how it ended. It leaves when nobody holds anything."""
    rung: list[Quote] = []
    ends: list[Exception] = []
    monkeypatch.setattr(price_stream, "ring_for", rung.extend)
    monkeypatch.setattr(price_stream, "EVERY", 0.1)
    monkeypatch.setattr(price_stream, "LOOK", 0.2)

    def listen() -> None:
        try:
            Listener().listen()
        except PriceUnavailable as error:
            ends.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield rung, ends
    finally:
        Position.objects.update(state="closed")
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_what_is_held_is_heard_of_and_rung_for_and_new_cells_join(fake: FakeAlpaca, monkeypatch: Any) -> None:
    cell = follow(make_position(), "alpaca")
    with listening(monkeypatch) as (rung, ends):
        until(lambda: len(rung) > 1)
        costs(fake, IBM="100.5")
        until(lambda: rung[-1].last == 100_500_000)
        follow(make_position(cell.portfolio, symbol="KO"), "alpaca")
        until(lambda: any(quote.symbol == "KO" for quote in rung))
        assert {quote.origin for quote in rung} == {"alpaca"}
        assert Quote.objects.filter(source="alpaca").count() >= len(rung) - 1
        assert claim_turn(source="alpaca", now=timezone.now()) == []
        assert b"vb_price_stream_age_seconds" in told_to_the_scraper()
    assert ends == []
    assert set(PriceRefusal.objects.values_list("reason", flat=True)) == {"unconfirmed"}


@pytest.mark.django_db(transaction=True)
def test_a_portfolio_opened_by_the_api_trades_on_paper_at_pushed_prices(fake: FakeAlpaca, monkeypatch: Any) -> None:
    """The whole way: a feed is chosen, a cell opened, the first confirmed price is its anchor, a fall is bought."""
    client = Client(headers=bearer(make_user("ann")))
    body = {"name": "Live", "source": "alpaca"}
    portfolio = client.post("/v1/portfolios", body, "application/json").json()
    assert portfolio["source"] == "alpaca"
    body = {"ticker": "IBM", "qty": 100, "cash": 10_000, "portfolio_id": portfolio["id"]}
    opened = client.post("/v1/positions", body, "application/json")
    assert opened.status_code == 201, opened.content
    cell = Position.objects.get()
    with listening(monkeypatch) as (rung, ends):
        until(lambda: rung)
        evaluate_position(position_id=cell.pk)
        cell.refresh_from_db()
        assert cell.anchor == 100 * DOLLAR
        costs(fake, IBM="97")
        until(lambda: rung[-1].last == 97 * DOLLAR)
        order = evaluate_position(position_id=cell.pk).order
        assert order
        execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, order.side, order.filled_quantity) == ("filled", "BUY", 10_468_700)
    assert ends == []
    cell.refresh_from_db()
    assert cell.anchor == 97 * DOLLAR
    html = signed_in(cell.portfolio.owner).get(f"/positions/{cell.public_id}/timeline").content.decode()
    assert "first price; a second one must confirm it" in html


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fault", "said"), [("disconnect", "broke off"), ("mute", "while prices move")])
def test_what_the_line_loses_is_polled_and_found_out(fake: FakeAlpaca, monkeypatch: Any, fault: str, said: str) -> None:
    follow(make_position(), "alpaca")
    monkeypatch.setattr(price_stream, "SILENT", 2.0)
    monkeypatch.setattr(tasks, "ring_for", lambda quotes: len(quotes))
    with listening(monkeypatch) as (rung, ends):
        until(lambda: len(rung) > 1)
        fake.do(lambda: fake.faults.add("data", fault))

        def polled() -> bool:
            tasks.poll_feed(source="alpaca")
            return bool(ends)

        until(polled, 20)
        assert said in str(ends[0])
    before = Quote.objects.filter(source="alpaca").count()
    Position.objects.update(state="active")
    costs(fake, IBM="100.2")
    time.sleep(3.1)
    tasks.poll_feed(source="alpaca")
    assert Quote.objects.filter(source="alpaca").count() == before + 1
    assert Quote.objects.latest("at").last == 100_200_000


@pytest.mark.django_db
def test_before_and_after_the_session_only_those_are_asked_for_whose_cells_trade_then() -> None:
    plain = follow(make_position(), "alpaca")
    follow(make_position(plain.portfolio, symbol="KO", after_hours=True), "alpaca")
    symbols = ["IBM", "KO"]
    for hour, minute, found in ((13, 0, ["KO"]), (15, 0, symbols), (21, 30, ["KO"]), (2, 0, [])):
        at = FRIDAY.replace(hour=hour, minute=minute)
        assert open_ones(symbols, at, source="alpaca") == found


def test_without_keys_it_says_which(settings: Any) -> None:
    settings.ALPACA_DATA_KEY = settings.ALPACA_DATA_SECRET = ""
    with pytest.raises(CommandError, match="VBALANCE_ALPACA_DATA_KEY") as told:
        call_command("price_stream")
    assert told.value.returncode == 2

"""Our adapter at the fake: what it sends, what it makes of each state and answer, and where it never goes."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from portfolios.domain.amounts import MICROS, micros
from portfolios.models import Account, Position
from portfolios.services.accounts import seal_credentials
from tests.factories import NOON, make_quote, make_user
from tests.fake_alpaca import broker, fake_alpaca, hold, make_account, make_cell, request
from trading.brokers.alpaca import line
from trading.brokers.alpaca.words import STATES
from trading.brokers.base import BrokerSilent, Report, TooLate
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.brokers.fake_alpaca.orders import WORKING, Order
from trading.brokers.fake_alpaca.server import FakeAlpaca
from trading.domain.choices import Side
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order
from trading.services.reconciliation import reconcile_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake() -> Iterator[FakeAlpaca]:
    with fake_alpaca() as running:
        hold(running, "IBM", "100", "10000", "97.5")
        yield running


@pytest.fixture
def account(fake: FakeAlpaca) -> Account:
    return make_account(make_user(), fake)


def cell_after_hours(account: Account, **settings: Any) -> Position:
    position = make_cell(account.owner, account, after_hours=True, **settings)
    make_quote("IBM", "97.5", at=NOON + timedelta(hours=7))
    assert reconcile_account(account_id=account.pk, why="beat", patience=0).outcome == "matched"
    return position


def at_the_broker(fake: FakeAlpaca, client_order_id: str) -> Order:
    return fake.book.named(client_order_id)


def test_an_order_is_sent_and_found_with_its_fills(fake: FakeAlpaca, account: Account) -> None:
    fake.book.habit = ("fill 1", "fill 2 at 98.25")
    asked = request(account)
    assert broker(account).submit(asked).status == "accepted"
    found = broker(account).find(asked)
    assert found
    assert found.status == "filled"
    assert [(fill.quantity, fill.price) for fill in found.fills] == [(MICROS, 97_500_000), (2 * MICROS, 98_250_000)]
    assert broker(account).find(request(account)) is None


@pytest.mark.parametrize(
    ("traits", "sent"),
    [
        ({}, ("buy", "market", "day", "3", None)),
        ({"expires_at": None}, ("buy", "market", "gtc", "3", None)),
        ({"expires_at": None, "quantity": micros("0.000001")}, ("buy", "market", "day", "0.000001", None)),
        ({"limit_price": micros("97.259999")}, ("buy", "limit", "day", "3", "97.25")),
        ({"limit_price": micros("97.250001"), "side": Side.SELL}, ("sell", "limit", "day", "3", "97.26")),
        ({"limit_price": micros("0.123456"), "quantity": MICROS}, ("buy", "limit", "day", "1", "0.1234")),
    ],
)
def test_it_words_orders_as_the_broker_wants_them(
    fake: FakeAlpaca, account: Account, traits: dict[str, Any], sent: tuple[str | None, ...]
) -> None:
    fake.book.habit = ("rest",)
    asked = request(account, **traits)
    assert broker(account).submit(asked).status == "accepted"
    order = at_the_broker(fake, asked.client_order_id)
    told = fake.book.wire(order)
    assert tuple(told[name] for name in ("side", "type", "time_in_force", "qty", "limit_price")) == sent


@pytest.mark.parametrize("settings", [{}, {"order_type": "limit", "limit_offset_bps": "10"}])
def test_outside_the_session_an_order_is_a_limit_for_the_day_and_says_so(
    fake: FakeAlpaca, account: Account, settings: dict[str, Any]
) -> None:
    """A market order would lie there until the next opening, and fill at whatever price that begins with."""
    fake.book.habit = ("rest",)
    hold(fake, "IBM", "100", "10000", "96.5")
    cell = cell_after_hours(account, trigger_down="0.02", **settings)
    order = evaluate_position(position_id=cell.pk).order
    assert order
    execute_order(order_id=order.pk)
    told = fake.book.wire(at_the_broker(fake, order.client_order_id))
    limit = "97.59" if settings else "97.5"
    assert tuple(told[name] for name in ("type", "limit_price", "time_in_force", "extended_hours")) == (
        "limit",
        limit,
        "day",
        True,
    )


@pytest.mark.parametrize("state", sorted(STATES))
@pytest.mark.parametrize("filled", ["", "fill 1"])
def test_each_state_is_understood(fake: FakeAlpaca, account: Account, state: str, filled: str) -> None:
    fake.book.habit = tuple(step for step in (filled, "fill" if state == "filled" else state, "rest") if step)
    asked = request(account)
    broker(account).submit(asked)
    found = broker(account).find(asked)
    assert found
    ends = STATES[state] != "accepted"
    expected = STATES[state] if ends else "partially_filled" if filled else "accepted"
    assert found.status == expected
    assert ends == (at_the_broker(fake, asked.client_order_id).status not in (*WORKING, "pending_review"))
    assert sum(fill.quantity for fill in found.fills) == {"filled": 3 * MICROS}.get(state, MICROS if filled else 0)


def test_a_state_that_nobody_knows_proves_nothing(fake: FakeAlpaca, account: Account) -> None:
    fake.book.habit = ("fill 1", "bewitched")
    asked = request(account)
    broker(account).submit(asked)
    found = broker(account).find(asked)
    assert found
    assert (found.status, len(found.fills)) == ("unknown", 1)
    assert "bewitched" in found.note


def test_an_end_waits_until_every_fill_is_listed(fake: FakeAlpaca, account: Account) -> None:
    fake.book.habit = ("fill 1", "fill 1", "canceled")
    asked = request(account)
    broker(account).submit(asked)
    late = fake.do(lambda: fake.book.activities.pop(0))
    found = broker(account).find(asked)
    assert found == Report("accepted")  # the second fill is not the first one: it has to wait as well
    fake.do(lambda: fake.book.activities.append(late))
    found = broker(account).find(asked)
    assert found
    assert (found.status, len(found.fills)) == ("cancelled", 2)


def test_fills_finer_than_a_millionth_add_up(fake: FakeAlpaca, account: Account) -> None:
    fake.book.habit = ("fill 0.0000004", "fill 0.3333333", "fill 0.6666663")
    asked = request(account, quantity=MICROS)
    broker(account).submit(asked)
    found = broker(account).find(asked)
    assert found
    assert [fill.quantity for fill in found.fills] == [333_333, 666_667]


def test_a_replaced_order_has_ended_and_names_what_took_its_place(fake: FakeAlpaca, account: Account) -> None:
    fake.book.habit = ("fill 1", "replaced")
    asked = request(account)
    broker(account).submit(asked)
    found = broker(account).find(asked)
    other = at_the_broker(fake, asked.client_order_id).replaced_by
    assert found
    assert (found.status, found.note) == ("cancelled", f"Replaced at the broker by order {other}.")


@pytest.mark.parametrize(
    ("traits", "words"),
    [
        ({"quantity": 10**6 * MICROS}, "insufficient buying power"),
        ({"quantity": 500 * MICROS, "side": Side.SELL}, "insufficient qty available"),
        ({"symbol": "TOOLONG"}, "could not find asset"),
    ],
)
def test_a_refusal_is_believed_after_a_look(
    fake: FakeAlpaca, account: Account, traits: dict[str, Any], words: str
) -> None:
    report = broker(account).submit(request(account, **traits))
    assert (report.status, report.fills) == ("rejected", ())
    assert words in report.note
    assert fake.asked[-1] == "GET /v2/orders:by_client_order_id"


def test_the_same_id_is_the_same_order(fake: FakeAlpaca, account: Account) -> None:
    asked = request(account)
    broker(account).submit(asked)
    again = broker(account).submit(asked._replace(quantity=5 * MICROS))
    assert again.status == "filled"
    assert sum(fill.quantity for fill in again.fills) == 3 * MICROS
    assert len(fake.book.orders) == 1


@pytest.mark.parametrize("habit", [("rest",), ("fill 1", "rest"), ("fill",), ("pending_cancel", "rest")])
def test_a_cancel_reports_what_became_of_it(fake: FakeAlpaca, account: Account, habit: tuple[str, ...]) -> None:
    fake.book.habit = habit
    asked = request(account)
    broker(account).submit(asked)
    found = broker(account).cancel(asked)
    assert found
    assert found.status == {"fill": "filled", "pending_cancel": "accepted"}.get(habit[0], "cancelled")
    assert broker(account).cancel(asked) == found
    assert broker(account).cancel(request(account)) is None
    assert sum(one.startswith("DELETE") for one in fake.asked) == (1 if found.status == "cancelled" else 0)


def test_books_are_read_page_by_page(fake: FakeAlpaca, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from trading.brokers.alpaca import adapter

    monkeypatch.setattr(adapter, "PAGE", 2)
    monkeypatch.setattr(adapter, "ORDERS_PAGE", 2)
    fake.book.habit = ("fill 1", "rest")
    asked = [request(account) for _ in range(5)]
    for one in asked:
        broker(account).submit(one)
    fake.book.habit = ("fill 1", "fill 1", "fill 1")
    whole = request(account)
    broker(account).submit(whole)
    adapter.names.clear()
    standing = broker(account).open_orders()
    assert [one.client_order_id for one in standing] == [one.client_order_id for one in asked]
    assert {(one.symbol, one.side, one.quantity, one.filled_quantity, one.status) for one in standing} == {
        ("IBM", Side.BUY, 3 * MICROS, MICROS, "partially_filled")
    }
    traded, cursor = [], ""
    while True:
        page, after = broker(account).fills_since(cursor)
        assert len(page) <= 2
        traded += page
        if after == cursor:
            break
        cursor = after
    assert len(traded) == 8
    assert [one.client_order_id for one in traded[:5]] == [one.client_order_id for one in asked]
    found = broker(account).find(whole)
    assert found
    assert found.fills == tuple(one.fill for one in traded[5:])
    holdings = broker(account).holdings()
    assert holdings
    assert (dict(holdings.shares), holdings.cash) == ({"IBM": 108 * MICROS}, micros("10000") - 8 * micros("97.5"))


@pytest.mark.parametrize(
    "fault", ["429", "500", "504 before", "504 after", "timeout after", "garbage", "cut", "html", "empty"]
)
@pytest.mark.parametrize(
    ("on", "question"),
    [
        ("POST /v2/orders", lambda broker, asked: broker.submit(asked)),
        ("GET /v2/orders:by", lambda broker, asked: broker.find(asked)),
        ("GET /v2/account/activities", lambda broker, asked: broker.fills_since("")),
        ("GET /v2/positions", lambda broker, asked: broker.holdings()),
        ("GET /v2/orders", lambda broker, asked: broker.open_orders()),
    ],
    ids=["submit", "find", "fills", "holdings", "open orders"],
)
def test_what_is_no_plain_answer_is_silence(
    fake: FakeAlpaca, account: Account, monkeypatch: pytest.MonkeyPatch, on: str, question: Any, fault: str
) -> None:
    monkeypatch.setattr(line, "READ", 0.4)
    fake.do(lambda: fake.faults.add(on, fault))
    with pytest.raises(BrokerSilent):
        question(broker(account), request(account))
    assert sum(fake.faults.met.values()) == 1
    assert sum(one.startswith("POST") for one in fake.asked) <= 1


@pytest.mark.parametrize(("fault", "words"), [("drip", "too slowly"), ("flood", "too long")])
def test_an_answer_without_end_is_cut_short(
    fake: FakeAlpaca, account: Account, monkeypatch: pytest.MonkeyPatch, fault: str, words: str
) -> None:
    monkeypatch.setattr(line, "WHOLE", 0.5)
    fake.do(lambda: fake.faults.add("POST", fault))
    began = time.monotonic()
    with pytest.raises(BrokerSilent, match=words):
        broker(account).submit(request(account))
    assert time.monotonic() - began < 2


def test_after_too_many_requests_it_asks_nothing_until_it_may(fake: FakeAlpaca, account: Account) -> None:
    fake.do(lambda: fake.faults.add("POST", "429"))
    with pytest.raises(BrokerSilent, match="too many"):
        broker(account).submit(request(account))
    count = len(fake.asked)
    with pytest.raises(BrokerSilent, match="waiting"):
        broker(account).submit(request(account))
    assert len(fake.asked) == count
    began = time.monotonic()
    assert broker(account).holdings()  # a question can wait a moment, an order never does
    assert 0.5 < time.monotonic() - began < line.PATIENCE


def test_nothing_leaves_after_the_deadline(fake: FakeAlpaca, account: Account) -> None:
    with pytest.raises(TooLate):
        broker(account).submit(request(account, leave_by=time.monotonic() - 0.001))
    assert fake.asked == []


@pytest.mark.parametrize(
    "base_url",
    [
        "http://169.254.169.254",
        "http://10.0.0.1:8080",
        "http://localhost:8100",
        "http://paper-api.alpaca.markets",
        "https://api.alpaca.markets",  # the live one, of a paper account
        "https://paper-api.alpaca.markets:8443",
        "https://paper-api.alpaca.markets.example.com",
        "https://key:secret@paper-api.alpaca.markets",
        "https://paper-api.alpaca.markets/v2/../admin",
        "https://127.0.0.1:8100",
        "http://127.0.0.1",
        "http://127.0.0.1:8100@example.com:80",
        "http://127.0.0.1:99999",
        "file:///etc/passwd",
        "://",
        "x" * 4000,
    ],
)
def test_it_goes_nowhere_else(account: Account, base_url: str) -> None:
    seal_credentials(account_id=account.pk, given={"key": "k", "secret": "s", "base_url": base_url}, actor="user:test")
    with pytest.raises(BrokerSilent, match="base_url"):
        broker(account).holdings()


def test_here_is_out_of_reach_in_production_and_for_live_accounts(fake: FakeAlpaca, settings: Any) -> None:
    from trading.brokers.alpaca.addresses import address_of

    assert address_of("live", {}) == ("https://api.alpaca.markets", "wss://api.alpaca.markets/stream")
    assert address_of("paper", {}).rest == "https://paper-api.alpaca.markets"
    assert address_of("paper", {"base_url": "http://[::1]:8100"}).stream == "ws://[::1]:8100/stream"
    with pytest.raises(BrokerSilent):
        address_of("live", {"base_url": fake.url})
    settings.FAKE_BROKERS = False
    with pytest.raises(BrokerSilent):
        address_of("paper", {"base_url": fake.url})


@pytest.mark.parametrize(
    "given", [{"key": "k"}, {"secret": "s"}, {"key": "k\n", "secret": "s"}, {"key": "k", "secret": "ü"}]
)
def test_without_keys_nobody_is_asked(fake: FakeAlpaca, account: Account, given: dict[str, str]) -> None:
    seal_credentials(account_id=account.pk, given={**given, "base_url": fake.url}, actor="user:test")
    with pytest.raises(BrokerSilent, match="lacks the credentials"):
        broker(account).find(request(account))
    assert fake.asked == []


def test_wrong_keys_prove_nothing_and_no_message_holds_them(fake: FakeAlpaca, account: Account) -> None:
    wrong = {"key": "mykey-xyz", "secret": "mysecret-xyz", "base_url": fake.url}
    seal_credentials(account_id=account.pk, given=wrong, actor="user:test")
    with pytest.raises(BrokerSilent) as silence:
        broker(account).submit(request(account))
    assert "forbidden" in str(silence.value)
    assert "xyz" not in str(silence.value)


def test_it_follows_no_redirect(fake: FakeAlpaca, account: Account) -> None:
    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"{fake.url}/v2/account")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Redirecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        given = {"key": KEY, "secret": SECRET, "base_url": f"http://127.0.0.1:{server.server_port}"}
        seal_credentials(account_id=account.pk, given=given, actor="user:test")
        with pytest.raises(BrokerSilent, match="302"):
            broker(account).holdings()
        server.shutdown()
    assert fake.asked == []

"""The robot at the fake Alpaca while everything goes wrong: no order twice, and both books equal in the end."""

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from portfolios.domain.amounts import MICROS, as_text
from portfolios.models import Account, Position
from tests.at_once import at_once
from tests.factories import make_quote, make_user
from tests.fake_alpaca import fake_alpaca, hold, make_account, make_cell
from tests.market import assert_sound, later, story, tick
from trading.brokers.alpaca import line
from trading.brokers.alpaca.addresses import access_of
from trading.brokers.alpaca.stream import Stream
from trading.brokers.base import BrokerSilent
from trading.brokers.fake_alpaca import KEY, SECRET
from trading.brokers.fake_alpaca.server import FakeAlpaca
from trading.brokers.models import Ability
from trading.domain.order_life import OPEN_STATES
from trading.management.commands import alpaca_stream
from trading.management.commands.alpaca_stream import follow, listen, take_in
from trading.models import Execution, InboxMessage, Order
from trading.risk.selectors import ability_of, why_blocked
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order
from trading.services.inbox import process_message, receive
from trading.services.ordering import cancel_order
from trading.services.reconciliation import reconcile_account

pytestmark = pytest.mark.django_db
BOUGHT = 10_468_700  # micro-shares: what the rule buys of a cell that fell from 100 to 97


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAlpaca]:
    monkeypatch.setattr(line, "READ", 0.4)
    with fake_alpaca() as running:
        hold(running, "IBM", "100", "10000", "97")
        yield running


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Bells are heard here and not by whichever worker comes next: tests do what they ask for themselves."""
    heard: list[str] = []
    monkeypatch.setattr(alpaca_stream, "ring", lambda bell, **_: heard.append(bell.name.rpartition(".")[2]))
    return heard


@pytest.fixture
def cell(fake: FakeAlpaca) -> Position:
    """Trusted: its books were compared and found equal."""
    owner = make_user()
    account = make_account(owner, fake)
    position = make_cell(owner, account)
    make_quote("IBM", "97")
    assert reconcile(account).outcome == "matched"
    return position


def account_of(cell: Position) -> Account:
    return Account.objects.get(portfolios__positions=cell)


def reconcile(account: Account) -> Any:
    return reconcile_account(account_id=account.pk, why="beat", patience=0)


@contextmanager
def listening(cell: Position) -> Iterator[Stream]:
    with Stream(access_of(account_of(cell)), ask_every=0.2, answer=0.3) as stream:
        yield stream


def drain(stream: Stream, cell: Position, patience: float = 0.3) -> None:
    """Take in what the stream tells, until it has told nothing for a while."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        raw = stream.next(0.05)
        if raw is not None:
            take_in(account_of(cell).pk, raw)
            until = time.monotonic() + patience
    work_on()


def work_on() -> None:
    for message in InboxMessage.objects.filter(status__in=("received", "parked")).order_by("pk"):
        process_message(message_id=message.pk)


def carry_to_its_end(cell: Position) -> Order:
    """What sweepers do while time goes by: ask after it until it has ended."""
    for _ in range(8):
        order = Order.objects.get(position=cell)
        if order.status not in OPEN_STATES:
            return order
        Order.objects.update(sent_at=timezone.now() - timedelta(minutes=1))
        execute_order(order_id=order.pk)
        work_on()
        time.sleep(0.15)
    raise AssertionError(f"it is still {order.status}")


def assert_equal(fake: FakeAlpaca, cell: Position, shares: int = 100 * MICROS + BOUGHT) -> None:
    """What the torture runs ask for, and the broker's book beside ours."""
    line.paused.clear()
    assert reconcile(account_of(cell)).outcome in ("matched", "repaired")
    assert reconcile(account_of(cell)).outcome == "matched"
    assert_sound()
    cell.refresh_from_db()
    order = Order.objects.get(position=cell)
    names = Counter(one.client_order_id for one in fake.book.orders.values() if one.client_order_id.startswith("vb-"))
    assert names <= Counter([order.client_order_id])
    assert cell.shares == shares == int(fake.book.held["IBM"] * MICROS)
    assert cell.state == "active"
    executed = sum(Execution.objects.filter(order=order).values_list("quantity", flat=True))
    assert executed == order.filled_quantity == shares - 100 * MICROS
    spent = sum((one.paid for one in fake.book.orders.values()), Decimal(0))
    assert abs(spent * MICROS - order.notional) < 5  # each part is rounded up against the buyer


@pytest.mark.parametrize(
    "fault",
    ["429", "500", "504 before", "504 after", "timeout before", "timeout after", "garbage", "cut", "html", "empty"],
)
@pytest.mark.parametrize("on", ["POST /v2/orders", "GET /v2/orders:by", "GET /v2/account/activities"])
def test_whatever_the_line_does_the_order_is_there_once(fake: FakeAlpaca, cell: Position, on: str, fault: str) -> None:
    fake.book.habit = ("fill 4", "fill")
    fake.do(lambda: fake.faults.add(on, fault, times=1 if on.startswith("POST") else 2))
    tick(cell)
    line.paused.clear()
    order = carry_to_its_end(cell)
    assert order.status == "filled"
    assert sum(fake.faults.met.values()) >= 1
    assert_equal(fake, cell)


@pytest.mark.parametrize("fault", ["504 before", "504 after", "timeout after", "garbage"])
def test_a_cancel_whose_answer_is_lost_is_looked_up(fake: FakeAlpaca, cell: Position, fault: str) -> None:
    fake.book.habit = ("fill 4", "rest")
    order = tick(cell)
    assert order
    execute_order(order_id=order.pk)
    fake.do(lambda: fake.faults.add("DELETE", fault))
    cancel_order(order_id=order.pk, actor="user:test")
    execute_order(order_id=order.pk)
    assert carry_to_its_end(cell).status == "cancelled"
    assert fake.faults.met
    assert_equal(fake, cell, 104 * MICROS)


@pytest.mark.parametrize("fault", ["", "duplicate", "reorder", "drop", "nonsense", "disconnect", "mute"])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_whatever_the_stream_does_each_fill_is_booked_once(
    fake: FakeAlpaca, cell: Position, fault: str, skip: int
) -> None:
    fake.book.habit = ("fill 4", "fill 3 at 97.01", "fill")
    if fault:
        fake.do(lambda: fake.faults.add("stream", fault, skip=skip))
    with listening(cell) as stream:
        tick(cell)
        try:
            drain(stream, cell, patience=0.7 if fault == "mute" else 0.3)
            broke = ""
        except BrokerSilent as silence:
            broke = str(silence)
            work_on()
    assert bool(broke) == (fault in ("disconnect", "mute"))
    if fault == "mute":
        assert broke == "the stream is mute"
    if fault in ("", "duplicate", "nonsense"):  # the stream alone has told everything
        assert Order.objects.get().status == "filled"
    assert carry_to_its_end(cell).status == "filled"
    work_on()
    assert Execution.objects.count() == 3
    assert not InboxMessage.objects.filter(status="parked").exclude(order=None).exists()
    assert_equal(fake, cell)


@pytest.mark.parametrize(
    ("habit", "ours", "shares"),
    [
        (("fill 4", "canceled"), "cancelled", 104),
        (("fill 4", "expired"), "expired", 104),
        (("rejected",), "rejected", 100),
        (("fill 4", "replaced"), "cancelled", 104),
        (("done_for_day", "expired"), "expired", 100),
        (("fill 4", "done_for_day", "canceled"), "cancelled", 104),
        (("suspended", "fill 2", "suspended", "canceled"), "cancelled", 102),
        (("stopped", "calculated", "fill 1", "canceled"), "cancelled", 101),
        (("pending_cancel", "fill 1", "canceled"), "cancelled", 101),
    ],
)
@pytest.mark.parametrize("by_stream", [True, False], ids=["told", "asked"])
def test_whichever_way_an_order_ends_both_books_agree(
    fake: FakeAlpaca, cell: Position, habit: tuple[str, ...], ours: str, shares: int, by_stream: bool
) -> None:
    fake.book.habit = habit
    with listening(cell) as stream:
        tick(cell)
        if by_stream:
            drain(stream, cell)
            assert Order.objects.get().status == ours
    assert carry_to_its_end(cell).status == ours
    assert_equal(fake, cell, shares * MICROS)
    assert story(cell).count(f"order_{ours}") == 1


def test_a_message_that_runs_ahead_of_its_fill_is_looked_up(fake: FakeAlpaca, cell: Position) -> None:
    """Its order is newer than its execution: to book it under that total would count a share twice later."""
    fake.book.habit = ("fill 4", "fill 3", "rest")
    with listening(cell) as stream:
        tick(cell)
        while (raw := stream.next(1)) and b'"partial_fill"' not in raw:
            pass
        assert raw
        message = json.loads(raw)
        assert message["data"]["order"]["filled_qty"] == "4"
        message["data"]["order"]["filled_qty"] = "7"
        take_in(account_of(cell).pk, json.dumps(message).encode())
        work_on()
        assert InboxMessage.objects.get().status == "parked"
        assert not Execution.objects.exists()
        drain(stream, cell)
    placed = fake.book.named(Order.objects.get().client_order_id)
    fake.do(lambda: fake.book.become(placed, "canceled"))
    assert carry_to_its_end(cell).status == "cancelled"
    assert [row.quantity for row in Execution.objects.order_by("pk")] == [4 * MICROS, 3 * MICROS]
    assert_equal(fake, cell, 107 * MICROS)


def test_fills_that_nobody_told_are_found_by_reconciliation(fake: FakeAlpaca, cell: Position) -> None:
    fake.book.habit = ("fill 4", "rest")
    order = tick(cell)
    assert order
    account = account_of(cell)
    assert reconcile(account).outcome == "repaired"
    fake.do(lambda: fake.book.step(fake.book.named(order.client_order_id), "fill"))
    assert reconcile(account).outcome == "repaired"
    assert_equal(fake, cell)
    assert "repaired" in story(cell)


def test_an_order_placed_by_hand_there_is_nobodys_business_until_it_fills(
    fake: FakeAlpaca, cell: Position, rung: list[str]
) -> None:
    fake.book.habit = ("rest",)
    foreign = {"symbol": "IBM", "qty": "5", "side": "buy", "type": "market", "time_in_force": "day"}
    with listening(cell) as stream:
        placed = fake.do(lambda: fake.book.submit(foreign))
        drain(stream, cell)
        assert [row.status for row in InboxMessage.objects.all()] == ["processed"]
        assert rung == ["process_inbox"]
        assert reconcile(account_of(cell)).outcome == "matched"
        fake.do(lambda: fake.book.step(placed, "fill"))
    found = reconcile(account_of(cell))
    assert found.outcome == "frozen"
    assert [line["difference"] for line in found.found if line["kind"] == "shares"] == ["5"]


def test_a_broker_that_is_away_proves_nothing(cell: Position, fake: FakeAlpaca) -> None:
    fake.do(lambda: fake.faults.add("GET", "500", times=50))
    assert reconcile(account_of(cell)).outcome == "unanswered"
    assert account_of(cell).state == "active"


def test_what_is_held_there_and_not_here_freezes(fake: FakeAlpaca, cell: Position) -> None:
    fake.do(lambda: fake.book.held.update(KO=Decimal(7)))
    found = reconcile(account_of(cell))
    assert found.outcome == "frozen"
    assert [(row["subject"], row["theirs"]) for row in found.found if row["verdict"] == "differs"] == [
        ("KO", as_text(7 * MICROS))
    ]


def test_what_the_account_can_do_there_is_asked_when_connecting_and_every_hour(
    fake: FakeAlpaca, cell: Position
) -> None:
    account = account_of(cell)
    known = Ability.objects.get(account=account.code)
    assert (known.blocked, known.fractional, known.extended_hours) == ("", True, True)
    assert (known.whole_only, known.untradable) == ([], [])
    fake.do(lambda: fake.book.assets.whole.add("IBM"))
    reconcile(account)
    assert Ability.objects.get().probed_at == known.probed_at
    Ability.objects.update(probed_at=timezone.now() - timedelta(minutes=61), asked={})
    fake.do(lambda: fake.faults.add("GET /v2/assets", "500"))
    reconcile(account)
    assert Ability.objects.get().whole_only == []  # no answer: what was known stays
    reconcile_account(account_id=account.pk, why="reconnect", patience=0)
    assert Ability.objects.get().whole_only == ["IBM"]


def test_where_the_broker_takes_no_orders_none_is_made(fake: FakeAlpaca, cell: Position) -> None:
    fake.book.blocked = True
    reconcile_account(account_id=account_of(cell).pk, why="reconnect", patience=0)
    assert why_blocked(ability_of(account_of(cell))) == "its broker takes no orders: trading blocked"
    assert tick(cell) is None
    assert "skipped" in story(cell)
    fake.book.blocked = False
    reconcile_account(account_id=account_of(cell).pk, why="reconnect", patience=0)
    make_quote("IBM", "96.9", at=later())
    assert tick(cell)


def test_an_order_made_before_the_broker_said_so_does_not_leave(fake: FakeAlpaca, cell: Position) -> None:
    order = evaluate_position(position_id=cell.pk).order
    assert order
    fake.book.blocked = True
    reconcile_account(account_id=account_of(cell).pk, why="reconnect", patience=0)
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, order.attempts) == ("cancelled", 0)
    assert not any(one.startswith("POST") for one in fake.asked)
    assert_sound()


def test_no_log_holds_the_keys(fake: FakeAlpaca, cell: Position, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), listening(cell) as stream:
        tick(cell)
        drain(stream, cell)
        reconcile(account_of(cell))
        with pytest.raises(BrokerSilent), Stream(access_of(account_of(cell))._replace(secret="another-secret")):
            pass
    assert "/v2/orders" in caplog.text
    assert [word for word in (KEY, SECRET, "another-secret") if word in caplog.text] == []


def test_a_fill_of_an_order_that_is_gone_is_nobody_of_ours(fake: FakeAlpaca, cell: Position) -> None:
    def sold_by_the_broker() -> None:
        order = fake.book.submit({"symbol": "IBM", "qty": "1", "side": "sell"})
        fake.book.fill(order, Decimal(1), Decimal(97))
        del fake.book.orders[order.id]

    fake.do(sold_by_the_broker)
    found = reconcile(account_of(cell))
    assert (found.outcome, [row["difference"] for row in found.found if row["kind"] == "shares"]) == ("frozen", ["-1"])


def test_a_sign_of_life_is_noted(fake: FakeAlpaca, cell: Position) -> None:
    account, stop = account_of(cell), threading.Event()
    Account.objects.filter(pk=account.pk).update(heard_at=None)
    with listening(cell) as stream:
        stop_when = time.monotonic() + 5
        following: Callable[[], bool] = lambda: time.monotonic() > stop_when or bool(account_of(cell).heard_at)  # noqa: E731
        stop.is_set = following  # type: ignore[method-assign]
        follow(stream, account.pk, stop)
    assert account_of(cell).heard_at
    assert not InboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(3))
def test_stream_answer_and_comparison_at_once_book_each_fill_once(
    fake: FakeAlpaca, cell: Position, round_: int
) -> None:
    """The same executions come by three ways in the same moment."""
    fake.book.habit = ("fill 4", "fill 3 at 97.01", "fill")
    account = account_of(cell)
    with listening(cell) as stream:
        order = evaluate_position(position_id=cell.pk).order
        assert order
        execute_order(order_id=order.pk)
        told = []
        while len(told) < 4 and (raw := stream.next(1)):
            told.append(raw)
    stored = [
        receive(account_id=account.pk, channel=InboxMessage.Channel.STREAM, delivery_id=str(place), body=raw.decode())
        for place, raw in enumerate(told)
    ]
    ways = [partial(process_message, message_id=message.pk) for message, _ in stored]
    ways += [partial(execute_order, order_id=order.pk) for _ in range(2)]
    ways += [partial(reconcile, account) for _ in range(2)]
    errors = [found for found in at_once(*ways) if isinstance(found, BaseException)]
    assert errors == []
    assert carry_to_its_end(cell).status == "filled"
    assert Execution.objects.count() == 3
    assert_equal(fake, cell)


@pytest.mark.django_db(transaction=True)
def test_it_connects_again_and_has_the_books_compared(fake: FakeAlpaca, cell: Position, rung: list[str]) -> None:
    account, stop = account_of(cell), threading.Event()
    thread = threading.Thread(target=listen, args=(account.pk, stop), daemon=True)
    thread.start()
    try:
        wait_for(lambda: fake.trades.listening)
        doubted = account_of(cell).doubted_at
        assert doubted
        fake.do(lambda: fake.trades.begin(fake.trades.hang_up()))
        wait_for(lambda: not fake.trades.listening)
        wait_for(lambda: fake.trades.listening)
        wait_for(lambda: (account_of(cell).doubted_at or doubted) > doubted)
        wait_for(lambda: rung.count("reconcile_account") == 2)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def wait_for(true: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)

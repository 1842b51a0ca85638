"""Fills that the broker takes back or puts right: booked as money and shares, once, in whatever order they are told."""

import json
import random
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from portfolios.domain.amounts import MICROS, micros
from portfolios.models import Position
from tests.at_once import at_once
from tests.integration.test_alpaca_faults import (
    BOUGHT,
    account_of,
    carry_to_its_end,
    cell,
    drain,
    fake,
    listening,
    reconcile,
    rung,
    work_on,
)
from tests.market import assert_sound, story, tick
from trading.brokers.fake_alpaca.corrections import bust, correct
from trading.brokers.fake_alpaca.server import FakeAlpaca
from trading.models import Execution, InboxMessage, Order
from trading.services.inbox import process_message, receive

__all__ = ["cell", "fake", "rung"]
pytestmark = pytest.mark.django_db
PARTS = ("fill 4", "fill 3 at 97.01", "fill")
LAST = BOUGHT - 7 * MICROS


def bought(fake: FakeAlpaca, cell: Position) -> list[dict[str, Any]]:
    """In three parts of which the stream tells nothing to us; what it told."""
    told: list[dict[str, Any]] = []
    fake.do(lambda: fake.book.listeners.append(told.append))
    fake.book.habit = PARTS
    tick(cell)
    return told


def placed(fake: FakeAlpaca) -> Any:
    return next(one for one in fake.book.orders.values() if one.client_order_id.startswith("vb-"))


def hear(cell: Position, messages: list[dict[str, Any]], again: str = "") -> list[InboxMessage]:
    """Stored and worked on, one after the other, then what is left of them until nothing changes."""
    channel = InboxMessage.Channel.STREAM
    found = []
    for place, message in enumerate(messages):
        body = json.dumps(message)
        row, _ = receive(account_id=account_of(cell).pk, channel=channel, delivery_id=f"{again}{place}", body=body)
        found.append(process_message(message_id=row.pk))
    for _ in range(4):
        work_on()
    return [InboxMessage.objects.get(pk=row.pk) for row in found]


def assert_agreed(fake: FakeAlpaca, cell: Position, filled: int) -> None:
    order = Order.objects.get()
    cell.refresh_from_db()
    assert order.filled_quantity == filled
    assert cell.shares == 100 * MICROS + filled == int(fake.book.held["IBM"] * MICROS)
    assert reconcile(account_of(cell)).outcome == "matched"
    spent = placed(fake).paid
    assert abs(spent * MICROS - order.notional) < 5
    assert_sound()


@pytest.mark.parametrize("by_stream", [True, False], ids=["told", "asked"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_fill_that_is_taken_back_takes_money_and_shares_and_leaves_the_anchor(
    fake: FakeAlpaca, cell: Position, number: int, by_stream: bool
) -> None:
    told = bought(fake, cell)
    if by_stream:
        hear(cell, told)
    carry_to_its_end(cell)
    cell.refresh_from_db()
    anchor, part = cell.anchor, (4 * MICROS, 3 * MICROS, LAST)[number - 1]
    fake.do(lambda: bust(fake.book, placed(fake), number))
    (message,) = hear(cell, told[-1:], again="bust")
    assert message.status == "processed"
    assert_agreed(fake, cell, BOUGHT - part)
    assert cell.anchor == anchor
    assert story(cell).count("correction") == 1
    assert Execution.objects.filter(reverses__isnull=False).get().quantity == -part


@pytest.mark.parametrize("by_stream", [True, False], ids=["told", "asked"])
@pytest.mark.parametrize(("qty", "price"), [("3", "97.5"), ("2", "97.01"), ("5", "96.99")])
def test_a_fill_that_is_put_right_is_what_it_should_have_been(
    fake: FakeAlpaca, cell: Position, qty: str, price: str, by_stream: bool
) -> None:
    told = bought(fake, cell)
    if by_stream:
        hear(cell, told)
    carry_to_its_end(cell)
    cell.refresh_from_db()
    anchor = cell.anchor
    fake.do(lambda: correct(fake.book, placed(fake), 2, Decimal(qty), Decimal(price)))
    assert [one.status for one in hear(cell, told[-1:], again="right")] == ["processed"]
    if qty == "5":  # more than was ordered: it is booked, and the cell waits for a person
        cell.refresh_from_db()
        assert cell.state == "quarantined"
    assert_agreed(fake, cell, BOUGHT - 3 * MICROS + micros(qty))
    assert cell.anchor == anchor
    again = placed(fake)
    fake.do(lambda: bust(fake.book, again, 3))  # what was put right is last in its book: it is taken back for good
    assert [one.status for one in hear(cell, told[-1:], again="gone")] == ["processed"]
    assert_agreed(fake, cell, BOUGHT - 3 * MICROS)


@pytest.mark.parametrize("seed", range(8))
def test_in_whatever_order_and_however_often_it_is_told(fake: FakeAlpaca, cell: Position, seed: int) -> None:
    told = bought(fake, cell)
    order = placed(fake)
    fake.do(lambda: bust(fake.book, order, 2))
    fake.do(lambda: correct(fake.book, order, 1, Decimal(4), Decimal("96.5")))
    told = [*told, *random.Random(seed).choices(told, k=3)]
    random.Random(seed).shuffle(told)
    hear(cell, told)
    assert carry_to_its_end(cell).status in ("filled", "cancelled")  # cancelled: part was gone before the last was told
    for _ in range(3):
        work_on()
    assert_agreed(fake, cell, BOUGHT - 3 * MICROS)
    assert Execution.objects.filter(reverses__isnull=False).count() == 2
    named = InboxMessage.objects.filter(body__contains="previous_execution_id")
    assert set(named.values_list("status", flat=True)) == {"processed"}


def test_the_same_correction_in_another_message_changes_nothing(fake: FakeAlpaca, cell: Position) -> None:
    """Of two fills that are alike only one is taken back, however often that is told."""
    fake.book.habit = ("fill 4", "fill 4", "fill")
    told: list[dict[str, Any]] = []
    fake.do(lambda: fake.book.listeners.append(told.append))
    tick(cell)
    carry_to_its_end(cell)
    fake.do(lambda: bust(fake.book, placed(fake), 2))
    again = json.loads(json.dumps(told[-1]))
    again["data"]["execution_id"] = "4f6d6f0c-0000-4000-8000-000000000001"
    first, second = hear(cell, [told[-1], again], again="bust")
    assert (first.status, second.status) == ("processed", "parked")
    assert_agreed(fake, cell, BOUGHT - 4 * MICROS)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"previous_execution_id": None}, "parked"),
        ({"previous_execution_id": 7}, "refused"),
        ({"execution_id": None}, "refused"),
        ({"event": "trade_correct", "qty": "0"}, "parked"),
        ({"event": "trade_correct", "qty": "x"}, "refused"),
        ({"event": "trade_correct", "price": None}, "refused"),
        ({"event": "trade_undone"}, "parked"),
    ],
)
def test_what_cannot_be_understood_waits_and_changes_nothing(
    fake: FakeAlpaca, cell: Position, change: dict[str, Any], status: str
) -> None:
    told = bought(fake, cell)
    carry_to_its_end(cell)
    fake.do(lambda: bust(fake.book, placed(fake), 1))
    told[-1]["data"].update(change)
    before = Position.objects.get().event_seq
    (message,) = hear(cell, told[-1:], again="odd")
    assert (message.status, Position.objects.get().event_seq) == (status, before)
    found = reconcile(account_of(cell))
    assert [line["difference"] for line in found.found if line["kind"] == "shares"] == ["-4"]


def test_one_that_breaks_a_rule_is_booked_and_the_cell_waits(fake: FakeAlpaca, cell: Position) -> None:
    told = bought(fake, cell)
    carry_to_its_end(cell)
    fake.do(lambda: correct(fake.book, placed(fake), 1, Decimal(4), Decimal(3000)))
    hear(cell, told[-1:], again="dear")
    cell.refresh_from_db()
    assert (cell.state, cell.cash < 0) == ("quarantined", True)
    assert_sound()


def test_an_order_that_still_works_goes_on_after_it(fake: FakeAlpaca, cell: Position) -> None:
    fake.book.habit = ("fill 4", "rest")
    with listening(cell) as stream:
        tick(cell)
        drain(stream, cell)
        fake.do(lambda: bust(fake.book, placed(fake), 1))
        drain(stream, cell)
        assert Order.objects.get().filled_quantity == 0
        assert_sound()
        fake.do(lambda: fake.book.step(placed(fake), "fill 6"))
        drain(stream, cell)
        fake.do(lambda: fake.book.step(placed(fake), "fill"))
        drain(stream, cell)
    assert Order.objects.get().status == "filled"
    assert_agreed(fake, cell, BOUGHT)


@pytest.mark.django_db(transaction=True)
def test_told_asked_and_compared_at_once_it_is_booked_once(fake: FakeAlpaca, cell: Position) -> None:
    told = bought(fake, cell)
    carry_to_its_end(cell)
    fake.do(lambda: bust(fake.book, placed(fake), 2))
    account, channel = account_of(cell), InboxMessage.Channel.STREAM
    rows = [
        receive(account_id=account.pk, channel=channel, delivery_id=str(place), body=json.dumps(told[-1]))[0]
        for place in range(3)
    ]
    ways = [partial(process_message, message_id=row.pk) for row in (*rows, *rows)] + [partial(reconcile, account)]
    assert [found for found in at_once(*ways) if isinstance(found, BaseException)] == []
    assert Execution.objects.filter(reverses__isnull=False).count() == 1
    assert_agreed(fake, cell, BOUGHT - 3 * MICROS)

"""Deliveries in any order, any number of times, from many lines at once: the books end as if each had come once."""

import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from portfolios.domain.amounts import micros
from portfolios.models import Account, Event, Portfolio, Position
from tests.at_once import at_once
from tests.deliveries import NEW, deliver, filled, give_secrets, told, updated
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.fake_broker import FAKE, VENUE
from tests.integration.test_inbox import resting_order
from tests.market import assert_sound
from trading.domain.choices import Side
from trading.models import Execution, InboxMessage, Order
from trading.services.inbox import process_message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_cache")]
LINES = 4
AT_A_TIME = 25
PARTS = 20


@pytest.fixture(autouse=True)
def venue(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.BROKERS = FAKE
    monkeypatch.setitem(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "delivery", "1000000/min")
    VENUE.open_again("rests")


def make_orders(name: str, count: int) -> list[Order]:
    """As many cells of one portfolio, each with an order that rests."""
    portfolio = make_portfolio(make_user(name))
    give_secrets(portfolio.account, NEW)
    orders = []
    for number in range(count):
        symbol = f"S{number}"
        make_quote(symbol, "97")
        position = make_position(portfolio, symbol=symbol, anchor="100")
        side = Side.SELL if number % 3 == 2 else Side.BUY
        orders.append(resting_order(position, f"{name}-{number}", side=side))
    return orders


def by_execution(order: Order) -> list[str]:
    """Half a share at a time until the order is filled."""
    return [filled(order, name(order, part), "0.5", price(part), commission="0.01") for part in range(1, PARTS + 1)]


def by_totals(order: Order) -> list[str]:
    return [updated(order, "partially_filled", *total(part)) for part in range(1, PARTS + 1)]


def both_ways(order: Order) -> list[str]:
    """Each part by execution and as a total; it ends half filled, and must not end sooner."""
    messages, half = [], PARTS // 2 - 1
    for part in range(1, half + 1):
        so_far, average = total(part)
        whole = {"filled_quantity": so_far, "average_price": average}
        messages.append(filled(order, name(order, part), "0.5", price(part), **whole))
        messages.append(updated(order, "partially_filled", so_far, average))
    return [*messages, updated(order, "accepted"), updated(order, "cancelled", *total(half))]


def corrected(order: Order) -> list[str]:
    """Two prices put right and two fills taken back; it stays open."""
    messages = [filled(order, name(order, part), "0.5", price(part)) for part in range(1, PARTS - 3)]
    for part in (1, 2):
        right = {"execution_id": f"{name(order, part)}-right", "quantity": "0.5", "price": "96.5"}
        messages.append(told("execution.corrected", order, replaces=name(order, part), **right))
        messages.append(told("execution.busted", order, replaces=name(order, part + 2)))
    return messages


def name(order: Order, part: int) -> str:
    return f"{order.position.symbol}-{part}"


def price(part: int) -> str:
    return str(90 + 2 * part)


def total(part: int) -> tuple[str, str]:
    """Filled so far, and the average of 92, 94, 96 and so on, which is a whole number."""
    return str(part / 2), str(91 + part)


MANNERS = (by_execution, by_totals, both_ways, corrected)


def messages_of(orders: list[Order]) -> list[tuple[str, str]]:
    """Every message with its delivery id."""
    bodies = [body for number, order in enumerate(orders) for body in MANNERS[number % len(MANNERS)](order)]
    return [(f"msg_{number}", body) for number, body in enumerate(bodies)]


def deliver_all(account: Account, deliveries: list[tuple[str, str]]) -> list[int]:
    return [deliver(account, body, delivery_id).status_code for delivery_id, body in deliveries]


def at_the_same_time(account: Account, deliveries: list[tuple[str, str]]) -> list[int]:
    """On several lines, a handful at a time so that they stay abreast."""
    statuses: list[int] = []
    step = LINES * AT_A_TIME
    for start in range(0, len(deliveries), step):
        some = deliveries[start : start + step]
        shares = [some[line::LINES] for line in range(LINES)]
        for outcome in at_once(*(lambda share=share: deliver_all(account, share) for share in shares)):
            assert isinstance(outcome, list), outcome
            statuses += outcome
    return statuses


def sweep() -> int:
    """What the sweeper does over time: whatever is parked is tried again, until nothing moves. How many stay."""
    waiting = InboxMessage.objects.filter(status__in=["received", "parked"]).order_by("pk")
    before = -1
    while (left := waiting.count()) != before:
        before = left
        for pk in list(waiting.values_list("pk", flat=True)):
            process_message(message_id=pk)
    return left


def books(portfolio: Portfolio) -> list[Any]:
    """Cells, orders, what their events add up to, and the executions where they were told one by one."""
    told_of = []
    for number, order in enumerate(Order.objects.filter(position__portfolio=portfolio).order_by("pk")):
        cell = Position.objects.get(pk=order.position_id)
        deltas = ("d_shares", "d_cash", "d_receivable", "d_reserved_cash", "d_reserved_shares")
        told_of.append(
            {
                "cell": (cell.shares, cell.cash, cell.reserved_cash, cell.reserved_shares, cell.anchor, cell.state),
                "order": (order.status, order.filled_quantity, order.gross, order.rest, order.notional, order.fee),
                "events": Event.objects.of(cell).aggregate(*(Sum(delta) for delta in deltas)),
                "executions": executions_of(order) if MANNERS[number % 4] in (by_execution, corrected) else None,
            }
        )
    return told_of


def executions_of(order: Order) -> set[tuple[str, int, int]]:
    return set(Execution.objects.filter(order=order).values_list("broker_execution_id", "quantity", "price"))


@pytest.mark.parametrize("orders", [8, pytest.param(50, marks=pytest.mark.long)])
def test_shuffled_and_repeated_deliveries_end_as_single_ones(orders: int) -> None:
    once, many = make_orders("once", orders), make_orders("many", orders)
    assert set(deliver_all(once[0].position.portfolio.account, messages_of(once))) == {200}
    assert sweep() == 0
    chance = random.Random(orders)
    deliveries = [one for one in messages_of(many) for _ in range(chance.randint(1, 5))]
    chance.shuffle(deliveries)
    statuses = at_the_same_time(many[0].position.portfolio.account, deliveries)
    assert set(statuses) <= {200, 202}
    assert sweep() == 0
    assert InboxMessage.objects.count() == 2 * orders * PARTS
    assert books(many[0].position.portfolio) == books(once[0].position.portfolio)
    assert_sound()


def test_the_examples_of_the_docs_are_signed_as_they_have_to_be(live_server) -> None:
    """As Python and as a shell would run them, against a server."""
    account = give_secrets(make_portfolio(make_user("ann")).account, NEW)
    page = Path(settings.BASE_DIR, "docs/api/webhooks.md").read_text()
    given = {"SECRET": NEW, "HOST": live_server.url, "ACCOUNT": str(account.public_id)}
    for language, interpreter in (("python", [sys.executable, "-c"]), ("sh", ["sh", "-c"])):
        example = page.split(f"```{language}\n")[1].split("```")[0]
        told_us = subprocess.run([*interpreter, example], env=os.environ | given, capture_output=True, timeout=60)
        answer = json.loads(told_us.stdout or told_us.stderr)
        assert (answer["status"], answer["duplicate"]) == ("processed", False)
    assert InboxMessage.objects.filter(account=account).count() == 2


def test_a_message_for_a_busy_cell_is_kept_and_worked_on_later() -> None:
    order = make_orders("ann", 1)[0]
    account = order.position.portfolio.account
    busy, done = threading.Event(), threading.Event()

    def keep_busy() -> None:
        with transaction.atomic():
            Position.objects.locked().get(pk=order.position_id)
            busy.set()
            done.wait(20)

    def tell() -> tuple[int, str]:
        busy.wait(20)
        try:
            response = deliver(account, filled(order, "x1", "4", "97"))
        finally:
            done.set()
        return response.status_code, json.loads(response.content)["status"]

    assert at_once(keep_busy, tell)[1] == (202, "received")
    assert not Execution.objects.exists()
    assert sweep() == 0
    assert Execution.objects.get().quantity == micros("4")
    assert_sound()

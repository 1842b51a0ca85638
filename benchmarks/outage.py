"""What an outage hits: open orders in every state there is. The inner part of `benchmarks.recovery`."""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import connection
from django.db.models import Count, Min, Q

from portfolios.domain.amounts import MICROS
from portfolios.models import Account, Position, User
from portfolios.services.portfolios import create_portfolio
from portfolios.services.positions import create_position
from trading.brokers import broker_for
from trading.brokers.base import Report
from trading.domain.choices import Side
from trading.market.models import MarketClock
from trading.market.selectors import market_now
from trading.models import Order, Reconciliation
from trading.services.execution import execute_order, fill_by_hand, record_report
from trading.services.ordering import cancel_order, place_order
from trading.services.replay import SOURCE, next_step, release_step
from trading.services.submission import begin_submission

ACCOUNTS = 10
PATIENCE = 120.0
NAME = "Recovery"


def trusted_at(since: float) -> float:
    """When the last account was found equal after `since`, both in seconds of the epoch. Waits for it."""
    began = datetime.fromtimestamp(since, UTC)
    before = Q(reconciled_at=None) | Q(reconciled_at__lte=began)
    deadline = time.monotonic() + PATIENCE
    while Account.objects.filter(before | ~Q(state=Account.Status.ACTIVE)).exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"not every account was found equal within {PATIENCE:.0f} s")
        time.sleep(0.05)
    found = Reconciliation.objects.filter(started_at__gt=began, outcome__in=("matched", "repaired"))
    last = found.values("account").annotate(first=Min("finished_at")).order_by("-first").first()
    return last["first"].timestamp() if last else time.time()


def furnish(orders: float) -> dict[str, int]:
    """How many orders are open in which state; what was left of the last outage is taken back first."""
    cut_the_lines()
    open_the_market()
    take_back_everything()
    make_cells(int(orders))
    for number, cell in enumerate(Position.objects.filter(portfolio__name=NAME).order_by("pk")):
        WAYS[number % len(WAYS)](cell)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    Account.objects.update(heard_at=None)  # what is committed now takes all before it along
    return dict(Order.objects.open().values_list("status").annotate(Count("pk")))


def cut_the_lines() -> None:
    """Whoever was stopped in the middle of a transaction holds its locks for as long as he is connected."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        cursor.execute("SET synchronous_commit = off")


def open_the_market() -> None:
    """The replay rests at an open, where orders may leave."""
    clocks = MarketClock.objects.filter(source=SOURCE)
    clocks.update(running=False)
    step = next_step(clocks.get())
    if clocks.get().phase != MarketClock.Phase.OPEN and step:
        release_step(step)


def take_back_everything() -> None:
    for order in Order.objects.open().filter(status__in=("sending", "unknown")):
        execute_order(order_id=order.pk)
    for order in Order.objects.open():
        cancel_order(order_id=order.pk, actor="benchmark")
        execute_order(order_id=order.pk)


def make_cells(cells: int) -> None:
    if Position.objects.filter(portfolio__name=NAME).exists():
        return
    owner, at = User.objects.create_user("recovery"), market_now(SOURCE)
    portfolios = [create_portfolio(owner=owner, name=NAME) for _ in range(ACCOUNTS)]
    for number in range(cells):
        create_position(
            portfolio_id=portfolios[number % ACCOUNTS].pk,
            symbol="IBM",
            shares=100 * MICROS,
            cash=10**6 * MICROS,
            market_at=at,
            opened_on=at.date(),
            actor="benchmark",
            given_settings={"tau": "0.5", "auto_rebalance": False},
        )


def written(cell: Position, limit: int | None = MICROS) -> Order:
    """Far below the market, so that it rests."""
    return place_order(
        position_id=cell.pk,
        side=Side.BUY,
        quantity=2 * MICROS,
        limit=limit,
        author=cell.portfolio.owner,
        actor="benchmark",
        key=uuid.uuid4().hex,
    )


def sent(cell: Position) -> Order:
    order = written(cell)
    begin_submission(order_id=order.pk)
    return order


def answer_lost(cell: Position, limit: int | None = MICROS) -> Order:
    order = written(cell, limit)
    request = begin_submission(order_id=order.pk)
    if request:
        broker_for(request.adapter, request.account).submit(request)
    return order


def filled_unheard(cell: Position) -> Order:
    return answer_lost(cell, limit=None)


def unknown(cell: Position) -> Order:
    return record_report(order_id=sent(cell).pk, report=Report("unknown", note="benchmark"))


def resting(cell: Position) -> Order:
    order = written(cell)
    execute_order(order_id=order.pk)
    return order


def partly_filled(cell: Position) -> Order:
    order = resting(cell)
    return fill_by_hand(order_id=order.pk, price=MICROS, quantity=MICROS, commission=None, actor="benchmark")


def asked_back(cell: Position) -> Order:
    return cancel_order(order_id=resting(cell).pk, actor="benchmark")


WAYS: list[Callable[[Position], Order]] = [
    written,
    sent,
    answer_lost,
    filled_unheard,
    unknown,
    resting,
    partly_filled,
    asked_back,
]

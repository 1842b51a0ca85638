"""Bells: each takes primary keys, holds no rule, and may ring any number of times."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery import shared_task
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError as BrokerDown

from portfolios.domain.amounts import as_text
from portfolios.tasks import Bell
from trading.domain.costs import average_price
from trading.market.base import Price, PriceSource, PriceUnavailable, Unreadable
from trading.market.feeds import FEEDS
from trading.market.models import Quote
from trading.market.selectors import market_day, market_now
from trading.market.services import take_prices
from trading.market.sources.asking import Asking
from trading.models import InboxMessage
from trading.risk.models import Halt
from trading.risk.selectors import orders_asked_back
from trading.selectors import (
    accounts_in_use,
    cell_held_up_by,
    held_symbols,
    listings,
    messages_parked_for,
    messages_waiting,
    newest_of_all,
    position_of,
    waiting_cells,
    waiting_orders,
)
from trading.services import corporate_actions, crowd, evaluation, execution, inbox, proposals, reconciliation
from trading.services.asking_for_actions import ask_for_actions
from trading.services.halts import clear_orders
from trading.services.lots import heed_lots as let_cells_follow
from trading.services.polling import claim_turn, take_all
from trading.services.quarantine import setting_aside
from trading.simulation.ranking import chunks_to_ring, chunks_waiting, next_chunk
from trading.simulation.runs import warm_up
from trading.simulation.selectors import runs_waiting
from trading.simulation.services import carry_out
from trading.simulation.sweeps import carry_out_chunk
from trading.tasks import nightly as nightly  # whoever knows the bells of the day knows those of the night

ASKING = Asking()
log = structlog.get_logger(__name__)
CROWD = 8  # so many cells woken by one quote are evaluated together; fewer are shared out among the workers
BELL_HEARD_FOR = timedelta(minutes=10)
PATIENT = {"autoretry_for": (OperationalError,), "retry_backoff": True, "max_retries": 5}


@shared_task(base=Bell, **PATIENT)
def evaluate_position(*, position_id: int) -> None:
    """Evaluate a cell at the newest quote, and ring for the order it made."""
    with setting_aside(position_id):
        evaluated = evaluation.evaluate_position(position_id=position_id)
    if evaluated.order:
        ring(execute_order, order_id=evaluated.order.pk)


@shared_task(base=Bell, **PATIENT)
def evaluate_cells(*, position_ids: list[int]) -> None:
    """Evaluate many cells at one quote. One that breaks it is set aside by its own bell, the others go on by theirs."""
    try:
        done = crowd.evaluate_cells(position_ids=position_ids)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # a cause nobody foresaw: which cell it is, shows when they come one by one
        log.exception("crowd broken up", cells=len(position_ids))
        all(ring(evaluate_position, position_id=pk) for pk in position_ids)
        return
    all(ring(execute_order, order_id=evaluated.order.pk) for evaluated in done if evaluated.order)


@shared_task(base=Bell, **PATIENT)
def execute_order(*, order_id: int) -> None:
    """Carry an order on, and ring for its cell if that waited for it."""
    with setting_aside(position_of(order_id)):
        order = execution.execute_order(order_id=order_id)
    if order and order.status == "filled" and order.filled_quantity:  # the broker may have taken it all back since
        symbol, quantity, price = order.position.symbol, as_text(order.quantity), as_text(average_price(order.filled))
        log.info("order filled", symbol=symbol, side=order.side, quantity=quantity, price=price, why=order.reason)
    position_id = cell_held_up_by(order_id)
    if position_id:
        ring(evaluate_position, position_id=position_id)


@shared_task(base=Bell, **PATIENT)
def process_inbox(*, message_id: int) -> None:
    """Work on what a broker told, and ring for whatever follows from it."""
    ring_after(inbox.process_message(message_id=message_id))


@shared_task(base=Bell)
def ring_inbox() -> None:
    """The sweeper of the inbox: what was stored and not worked on, and what is parked and may be booked by now."""
    all(ring(process_inbox, message_id=pk) for pk in messages_waiting())


@shared_task(base=Bell)
def poll_prices() -> None:
    """Recorded prices are released by their feed; each live one has a bell of its own, so that none holds up others."""
    followed = listings()
    held = {listing.source for listing in followed if listing.held}
    for name, path in settings.PRICE_SOURCES.items():
        if name in FEEDS:
            if name in held:
                ring(poll_feed, source=name)
            continue
        source: PriceSource = import_string(path)()
        try:
            symbols = sorted(listing.symbol for listing in followed if listing.source == name)
            fresh, _ = take_prices(source=name, prices=only_prices(source.newest(symbols)))
        except PriceUnavailable as error:
            log.warning("no prices", source=name, error=str(error))
            continue
        ring_for(fresh)


def only_prices(told: Sequence[Price | Unreadable]) -> list[Price]:
    return [price for price in told if isinstance(price, Price)]


@shared_task(base=Bell)
def poll_feed(*, source: str) -> None:
    """Ask a feed's sources for what is due, take in what they say, and ring for whoever it woke."""
    symbols = claim_turn(source=source, now=timezone.now())
    if not symbols:
        return
    sources = [import_string(settings.LIVE_SOURCES[name])() for name in FEEDS[source].sources]
    try:
        told = ASKING.newest(sources, symbols)
    except PriceUnavailable as error:
        log.warning("no prices", source=source, error=str(error))
        return
    ring_for(take_all(told, source=source))


@shared_task(base=Bell)
def ring_waiting() -> None:
    """The sweeper: whatever waits although its bell should have rung is rung for again.

    So are halts: who halted may have been killed before the orders were cleared, and an answer may have come since.
    """
    for halt in Halt.objects.in_force():
        clear_orders(halt_id=halt.pk)
    for quotes in newest_of_all():
        ring_for(quotes)


@shared_task(base=Bell)
def expire_proposals() -> None:
    """By market time; the feed does the same before each step."""
    for name in settings.PRICE_SOURCES:
        proposals.expire_proposals(source=name, market_at=market_now(name))


@shared_task(base=Bell)
def check_dividends() -> None:
    """Once a day what companies announced; splits and ex-dates due by market time, as a replay's feed does itself."""
    for name in settings.PRICE_SOURCES:
        day, market_at = market_day(name), market_now(name)
        if name in FEEDS and (symbols := held_symbols(name)):
            ask_for_actions(source=name, symbols=symbols, day=day, market_at=market_at)
        corporate_actions.split_due(source=name, day=day, market_at=market_at)
        corporate_actions.go_ex_due(source=name, day=day, market_at=market_at)


@shared_task(base=Bell)
def pay_dividends() -> None:
    for name in settings.PRICE_SOURCES:
        corporate_actions.pay_due(source=name, day=market_day(name), market_at=market_now(name))


@shared_task(base=Bell, **PATIENT)
def reconcile_account(*, account_id: int, why: str, actor: str = "reconciliation", since: str = "") -> None:
    """Compare one account's books with its broker's, unless they were compared `since` the bell was rung."""
    if since and reconciliation.compared_since(account_id, datetime.fromisoformat(since)):
        return
    reconciliation.reconcile_account(account_id=account_id, why=why, actor=actor)


@shared_task(base=Bell)
def reconcile_accounts(*, why: str = "beat") -> None:
    """One bell per account, so that a slow broker holds up nobody else's."""
    if why == "start":
        reconciliation.doubt_everywhere()
    since = timezone.now().isoformat()
    for account_id in accounts_in_use():
        ring(reconcile_account, account_id=account_id, why=why, since=since)


@shared_task(base=Bell, **PATIENT)
def heed_lots() -> None:
    """Let cells follow what instruments and accounts prescribe: at once after a change, and every minute."""
    let_cells_follow()


@shared_task(base=Bell, bind=True, **PATIENT)
def run_simulation(self: Bell, *, run_id: int) -> None:
    """What would have been. The row is the queue: a lost bell or a dead worker costs time and nothing else."""
    carry_out(run_id=run_id)
    if not self.request.called_directly:
        warm_up()


@shared_task(base=Bell)
def ring_runs() -> None:
    """The sweeper of runs: those that nobody is at."""
    all(ring(run_simulation, run_id=pk) for pk in runs_waiting())


@shared_task(base=Bell, **PATIENT)
def run_sweep_chunk(*, chunk_id: int) -> None:
    """A part of a sweep, and a bell for the next part that nobody is at: every worker goes on until none is left."""
    chunk = carry_out_chunk(chunk_id=chunk_id)
    following = next_chunk(chunk) if chunk else None
    if following:
        ring(run_sweep_chunk, chunk_id=following)


@shared_task(base=Bell)
def ring_sweeps() -> None:
    """The sweeper of sweeps: chunks that nobody is at, and sweeps that lack only their judgement."""
    all(ring(run_sweep_chunk, chunk_id=pk) for pk in chunks_waiting())


def ring_sweep(sweep_id: int) -> None:
    """As many chunks as may be worked on at once; each rings for the next."""
    all(ring(run_sweep_chunk, chunk_id=pk) for pk in chunks_to_ring(sweep_id))


def ring_for_halt(halt: Halt) -> None:
    """The brokers of orders that a halt asks back have to be told."""
    all(ring(execute_order, order_id=pk) for pk in orders_asked_back(halt))


def ring_after(message: InboxMessage) -> None:
    """For the order that has to be looked up; or for what waited for this message, and the cell it woke."""
    if message.order_id is None:
        return
    if message.status == InboxMessage.Status.PARKED:
        ring(execute_order, order_id=message.order_id)
        return
    all(ring(process_inbox, message_id=pk) for pk in messages_parked_for(message.order_id))
    if position_id := cell_held_up_by(message.order_id):
        ring(evaluate_position, position_id=position_id)


def ring_for(quotes: list[Quote]) -> int:
    """Ring for every order and cell that waits at these quotes; how many wait. A dead queue is tried once."""
    orders, cells = waiting_orders(quotes), waiting_cells(quotes)
    bells: list[tuple[Bell, dict[str, Any]]] = [(execute_order, {"order_id": pk}) for pk in orders]
    if len(cells) < CROWD:
        bells += [(evaluate_position, {"position_id": pk}) for pk in cells]
    else:
        chunks = (cells[begin : begin + crowd.CHUNK] for begin in range(0, len(cells), crowd.CHUNK))
        bells += [(evaluate_cells, {"position_ids": chunk}) for chunk in chunks]
    all(ring(bell, **keys) for bell, keys in bells)
    return len(orders) + len(cells)


def ring(bell: Bell, **keys: int | str | list[int]) -> bool:
    """Ring if the queue is there; if not, the row waits and the sweeper finds it."""
    try:
        bell.ring(expires=timezone.now() + BELL_HEARD_FOR, **keys)
    except (BrokerDown, ConnectionError, OSError) as error:
        log.warning("bell not rung", task=bell.name, error=str(error), **keys)
        return False
    return True

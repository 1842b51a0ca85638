"""Bells: each takes primary keys, holds no rule, and may ring any number of times."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError as BrokerDown

from portfolios.domain.amounts import as_text
from portfolios.tasks import Bell
from trading.domain.costs import average_price
from trading.market.base import PriceSource, PriceUnavailable
from trading.market.models import Quote
from trading.market.selectors import market_day, market_now
from trading.market.services import take_prices
from trading.selectors import (
    cell_held_up_by,
    newest_traded_quotes,
    position_of,
    traded_symbols,
    waiting_cells,
    waiting_orders,
)
from trading.services import corporate_actions, evaluation, execution
from trading.services.quarantine import setting_aside

log = structlog.get_logger(__name__)
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
def execute_order(*, order_id: int) -> None:
    """Carry an order on, and ring for its cell if that waited for it."""
    with setting_aside(position_of(order_id)):
        order = execution.execute_order(order_id=order_id)
    if order and order.status == "filled":
        symbol, quantity, price = order.position.symbol, as_text(order.quantity), as_text(average_price(order.filled))
        log.info("order filled", symbol=symbol, side=order.side, quantity=quantity, price=price, why=order.reason)
    position_id = cell_held_up_by(order_id)
    if position_id:
        ring(evaluate_position, position_id=position_id)


@shared_task(base=Bell)
def poll_prices() -> None:
    """Ask each source for its newest prices, store them, and ring for whoever they woke."""
    for name, path in settings.PRICE_SOURCES.items():
        source: PriceSource = import_string(path)()
        try:
            fresh, _ = take_prices(source=name, prices=source.newest(traded_symbols(name)))
        except PriceUnavailable as error:
            log.warning("no prices", source=name, error=str(error))
            continue
        ring_for(fresh)


@shared_task(base=Bell)
def ring_waiting() -> None:
    """The sweeper: whatever waits although its bell should have rung is rung for again."""
    for name in settings.PRICE_SOURCES:
        ring_for(newest_traded_quotes(name))


@shared_task(base=Bell)
def check_dividends() -> None:
    """Splits and ex-dates due by market time; the feed does the same before a day's first quote."""
    for name in settings.PRICE_SOURCES:
        day, market_at = market_day(name), market_now(name)
        corporate_actions.split_due(source=name, day=day, market_at=market_at)
        corporate_actions.go_ex_due(source=name, day=day, market_at=market_at)


@shared_task(base=Bell)
def pay_dividends() -> None:
    for name in settings.PRICE_SOURCES:
        corporate_actions.pay_due(source=name, day=market_day(name), market_at=market_now(name))


def ring_for(quotes: list[Quote]) -> int:
    """Ring for every order and cell that waits at these quotes; how many wait. A dead queue is tried once."""
    bells = [(execute_order, {"order_id": pk}) for pk in waiting_orders(quotes)]
    bells += [(evaluate_position, {"position_id": pk}) for pk in waiting_cells(quotes)]
    all(ring(bell, **keys) for bell, keys in bells)
    return len(bells)


def ring(bell: Bell, **keys: int) -> bool:
    """Ring if the queue is there; if not, the row waits and the sweeper finds it."""
    try:
        bell.ring(expires=timezone.now() + BELL_HEARD_FOR, **keys)
    except (BrokerDown, ConnectionError, OSError) as error:
        log.warning("bell not rung", task=bell.name, error=str(error), **keys)
        return False
    return True

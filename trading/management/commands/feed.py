"""Replay recorded history as a market: one quote per symbol at each open and close, as fast as told."""

import time
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import suppress
from datetime import date
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, close_old_connections, connection

from trading.errors import BrokenCell
from trading.market.models import MarketClock, Quote
from trading.selectors import newest_traded_quotes, position_of, waiting_cells, waiting_orders
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order
from trading.services.quarantine import setting_aside
from trading.services.reconciliation import reconcile_source
from trading.services.replay import SOURCE, Step, clear_step, end_of_history, next_step, release_step, step_is_done
from trading.tasks import execute_order as execute_order_bell
from trading.tasks import ring, ring_for

log = structlog.get_logger(__name__)
RING_AGAIN = 2.0
LOOK = 0.02


def market_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a date like 2008-01-03") from None


def sessions_a_second(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.001 <= speed <= 10_000:
        raise ArgumentTypeError("must be from 0.001 to 10000 sessions a second")
    return speed


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--speed", type=sessions_a_second, help="sessions per second (default: as stored, 1)")
        parser.add_argument("--until", type=market_date, help="stop after this market day")
        parser.add_argument(
            "--fast-forward-to", type=market_date, help="walk there at once, in this process, and return"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not MarketClock.objects.filter(source=SOURCE).exists():
            raise CommandError("there is no history to replay: run load_history first", returncode=2)
        if options["speed"]:
            MarketClock.objects.filter(source=SOURCE).update(speed=options["speed"])
        if options["fast_forward_to"]:
            self.fast_forward(options["fast_forward_to"])
        else:
            self.walk(options["until"])

    def fast_forward(self, until: date) -> None:
        """The same steps by the same services, without bells: everything a step wakes is done before the next.

        A crash may lose the last steps, never part of one: they are walked again.
        """
        started, quotes = time.monotonic(), 0
        clock = MarketClock.objects.get(source=SOURCE)
        if clock.day and clock.day >= until:
            return
        reconcile_source(source=SOURCE)
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
        settle(newest_traded_quotes(SOURCE))
        while True:
            step = next_step(MarketClock.objects.get(source=SOURCE))
            if step is None or step.day > until:
                break
            for order_id in clear_step(step):
                carry_on(order_id)
            released = release_step(step)
            settle(released)
            quotes += len(released)
        seconds = time.monotonic() - started
        self.stdout.write(f"{quotes} quotes in {seconds:.1f} s, {quotes / max(seconds, 0.001):.0f} a second")

    def walk(self, until: date | None) -> None:
        """Until the end of history, or `until`, or a signal."""
        reconcile_source(source=SOURCE)
        while True:
            try:
                if not self.advance(until):
                    return
            except OperationalError as error:
                log.warning("the feed waits for the database", error=str(error))
                close_old_connections()
                time.sleep(1)

    def advance(self, until: date | None) -> bool:
        """One step, or a short rest; False when there is nothing left to walk to."""
        clock = MarketClock.objects.get(source=SOURCE)
        if not clock.running:
            time.sleep(0.2)
            return True
        wait_until_done(newest_traded_quotes(SOURCE))
        step = next_step(clock)
        if until and (step is None or step.day > until):
            return False
        if step is None:
            self.rest(clock)
            return True
        started = time.monotonic()
        wait_until_clear(step)
        quotes = release_step(step)
        ring_for(quotes)
        wait_until_done(quotes)
        pause = 0.5 / clock.speed - (time.monotonic() - started)
        time.sleep(max(pause, 0))
        return True

    def rest(self, clock: MarketClock) -> None:
        if not clock.ended:
            end_of_history()
            log.info("the end of recorded history is reached", day=str(clock.day))
        time.sleep(1)


def settle(quotes: list[Quote]) -> None:
    """Do here what the bells would: carry open orders on, evaluate what waits, carry its orders out."""
    for order_id in waiting_orders(quotes):
        carry_on(order_id)
    for position_id in waiting_cells(quotes):
        with suppress(BrokenCell), setting_aside(position_id):
            evaluated = evaluate_position(position_id=position_id)
            if evaluated.order:
                execute_order(order_id=evaluated.order.pk)


def carry_on(order_id: int) -> None:
    with suppress(BrokenCell), setting_aside(position_of(order_id)):
        execute_order(order_id=order_id)


def wait_until_clear(step: Step) -> None:
    """Ring for what a split of this step would meet until it has ended."""
    while waiting := clear_step(step):
        for order_id in waiting:
            ring(execute_order_bell, order_id=order_id)
        time.sleep(LOOK * 5)


def wait_until_done(quotes: list[Quote]) -> None:
    """The next step is released only when this one is done; a bell that was lost is rung again."""
    rung = time.monotonic()
    while not step_is_done(quotes):
        if time.monotonic() - rung > RING_AGAIN:
            ring_for(quotes)
            rung = time.monotonic()
        time.sleep(LOOK)

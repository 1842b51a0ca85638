"""The same history gives the same trades: at any speed, in one process or many, through pauses and kills."""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache, partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction

from dividends.models import Entitlement
from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from portfolios.models import Event, FailedTask, Portfolio, Position
from portfolios.services.positions import create_position
from tests.at_once import at_once
from tests.factories import make_portfolio
from tests.market import assert_sound
from tests.programs import Program, running, wait_until
from trading.domain.choices import Side
from trading.market import history
from trading.market.models import Bar, MarketClock, Quote
from trading.market.services import begin_clock, load_bars, set_running
from trading.models import Execution, Order
from trading.services.ordering import place_order
from trading.services.replay import next_step, release_step
from vbalance.stores.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)

BEGINS, UNTIL, ENDS = date(2005, 2, 1), date(2005, 3, 4), date(2005, 4, 29)
CELLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("AAPL", {}),
    ("AAPL", {"fractional": False, "tau": "0.01", "sizing": "proportional", "min_notional": "1"}),
    ("GOOG", {"sizing": "constant_mix", "tau": "0.01", "commission_min": "1"}),
    ("GOOG", {"tau": "0.5", "auto_rebalance": False}),
    ("IBM", {"tau": "0.005", "max_orders_per_day": 1}),
    ("IBM", {"order_type": "limit", "limit_offset_bps": "5", "tau": "0.01"}),
    ("MSFT", {"sizing": "fixed_percentage", "tau": "0.01", "guardrail_high": "0.55"}),
    ("MSFT", {"tau": "0.01", "min_notional": "500", "reanchor_after_skip": True}),
)


def make_world(cells: Sequence[tuple[str, dict[str, Any]]] = CELLS) -> None:
    """Three months of shipped history, a split and dividends in it; cells of many kinds; a resting order."""
    load_window()
    portfolio = make_portfolio()
    Portfolio.objects.update(paper_slippage=500)
    opened = datetime(2005, 2, 1, 14, 30, tzinfo=UTC)
    for symbol, given in cells:
        price = Bar.objects.get(symbol=symbol, day=BEGINS).open
        create_position(
            portfolio_id=portfolio.pk,
            symbol=symbol,
            shares=5_000 * 10**12 // price // 10**6 * 10**6,
            cash=micros("5000"),
            market_at=opened,
            opened_on=BEGINS,
            actor="user:test",
            given_settings=given,
        )
    rest_an_order(Position.objects.get(symbol="GOOG", settings_version__given__auto_rebalance=False))


def load_window() -> None:
    for shipped in history.SYMBOLS:
        bars = [
            Bar(symbol=shipped.symbol, day=bar.session, **{name: getattr(bar, name) for name in PRICES})
            for bar in history.read_bars(shipped.symbol)
            if BEGINS <= bar.session <= ENDS
        ]
        load_bars(symbol=shipped.symbol, name=shipped.name, exchange=shipped.exchange, bars=bars)
    for dividend in history.read_dividends():
        if BEGINS <= dividend.ex_date <= ENDS:
            announce_dividend(source="replay", **dividend._asdict())
    for split in history.read_splits():
        if BEGINS <= split.ex_date <= ENDS:
            announce_split(source="replay", **split._asdict())
    begin_clock(source="replay", begins_on=BEGINS)


PRICES = ("open", "high", "low", "close", "volume")


def rest_an_order(position: Position) -> None:
    """A person bids 5 % under the market: it rests for three weeks, then fills at the open."""
    place_order(
        position_id=position.pk,
        side=Side.BUY,
        quantity=micros("3"),
        limit=micros("184"),
        author=position.portfolio.owner,
        actor="user:ann",
        key="rest",
    )


def what_happened() -> dict[str, list[Any]]:
    """Everything that must not depend on how the history was walked.

    Left out: random ids, wall time, and `quote_at`, which a late bell for a sleeping cell may move on for nothing.
    """
    order_fields = ("position_id", "origin", "side", "quantity", "limit_price", "status", "reason", "decision_price")
    filled = ("filled_quantity", "notional", "fee", "attempts", "quote_at", "decided_at", "market_day")
    held = ("shares", "cash", "receivable", "reserved_cash", "reserved_shares", "anchor", "state")
    sight = ("wake_below", "wake_above", "event_seq")
    booked = ("order__position_id", "quantity", "price", "notional", "commission", "slippage_ppm", "at")
    facts = ("portfolio_id", "type", "market_at", "actor", "anchor_after", "state_after")
    deltas = ("d_shares", "d_cash", "d_receivable", "d_reserved_cash", "d_reserved_shares")
    symbols = {str(position.public_id): position.pk for position in Position.objects.all()}
    events = Event.objects.filter(stream="position").values_list("stream_id", "seq", *facts, *deltas)
    first = Position.objects.order_by("pk").first().pk

    def rows(query: Any, *fields: str) -> list[Any]:
        return [(pk - first, *rest) for pk, *rest in query.values_list(*fields)]

    return {
        "cells": rows(Position.objects.order_by("pk"), "pk", *held, *sight),
        "orders": rows(Order.objects.order_by("position_id", "decided_at", "side"), *order_fields, *filled),
        "executions": rows(Execution.objects.order_by("order__position_id", "at", "price"), *booked),
        "entitlements": rows(Entitlement.objects.order_by("position_id", "pk"), "position_id", "net", "status"),
        "events": sorted((symbols[str(stream)] - first, seq, *rest[1:]) for stream, seq, *rest in events),
    }


@cache
def walked_at_once() -> dict[str, list[Any]]:
    """The reference: fast-forward in this process, in a world that is taken away again."""
    make_world()
    call_command("feed", "--fast-forward-to", str(UNTIL), stdout=StringIO())
    happened = what_happened()
    assert_sound()
    call_command("flush", "--noinput", verbosity=0)
    return happened


def assert_same(happened: dict[str, list[Any]], expected: dict[str, list[Any]]) -> None:
    for name, rows in expected.items():
        assert happened[name] == rows, name
    assert FailedTask.objects.count() == 0
    assert_sound()


def walking(queue: str = "", prefix: str = "replay:") -> contextlib.AbstractContextManager[Program]:
    return running("feed", "--speed", "10000", "--until", str(UNTIL), prefix=prefix, queue=queue)


def working(queue: str = "", prefix: str = "replay:") -> contextlib.AbstractContextManager[Program]:
    return running("worker", prefix=prefix, queue=queue)


def at_day(day: date) -> bool:
    return MarketClock.objects.filter(source="replay", day__gte=day).exists()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of our own, to be killed."""
    with tempfile.TemporaryDirectory(prefix="vbt-", dir="/tmp") as sockets:
        yield Valkey(tmp_path, Path(sockets))


def address(valkey: Valkey) -> str:
    return f"redis+socket://{valkey.sockets / 'valkey.sock'}"


@pytest.mark.long
def test_bells_and_workers_trade_as_fast_forward_does() -> None:
    expected = walked_at_once()
    assert len(expected["executions"]) > 50
    make_world()
    with working(), working(), walking() as feed:
        assert feed.wait(120) == 0
    assert_same(what_happened(), expected)


def test_killed_workers_a_killed_feed_a_killed_queue_and_a_pause_change_no_trade(valkey) -> None:
    expected = walked_at_once()
    make_world()
    queue = address(valkey)
    server = valkey.start()
    with working(queue) as first, walking(queue) as feed:
        wait_until(lambda: at_day(date(2005, 2, 8)), what="the first days")
        first.kill()
        with working(queue):
            wait_until(lambda: at_day(date(2005, 2, 16)), what="some days with another worker")
            server.process.kill()  # and with it every bell that was on its way
            server.stop()
            time.sleep(0.5)
            assert feed.wait(0.5) is None
            server = valkey.start()
            with working(queue):  # a worker may die with its queue (kombu acknowledges into the void): another begins
                wait_until(lambda: at_day(date(2005, 2, 28)), what="the day of the split, with an empty queue")
                feed.kill()
    with working(queue), walking(queue) as feed:
        wait_until(lambda: at_day(date(2005, 3, 2)), what="some days with another feed")
        set_running(source="replay", running=False)
        time.sleep(0.3)  # the step it was in
        stood = MarketClock.objects.get(source="replay").at
        assert feed.wait(0.5) is None
        assert MarketClock.objects.get(source="replay").at == stood
        set_running(source="replay", running=True)
        assert feed.wait(120) == 0
    server.stop()
    assert_same(what_happened(), expected)


def test_two_feeds_at_once_walk_like_one() -> None:
    load_window()
    clock = MarketClock.objects.get(source="replay")
    step = next_step(clock)
    released = at_once(*[partial(release_step, step)] * 4)
    assert sorted(len(quotes) for quotes in released) == [0, 0, 0, 4]
    late = at_once(partial(release_step, next_step(MarketClock.objects.get(source="replay"))))
    assert release_step(step) == []  # a feed that had fallen behind
    assert MarketClock.objects.get(source="replay").at == late[0][0].at


def test_a_crash_in_the_middle_of_a_step_is_as_if_it_had_not_begun() -> None:
    make_world()
    step = next_step(MarketClock.objects.get(source="replay"))
    with transaction.atomic():
        release_step(step)
        transaction.set_rollback(True)
    assert (Quote.objects.count(), MarketClock.objects.get(source="replay").at) == (0, None)
    assert len(release_step(step)) == 4


def test_the_walk_stops_after_the_day_it_was_told() -> None:
    load_window()
    call_command("feed", "--until", "2005-02-02", "--speed", "10000")
    clock = MarketClock.objects.get(source="replay")
    assert (clock.day, clock.phase, clock.ended) == (date(2005, 2, 2), "close", False)
    assert Quote.objects.count() == 4 * 2 * 2


def test_at_the_end_of_history_the_feed_says_so_and_rests() -> None:
    load_window()
    Bar.objects.filter(day__gt=date(2005, 2, 2)).delete()
    with running("feed", "--speed", "10000") as feed:
        wait_until(lambda: MarketClock.objects.filter(ended=True).exists(), what="the end")
        said = wait_until(lambda: [line for line in feed.lines if "end of recorded history" in line["event"]])
        assert said[0]["day"] == "2005-02-02"
        assert feed.wait(0.5) is None


@pytest.mark.parametrize("words", [["--speed", "0"], ["--speed", "fast"], ["--speed", "nan"], ["--until", "soon"]])
def test_a_bad_word_to_the_feed_is_refused(words: list[str]) -> None:
    with pytest.raises(CommandError, match=f"argument {words[0]}"):
        call_command("feed", *words)


def test_a_bad_word_at_the_command_line_is_exit_code_two() -> None:
    command = [sys.executable, "-W", "ignore", "manage.py", "feed", "--speed", "0"]
    asked = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert "must be from 0.001 to 10000 sessions a second" in asked.stderr


def test_a_feed_without_history_is_exit_code_two() -> None:
    with pytest.raises(CommandError) as refused:
        call_command("feed")
    assert refused.value.returncode == 2

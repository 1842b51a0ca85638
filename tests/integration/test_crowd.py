"""Many cells at one quote are decided as each would be alone: the same events byte by byte, or none of them."""

import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from dividends.services.announcements import announce_split
from portfolios import bulk
from portfolios.domain.amounts import micros
from portfolios.models import Event, Portfolio, Position
from portfolios.services.positions import pause
from tests.at_once import at_once
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.market import assert_sound, later, make_fallen_cell
from trading import tasks
from trading.errors import BrokenCell
from trading.market.calendars import calendar_for
from trading.market.models import Instrument
from trading.models import Execution, Order
from trading.selectors import newest_traded_quotes, waiting_cells
from trading.services.crowd import evaluate_cells
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order
from trading.services.halts import halt
from trading.services.lots import heed_cells
from trading.services.proposals import set_approve_first
from trading.services.quarantine import quarantine

TABLES = {
    Event: "stream_id, seq",
    Order: "public_id",
    Execution: "broker_execution_id",
    Position: "id",
}
NOT_SAME = ("id", "order_id", "reverses_id")  # keys that a sequence hands out, whoever asks
WAYS: dict[str, Callable[[list[int]], Any]] = {
    "singly": lambda keys: [evaluate_position(position_id=key) for key in keys],
    "together": lambda keys: evaluate_cells(position_ids=keys),
}


@pytest.fixture(autouse=True, scope="module")
def calendar() -> None:
    """Built before time stands still."""
    calendar_for()


def make_crowd(dice: random.Random, size: int = 24) -> None:
    """Cells of every kind that a decision can meet."""
    owner = make_user("owner")
    portfolios = [make_portfolio(owner, name) for name in ("Plain", "Asked", "Halted")]
    set_approve_first(portfolio_id=portfolios[1].pk, on=True, actor="user:ann")
    halt(scope="portfolio", target_id=portfolios[2].pk, reason="a look first", actor="user:ann")
    Instrument.objects.create(symbol="WM", fractional=dice.random() < 0.5)
    for _ in range(size):
        settings: dict[str, Any] = dice.choice(
            [{}, {"fractional": False}, {"auto_rebalance": True}, {"max_orders_per_day": 1}, {"trigger_up": "0.01"}]
        )
        cell = make_position(
            dice.choice(portfolios),
            symbol=dice.choice(["IBM", "WM", "BAC"]),
            shares=dice.choice(["0", "1", "100"]),
            cash=dice.choice(["0", "50", "10000"]),
            anchor=dice.choice(["0", "100", "100", "100", "97"]),
            **settings,
        )
        if dice.random() < 0.5:
            heed_cells([cell.pk])
        if dice.random() < 0.1:
            pause(position_id=cell.pk, market_at=later(-5), actor="user:ann", reason="a rest")
        if dice.random() < 0.1:
            quarantine(position_id=cell.pk, why="a test")
        if dice.random() < 0.1:
            halt(scope="position", target_id=cell.pk, reason="this one", actor="user:ann")
    if dice.random() < 0.3:
        announce_split(source="replay", symbol="BAC", ex_date=date(2007, 1, 3), numerator=2, denominator=1)


def numbered_ids(seed: int) -> Callable[[], uuid.UUID]:
    dice = random.Random(seed)
    return lambda: uuid.UUID(int=dice.getrandbits(128), version=4)


def told(way: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[Any, ...]]]:
    """What stands in the tables after a morning of quotes; nothing of it stays."""
    dice = random.Random(seed)
    with transaction.atomic(), monkeypatch.context() as here:
        here.setattr(uuid, "uuid4", numbered_ids(seed))
        for minute in range(6):
            quotes = [
                make_quote(symbol, dice.choice(["100", "97", "96.5", "103.5", "99.9", "110"]), at=later(minute))
                for symbol in ("IBM", "WM", "BAC")
            ]
            WAYS[way](waiting_cells(quotes))
            fresh = Order.objects.filter(status="new").order_by("public_id").values_list("pk", flat=True)
            for order_id in [key for key in fresh if dice.random() < 0.7]:
                execute_order(order_id=order_id)
        rows = {model.__name__: rows_of(model, order) for model, order in TABLES.items()}
        transaction.set_rollback(True)
    return rows


def rows_of(model: Any, order: str) -> list[tuple[Any, ...]]:
    names = [field.column for field in model._meta.concrete_fields if field.column not in NOT_SAME]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(names)} FROM {model._meta.db_table} ORDER BY {order}")
        return list(cursor.fetchall())


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(12))
def test_together_they_leave_what_each_would_leave_alone(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with time_machine.travel(datetime(2026, 11, 20, 15, tzinfo=UTC), tick=False):
        make_crowd(random.Random(seed))
        singly, together = (told(way, seed, monkeypatch) for way in WAYS)
    assert len(singly["Event"]) > 40
    for table, rows in singly.items():
        assert together[table] == rows


@pytest.mark.django_db
def test_what_was_written_together_is_sound() -> None:
    cells = [make_fallen_cell(portfolio=Portfolio.objects.first() or make_portfolio()) for _ in range(5)]
    done = evaluate_cells(position_ids=[cell.pk for cell in cells])
    assert [evaluation.order.quantity for evaluation in done if evaluation.order] == [micros("10.4687")] * 5
    assert evaluate_cells(position_ids=[cell.pk for cell in cells])[0].order is None
    for evaluation in done:
        execute_order(order_id=evaluation.order.pk)  # type: ignore[union-attr]
    assert_sound()


@pytest.mark.django_db(transaction=True)
def test_a_death_half_way_leaves_nothing_of_the_chunk_and_all_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    portfolio = make_portfolio()
    cells = [make_fallen_cell(portfolio=portfolio).pk for _ in range(6)]
    evaluate_cells(position_ids=cells[:3])
    before = list(Position.objects.order_by("pk").values())
    for step in ("insert_all", "update_all"):
        with monkeypatch.context() as here:
            here.setattr(f"portfolios.bulk.{step}", dying_after(2 if step == "insert_all" else 1))
            with pytest.raises(ZeroDivisionError):
                evaluate_cells(position_ids=cells[3:])
        assert list(Position.objects.order_by("pk").values()) == before
        assert Order.objects.count() == 3
    evaluate_cells(position_ids=cells[3:])
    assert Order.objects.count() == 6
    assert_sound()


def dying_after(calls: int) -> Callable[..., None]:
    deaths, real = iter([False] * (calls - 1) + [True]), bulk.insert_all if calls == 2 else bulk.update_all

    def step(*given: Any) -> None:
        real(*given)
        if next(deaths):
            raise ZeroDivisionError

    return step


@pytest.mark.django_db(transaction=True)
def test_chunks_and_single_bells_at_once_make_one_order_each() -> None:
    portfolio = make_portfolio()
    cells = [make_fallen_cell(portfolio=portfolio).pk for _ in range(12)]
    chunks = [partial(evaluate_cells, position_ids=keys) for keys in (cells[:8], cells[4:], cells[::-1], cells[2:9])]
    outcomes = at_once(*chunks, *(partial(evaluate_position, position_id=key) for key in cells[:6]))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert Order.objects.count() == 12
    assert_sound()


@pytest.mark.django_db
def test_a_chunk_asks_as_often_for_many_as_for_few(django_assert_max_num_queries: Any) -> None:
    portfolio = make_portfolio()
    few, many = ([make_fallen_cell(portfolio=portfolio).pk for _ in range(size)] for size in (2, 20))
    counts = []
    for keys in (few, many):
        with django_assert_max_num_queries(24) as asked:
            evaluate_cells(position_ids=keys)
        counts.append(len(asked.captured_queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_one_alone_asks_each_thing_once(django_assert_num_queries: Any) -> None:
    portfolio = make_portfolio()
    first, second = (make_fallen_cell(portfolio=portfolio).pk for _ in range(2))
    assert evaluate_position(position_id=first).order
    with django_assert_num_queries(10):  # a savepoint and its end; cell, quote, clock, listing, orders, splits, halts
        assert evaluate_position(position_id=second).order


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    heard: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(tasks, "ring", lambda bell, **keys: heard.append((bell.name.rsplit(".")[-1], keys)) or True)
    return heard


@pytest.mark.django_db
def test_a_crowd_has_one_bell_a_chunk_and_a_few_cells_one_each(rung: list[tuple[str, dict[str, Any]]]) -> None:
    portfolio = make_portfolio()
    cells = [make_fallen_cell(portfolio=portfolio).pk for _ in range(tasks.CROWD - 1)]
    assert tasks.ring_for(newest_traded_quotes("replay")) == len(cells)
    assert rung == [("evaluate_position", {"position_id": pk}) for pk in cells]
    rung.clear()
    cells += [make_fallen_cell(portfolio=portfolio).pk]
    tasks.ring_for(newest_traded_quotes("replay"))
    assert rung == [("evaluate_cells", {"position_ids": cells})]
    rung.clear()
    tasks.evaluate_cells(position_ids=cells)
    assert rung == [
        ("execute_order", {"order_id": pk}) for pk in Order.objects.order_by("pk").values_list("pk", flat=True)
    ]
    assert len(rung) == len(cells)


@pytest.mark.django_db
def test_one_broken_cell_breaks_the_crowd_up_and_no_other_cell(rung: list[tuple[str, dict[str, Any]]]) -> None:
    portfolio = make_portfolio()
    cells = [make_fallen_cell(portfolio=portfolio) for _ in range(tasks.CROWD)]
    Position.objects.filter(pk=cells[3].pk).update(event_seq=0)  # its next event is there already
    tasks.evaluate_cells(position_ids=[cell.pk for cell in cells])
    assert not Order.objects.exists()
    assert rung == [("evaluate_position", {"position_id": cell.pk}) for cell in cells]
    for cell in cells:
        with suppress(BrokenCell, IntegrityError):
            tasks.evaluate_position(position_id=cell.pk)
    assert set(Order.objects.values_list("position", flat=True)) == {cell.pk for cell in cells} - {cells[3].pk}

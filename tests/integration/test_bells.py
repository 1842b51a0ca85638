"""Bells: any may be lost or ring twice, each carries the request's id, and one that fails for good leaves a row."""

import time
from collections.abc import Iterator
from datetime import date

import pytest
import redis
import structlog
from celery import Celery
from django.conf import settings
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import micros
from portfolios.models import Event, FailedTask, Position
from portfolios.tasks import Bell, verify_events
from tests.factories import NOON, bearer, make_position, make_quote
from tests.market import assert_sound, make_fallen_cell, story
from tests.programs import running, wait_until
from trading.market.models import Quote
from trading.market.services import move_clock
from trading.models import Order
from trading.tasks import (
    check_dividends,
    evaluate_position,
    execute_order,
    pay_dividends,
    poll_prices,
    ring,
    ring_waiting,
)
from vbalance.beat import KeepingScheduler
from vbalance.celery import app
from vbalance.health import QUEUES


@pytest.fixture
def queue() -> Iterator[redis.Redis]:
    """Valkey as the bells of this test find it: without those of any other."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        forget_bells(client)
        yield client
        forget_bells(client)


def forget_bells(client: redis.Redis) -> None:
    """Those that wait, and those a killed worker had in its hand."""
    for key in client.scan_iter(f"{settings.KEY_PREFIX}*"):
        client.delete(key)


def waiting(client: redis.Redis) -> int:
    return sum(client.llen(f"{settings.KEY_PREFIX}{name}") for name in QUEUES)


@pytest.mark.django_db(transaction=True)
def test_the_id_of_a_request_reaches_the_workers_lines(queue) -> None:
    position = make_position()
    make_quote(price="100")
    headers = bearer(position.portfolio.owner) | {"Idempotency-Key": "k1", "X-Request-ID": "request-4711"}
    url = f"/v1/positions/{position.public_id}/orders"
    answer = Client(headers=headers).post(url, {"side": "BUY", "qty": 1}, "application/json")
    assert (answer.status_code, answer["X-Request-ID"]) == (201, "request-4711")
    order = Order.objects.get()
    with running("worker") as worker:
        wait_until(lambda: Order.objects.filter(status="filled").exists(), what="the fill")
        said = wait_until(lambda: [line for line in worker.lines if line.get("request_id") == "request-4711"])
    assert (said[0]["service"], said[0]["order_id"]) == ("worker", order.pk)
    assert said[0]["trace_id"] == "request-4711"
    assert said[0]["task_id"]
    assert_sound()


@pytest.mark.django_db(transaction=True)
def test_a_bell_rung_five_times_makes_one_order_and_rings_on_for_it(queue) -> None:
    position = make_fallen_cell()
    for _ in range(5):
        ring_waiting()
    assert waiting(queue) == 5
    with running("worker"):
        wait_until(lambda: Order.objects.filter(status="filled").exists() and not waiting(queue), what="the fill")
    assert Order.objects.count() == 1
    assert story(position).count("order_filled") == 1
    assert FailedTask.objects.count() == 0
    assert_sound()


@pytest.mark.django_db
def test_the_sweeper_rings_for_what_waits_and_for_nothing_else(queue) -> None:
    position = make_fallen_cell()
    ring_waiting()
    assert waiting(queue) == 1
    evaluate_position(position_id=position.pk)  # writes an order and rings for it
    assert waiting(queue) == 2
    forget_bells(queue)
    ring_waiting()  # that bell was lost
    assert waiting(queue) == 1
    execute_order(order_id=Order.objects.get().pk)
    forget_bells(queue)
    ring_waiting()
    assert waiting(queue) == 0
    assert_sound()


@pytest.mark.django_db
def test_a_cell_that_let_its_order_go_first_is_rung_for_afterwards(queue) -> None:
    position = make_fallen_cell()
    evaluate_position(position_id=position.pk)
    order = Order.objects.get()
    make_quote(price="96", at=NOON.replace(minute=1))
    evaluate_position(position_id=position.pk)
    assert story(position) == ["evaluated", "order_intent"]
    forget_bells(queue)
    execute_order(order_id=order.pk)  # the price has run away: to be decided again
    assert waiting(queue) == 1
    evaluate_position(position_id=position.pk)
    assert Order.objects.count() == 2


@pytest.mark.django_db
def test_polling_twice_takes_each_price_once_and_rings_for_nobody_new(queue) -> None:
    make_fallen_cell()
    before = Quote.objects.count()
    poll_prices()
    poll_prices()
    assert (Quote.objects.count(), waiting(queue)) == (before, 0)


@pytest.mark.django_db
def test_dividends_checked_and_paid_twice_are_booked_once(queue) -> None:
    position = make_position(anchor="150")
    make_quote(price="150")
    announce_dividend(source="replay", symbol="IBM", ex_date=date(2007, 1, 4), dps=micros("0.82"))
    announce_split(source="replay", symbol="IBM", ex_date=date(2007, 1, 5), numerator=2, denominator=1)
    for day in (date(2007, 1, 3), date(2007, 1, 4), date(2007, 1, 5), date(2007, 2, 3)):
        move_clock(source="replay", at=NOON, day=day, phase="open")
        for bell in (check_dividends, pay_dividends) * 2:
            bell()
    assert story(position) == ["ex_dividend", "split", "dividend_paid"]
    assert Position.objects.get().cash == micros("10061.5")
    assert_sound()


def unheard(order_id: int) -> None:
    """What a dead queue never delivers."""


def test_a_dead_queue_is_no_error_and_holds_up_nobody() -> None:
    dead = Celery("dead", broker="redis+socket:///tmp/nobody-listens-here.sock", set_as_current=False)
    dead.conf.task_publish_retry_policy = app.conf.task_publish_retry_policy
    bell = dead.task(base=Bell, name="a bell nobody hears", lazy=False)(unheard)
    ring(bell, order_id=1)  # the first one pays for imports
    began = time.monotonic()
    assert [ring(bell, order_id=number) for number in range(10)] == [False] * 10
    assert time.monotonic() - began < 2


@pytest.mark.django_db
def test_a_bell_that_fails_for_good_leaves_what_it_was_to_do_and_why_it_could_not() -> None:
    evaluate_position.apply(kwargs={"position_id": 4711}, task_id="t1")
    failed = FailedTask.objects.get()
    assert (failed.task, failed.task_id) == ("trading.tasks.evaluate_position", "t1")
    assert failed.kwargs == {"position_id": 4711}
    assert failed.error.startswith("DoesNotExist: Position matching query does not exist")
    assert "services/evaluation.py" in failed.traceback


@pytest.mark.django_db
def test_the_nightly_check_is_silent_about_an_honest_log_and_fails_on_a_damaged_row() -> None:
    position = make_position()
    verify_events.apply()
    assert FailedTask.objects.count() == 0
    Position.objects.filter(pk=position.pk).update(cash=1)
    verify_events.apply()
    assert FailedTask.objects.get().error == "RuntimeError: 0 findings, 1 rows differ from their events"
    assert Event.objects.of(position).count() == 1


@pytest.mark.django_db(transaction=True)  # the scheduler closes connections as it pleases
def test_beat_makes_missing_entries_and_keeps_what_an_admin_set() -> None:
    KeepingScheduler(app=app)
    names = set(PeriodicTask.objects.values_list("name", flat=True))
    assert {"poll prices", "ring waiting", "check dividends", "pay dividends", "verify events"} <= names
    slow, _ = IntervalSchedule.objects.get_or_create(every=10, period="seconds")
    PeriodicTask.objects.filter(name="poll prices").update(interval=slow, enabled=False)
    PeriodicTask.objects.filter(name="ring waiting").delete()
    KeepingScheduler(app=app)
    kept = PeriodicTask.objects.get(name="poll prices")
    assert (kept.interval.every, kept.enabled) == (10, False)
    assert PeriodicTask.objects.get(name="ring waiting").interval.every == 3
    assert set(PeriodicTask.objects.values_list("name", flat=True)) == names


def test_a_bell_carries_the_ids_of_the_request_and_nothing_else(queue) -> None:
    with structlog.contextvars.bound_contextvars(request_id="request-4711", trace_id="trace-1", password="secret"):
        ring(execute_order, order_id=1)
    [message] = queue.lrange(f"{settings.KEY_PREFIX}orders", 0, -1)
    assert b"request-4711" in message
    assert b"trace-1" in message
    assert b"secret" not in message

"""Halts: of a cell, a portfolio, an account and the house; who may still order, what becomes of what was ordered."""

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.models import Event, Portfolio, Position
from tests.at_once import at_once
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.fake_broker import FAKE, VENUE, Venue
from tests.market import assert_sound, later, make_fallen_cell
from trading.domain.choices import Side
from trading.models import Order
from trading.risk.models import Halt
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order
from trading.services.halts import clear_orders, halt, rearm, write_halt
from trading.services.ordering import place_order
from trading.services.submission import begin_submission
from trading.tasks import ring_waiting
from vbalance.stores.addresses import valkey_url
from vbalance.stores.embedded import Wanted, embedded_stores

SCOPES = tuple(Halt.Scope.values)
ANN = "user:ann"


@pytest.fixture
def venue(settings) -> Venue:
    settings.BROKERS = FAKE
    VENUE.open_again()
    return VENUE


def target_of(scope: str, cell: Position) -> int | None:
    portfolio = cell.portfolio
    return {"global": None, "portfolio": portfolio.pk, "account": portfolio.account_id, "position": cell.pk}[scope]


def stop(cell: Position, scope: str = "position", reason: str = "so", **traits: Any) -> Halt:
    return halt(scope=scope, target_id=target_of(scope, cell), reason=reason, actor=ANN, **traits)


def buy(cell: Position, key: str = "k") -> Order:
    return place_order(
        position_id=cell.pk,
        side=Side.BUY,
        quantity=micros("1"),
        limit=None,
        author=cell.portfolio.owner,
        actor=ANN,
        key=key,
    )


def events(kind: str) -> list[tuple[str, str]]:
    return list(Event.objects.filter(type=kind).order_by("pk").values_list("stream", "actor"))


def status_of(order: Order) -> str:
    order.refresh_from_db()
    return order.status


@pytest.mark.django_db
@pytest.mark.parametrize("scope", SCOPES)
def test_a_halt_of_any_scope_stops_person_and_robot_until_it_is_lifted(scope: str) -> None:
    cell = make_fallen_cell()
    stopped = stop(cell, scope, "the news are bad")
    with pytest.raises(Refused, match="the news are bad") as refused:
        buy(cell)
    assert (refused.value.code, refused.value.status) == ("halted", 423)
    assert evaluate_position(position_id=cell.pk).order is None
    assert events("halted") == [(scope, ANN)]
    rearm(halt_id=stopped.pk, reason="calm again", actor="user:bob")
    stopped.refresh_from_db()
    assert (stopped.rearmed_by, stopped.rearm_reason) == ("user:bob", "calm again")
    assert events("rearmed") == [(scope, "user:bob")]
    make_quote(price="97", at=later())
    assert evaluate_position(position_id=cell.pk).order
    assert_sound()


@pytest.mark.django_db
@pytest.mark.parametrize("scope", ["portfolio", "account", "position"])
def test_a_halt_stops_nobody_else(scope: str) -> None:
    mine, others = make_position(), make_position(make_portfolio(make_user("bob")))
    stop(mine, scope)
    assert buy(others).status == "new"


@pytest.mark.django_db
def test_a_halt_of_a_cell_leaves_its_neighbour_alone() -> None:
    portfolio = make_portfolio()
    one, other = make_position(portfolio), make_position(portfolio, symbol="AAPL")
    stop(one)
    assert buy(other).status == "new"


@pytest.mark.django_db
def test_what_is_halted_already_gives_the_halt_in_force_and_one_event() -> None:
    cell = make_position()
    first, again = stop(cell, reason="first"), stop(cell, reason="second")
    assert (first.pk, again.reason) == (again.pk, "first")
    assert len(events("halted")) == 1
    rearm(halt_id=first.pk, reason="over", actor=ANN)
    rearm(halt_id=first.pk, reason="again", actor="user:bob")
    first.refresh_from_db()
    assert (first.rearm_reason, len(events("rearmed"))) == ("over", 1)
    assert stop(cell).pk != first.pk
    assert_sound()


@pytest.mark.django_db
def test_all_halts_over_a_cell_must_be_lifted_and_the_oldest_is_named() -> None:
    cell = make_fallen_cell()
    halts = [stop(cell, scope, f"because of the {scope}") for scope in SCOPES]
    for number, one in enumerate(halts):
        with pytest.raises(Refused, match=f"because of the {SCOPES[number]}"):
            buy(cell)
        rearm(halt_id=one.pk, reason="over", actor=ANN)
    assert buy(cell).status == "new"


@pytest.mark.django_db
@pytest.mark.parametrize("actor", ["robot", "market", "broker:paper", ""])
def test_only_a_person_arms_trading_again(actor: str) -> None:
    stopped = stop(make_position())
    with pytest.raises(Refused) as refused:
        rearm(halt_id=stopped.pk, reason="it is over", actor=actor)
    assert (refused.value.code, refused.value.status) == ("no_person", 403)
    assert Halt.objects.in_force().count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 201, "bell\a"])
def test_a_reason_is_one_line(reason: str) -> None:
    cell = make_position()
    known = stop(cell, "portfolio")
    for act in (partial(stop, cell, reason=reason), partial(rearm, halt_id=known.pk, reason=reason, actor=ANN)):
        with pytest.raises(Refused) as refused:
            act()
        assert (refused.value.code, refused.value.field) == ("invalid_reason", "reason")
    assert Halt.objects.in_force().count() == 1


@pytest.mark.django_db
def test_an_unsent_order_ends_and_a_proposal_too() -> None:
    portfolio = make_portfolio()
    cells = [make_position(portfolio, symbol=symbol) for symbol in ("IBM", "AAPL")]
    unsent, proposed = (buy(cell, cell.symbol) for cell in cells)
    Order.objects.filter(pk=proposed.pk).update(status="proposed")
    stop(cells[0], "portfolio", "enough")
    assert (status_of(unsent), status_of(proposed)) == ("cancelled", "cancelled")
    assert Event.objects.of(cells[0]).last().content["message"] == "Not sent: trading is halted (enough)."
    assert Event.objects.of(cells[0]).last().actor == ANN
    assert_sound()


@pytest.mark.django_db
@pytest.mark.parametrize("cancels", [False, True])
def test_a_working_order_is_asked_back_only_when_that_is_wanted(cancels: bool, venue: Venue) -> None:
    venue.open_again("rests")
    cell = make_fallen_cell()
    order = evaluate_position(position_id=cell.pk).order
    execute_order(order_id=order.pk)
    stop(cell, "account", cancels=cancels)
    assert status_of(order) == ("cancelling" if cancels else "accepted")
    execute_order(order_id=order.pk)
    assert status_of(order) == ("cancelled" if cancels else "accepted")
    assert_sound()


@pytest.mark.django_db
def test_who_halts_again_may_ask_the_orders_back_that_the_first_one_left(venue: Venue) -> None:
    venue.open_again("rests")
    cell = make_fallen_cell()
    order = evaluate_position(position_id=cell.pk).order
    execute_order(order_id=order.pk)
    assert stop(cell).pk == stop(cell, cancels=True).pk
    assert status_of(order) == "cancelling"
    assert len(events("halted")) == 1


@pytest.mark.django_db
def test_whoever_is_killed_between_the_halt_and_its_orders_is_made_up_for() -> None:
    cell = make_position()
    order = buy(cell)
    write_halt(scope="position", target_id=cell.pk, reason="so", actor=ANN, cancels=False)
    assert status_of(order) == "new"
    ring_waiting()
    assert status_of(order) == "cancelled"


@pytest.mark.django_db
def test_an_order_whose_answer_comes_after_the_halt_is_asked_back_then(venue: Venue) -> None:
    venue.open_again("rests")
    venue.lost_answers = 1
    cell = make_fallen_cell()
    order = evaluate_position(position_id=cell.pk).order
    execute_order(order_id=order.pk)
    known = stop(cell, "global", cancels=True)
    assert status_of(order) == "unknown"
    execute_order(order_id=order.pk)
    clear_orders(halt_id=known.pk)
    assert status_of(order) == "cancelling"


@pytest.mark.django_db
def test_a_lifted_halt_clears_nothing_any_more() -> None:
    cell = make_position()
    known = stop(cell)
    rearm(halt_id=known.pk, reason="over", actor=ANN)
    order = buy(cell)
    clear_orders(halt_id=known.pk)
    assert status_of(order) == "new"


@pytest.mark.django_db(transaction=True)
def test_nothing_that_was_written_before_leaves_after_a_halt(venue: Venue) -> None:
    cell = make_fallen_cell()
    order = evaluate_position(position_id=cell.pk).order
    write_halt(scope="global", target_id=None, reason="so", actor=ANN, cancels=False)
    assert begin_submission(order_id=order.pk) is None
    assert (status_of(order), venue.submissions) == ("cancelled", [])


@pytest.mark.django_db(transaction=True)
def test_many_who_halt_the_same_at_once_make_one_halt() -> None:
    cell = make_position()
    for scope in SCOPES:
        found = at_once(*[partial(stop, cell, scope)] * 8)
        assert len({one.pk for one in found}) == 1
    assert len(events("halted")) == len(SCOPES)
    assert_sound()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scope", SCOPES)
def test_halts_among_eight_who_submit_never_wait_in_a_circle(scope: str, venue: Venue) -> None:
    portfolio = make_portfolio()
    cells = [make_fallen_cell(portfolio=portfolio, symbol=symbol, drift_bps=1000) for symbol in "ABCDEFGH"]
    begun = time.monotonic()
    for round_ in range(4):
        for cell in cells:
            make_quote(cell.symbol, f"{96 - round_ * 4}", at=later(round_ + 1))
        outcomes = at_once(
            *[partial(submit, cell) for cell in cells],
            partial(stop, cells[0], scope),
            partial(buy, cells[0], f"k{round_}"),
        )
        assert [error for error in outcomes if isinstance(error, Exception) and not isinstance(error, Refused)] == []
        for known in Halt.objects.in_force():
            rearm(halt_id=known.pk, reason="on with it", actor=ANN)
    assert time.monotonic() - begun < 30
    assert len(events("halted")) == 4
    assert_sound()


def submit(cell: Position) -> None:
    order = evaluate_position(position_id=cell.pk).order
    if order:
        execute_order(order_id=order.pk)


@pytest.mark.django_db
def test_a_flushed_valkey_lifts_no_halt(settings) -> None:
    """A real Valkey of its own, flushed under the running house: halts are rows."""
    cell = make_fallen_cell()
    with tempfile.TemporaryDirectory(prefix="vbt-", dir="/tmp") as folder:
        sockets = Path(folder) / "s"
        with embedded_stores(Path(folder), sockets, Wanted(postgres=False), durable=False):
            settings.REDIS_URL = valkey_url(sockets)
            stop(cell, "global")
            server = redis.Redis.from_url(settings.REDIS_URL)
            server.set("anything", 1)
            assert server.flushall()
            assert server.dbsize() == 0
            assert evaluate_position(position_id=cell.pk).order is None
        with pytest.raises(Refused, match="halted"):
            buy(cell)
    assert Halt.objects.in_force().count() == 1


@pytest.mark.django_db
def test_who_sees_and_who_lifts_which_halt() -> None:
    ann, bob, root = make_user("ann"), make_user("bob"), make_user("root", is_superuser=True, is_staff=True)
    mine, his = make_position(make_portfolio(ann, eve="viewer")), make_position(make_portfolio(bob))
    for cell in (mine, his):
        for scope in SCOPES[1:]:
            stop(cell, scope)
    house = stop(mine, "global")
    ours = {known.pk for known in Halt.objects.exclude(pk=house.pk).filter(pk__lt=house.pk).order_by("pk")[:3]}
    eve = Portfolio.objects.get(pk=mine.portfolio_id).memberships.get(user__username="eve").user

    def seen(user: Any) -> set[int]:
        return set(Halt.objects.visible_to(user).values_list("pk", flat=True))

    def lifts(user: Any) -> set[int]:
        return set(Halt.objects.steered_by(user).values_list("pk", flat=True))

    assert seen(ann) == seen(eve) == ours | {house.pk}
    assert (lifts(ann), lifts(eve), lifts(root)) == (ours, set(), {house.pk})
    assert seen(root) == {house.pk}
    assert not seen(bob) & ours


@pytest.mark.django_db
def test_a_halt_in_force_is_found_by_one_query() -> None:
    cell = make_position()
    for scope in SCOPES:
        stop(cell, scope)
    owner = cell.portfolio.owner
    with CaptureQueriesContext(connection) as captured:
        assert len(Halt.objects.in_force().visible_to(owner)) == 4
    assert len(captured) == 1

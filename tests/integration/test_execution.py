"""Orders on their way out and fills on their way in, with a broker that lives elsewhere and one on paper."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction

from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.models import Event, Position
from portfolios.services.positions import withdraw
from tests.factories import NOON, make_position, make_quote
from tests.fake_broker import FAKE, VENUE, Venue
from tests.market import assert_sound, later, make_fallen_cell, story, tick
from trading import tasks
from trading.brokers.base import Fill, Report
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.domain.order_life import MOVES, OPEN_STATES, may_move
from trading.errors import IllegalMove
from trading.models import Execution, Order
from trading.selectors import cell_held_up_by, waiting_orders
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order, fill_by_hand, record_report
from trading.services.ordering import cancel_order, place_order
from trading.services.settlement import move
from trading.services.submission import begin_submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def venue(settings) -> Venue:
    settings.BROKERS = FAKE
    VENUE.open_again()
    return VENUE


@pytest.fixture
def resting(venue) -> Order:
    """A buy of 10.4687 shares that the venue has accepted and nobody has traded with yet."""
    venue.open_again("rests")
    position = make_fallen_cell()
    order = evaluate_position(position_id=position.pk).order
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def reported(order: Order, status: str, *fills: Fill) -> Order:
    return record_report(order_id=order.pk, report=Report(status, fills))


def part(name: str, quantity: str, price: str, commission: int = OURS) -> Fill:
    return Fill(name, micros(quantity), micros(price), commission, NOON)


def cell_of(order: Order) -> Position:
    return Position.objects.get(pk=order.position_id)


def person_buys(position: Position, quantity: str = "10", limit: str = "", side: Side = Side.BUY) -> Order:
    return place_order(
        position_id=position.pk,
        side=side,
        quantity=micros(quantity),
        limit=micros(limit) if limit else None,
        author=position.portfolio.owner,
        actor="user:ann",
        key="k1",
    )


@pytest.mark.parametrize(
    "parts",
    [
        [("10", "97.333333")],
        [("3", "97.333333"), ("3", "97.333333"), ("4", "97.333333")],
        [("0.000001", "97.333333"), ("9.999998", "97.333333"), ("0.000001", "97.333333")],
    ],
)
def test_parts_of_an_order_cost_what_the_whole_costs(parts: Sequence[tuple[str, str]]) -> None:
    position = make_position(shares="0", commission_min="0.5")
    order = person_buys(position)
    for quantity, price in parts:
        fill_by_hand(
            order_id=order.pk, price=micros(price), quantity=micros(quantity), commission=None, actor="user:ann"
        )
    order.refresh_from_db()
    assert (order.status, order.notional, order.fee) == ("filled", micros("973.33333"), micros("0.5"))
    assert sum(Execution.objects.values_list("notional", flat=True)) == order.notional
    assert sum(Execution.objects.values_list("commission", flat=True)) == order.fee
    assert cell_of(order).cash == micros("10000") - order.notional - order.fee
    assert_sound()


def test_what_is_promised_shrinks_with_every_part_and_is_free_at_the_end(resting, venue) -> None:
    cost = micros("1015.4639") + micros("0.101547")
    assert (cell_of(resting).reserved_cash, resting.reserved_cash) == (cost, cost)
    reported(resting, "partially_filled", venue.fill(resting.client_order_id, micros("10"), micros("97")))
    assert cell_of(resting).reserved_cash == cost - micros("970") - micros("0.097")
    reported(resting, "filled", venue.fill(resting.client_order_id, micros("0.4687"), micros("96")))
    assert cell_of(resting).reserved_cash == 0
    assert_sound()


def test_the_anchor_moves_once_at_the_end_to_the_average_price(resting, venue) -> None:
    reported(resting, "partially_filled", venue.fill(resting.client_order_id, micros("5.23435"), micros("98")))
    assert cell_of(resting).anchor == micros("100")
    reported(resting, "filled", venue.fill(resting.client_order_id, micros("5.23435"), micros("96")))
    assert cell_of(resting).anchor == micros("97")
    assert story(cell_of(resting)).count("anchor_updated") == 1


def test_a_cancelled_order_that_was_partly_filled_moves_the_anchor_too(resting, venue) -> None:
    reported(resting, "partially_filled", venue.fill(resting.client_order_id, micros("1"), micros("96")))
    cancel_order(order_id=resting.pk, actor="user:ann")
    assert Order.objects.get().status == "cancelling"
    execute_order(order_id=resting.pk)
    cell = cell_of(resting)
    assert (cell.anchor, cell.shares, cell.reserved_cash) == (micros("96"), micros("101"), 0)
    assert_sound()


@pytest.mark.parametrize("ending", ["rejected", "expired", "cancelled"])
def test_an_order_that_ends_unfilled_frees_what_was_promised_and_leaves_the_anchor(resting, ending) -> None:
    reported(resting, ending)
    cell = cell_of(resting)
    assert (cell.reserved_cash, cell.anchor, cell.shares) == (0, micros("100"), micros("100"))
    assert story(cell)[-1] == f"order_{ending}"
    assert_sound()


def test_a_refused_order_ends_rejected(venue) -> None:
    venue.open_again("refuses")
    order = tick(make_fallen_cell())
    assert (order.status, order.reserved_cash) == ("rejected", 0)
    assert_sound()


def test_a_fill_reported_again_changes_nothing(resting, venue) -> None:
    fill = venue.fill(resting.client_order_id, micros("1"), micros("97"))
    for _ in range(3):
        reported(resting, "partially_filled", fill)
    assert cell_of(resting).shares == micros("101")
    assert story(cell_of(resting)).count("order_partially_filled") == 1


def test_a_fill_taken_back_in_the_same_breath_leaves_nothing_filled(resting) -> None:
    fill = VENUE.fill(resting.client_order_id, resting.quantity, micros("97"))
    VENUE.book[resting.client_order_id].fills.append(Fill("gone", 0, 0, OURS, fill.at, replaces=fill.execution_id))
    tasks.execute_order.run(order_id=resting.pk)
    resting.refresh_from_db()
    assert (resting.status, resting.filled_quantity) == ("filled", 0)
    assert_sound()


def test_the_brokers_own_fee_replaces_ours(resting) -> None:
    reported(resting, "filled", part("e1", "10.4687", "97", commission=micros("1.25")))
    assert cell_of(resting).cash == micros("10000") - micros("1015.4639") - micros("1.25")


def test_an_unknown_order_is_looked_up_and_its_cell_places_no_other(venue) -> None:
    position = make_fallen_cell()
    venue.lost_answers = 2
    order = tick(position)
    assert order.status == "unknown"
    execute_order(order_id=order.pk)
    make_quote(price="90", at=later())
    evaluate_position(position_id=position.pk, asked_by="user:ann")
    assert Order.objects.count() == 1
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, venue.submissions) == ("filled", [order.client_order_id])
    assert story(position).count("order_unknown") == 1
    assert_sound()


@pytest.mark.parametrize("ending", ["cancelled", "expired", "rejected"])
def test_an_order_whose_acceptance_we_never_heard_of_may_have_ended_meanwhile(venue, ending) -> None:
    position = make_fallen_cell()
    order = evaluate_position(position_id=position.pk).order
    request = begin_submission(order_id=order.pk)  # and then the worker is killed
    venue.open_again("rests")
    venue.submit(request)
    venue.end(request.client_order_id, ending)
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == ending
    assert_sound()


def test_a_worker_killed_after_the_order_left_is_found_out_by_looking(venue) -> None:
    order = evaluate_position(position_id=make_fallen_cell().pk).order
    venue.submit(begin_submission(order_id=order.pk))
    assert waiting_orders([make_quote(price="97")]) == [order.pk]
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, len(venue.submissions), venue.lookups) == ("filled", 1, 1)
    assert_sound()


def test_an_answer_lost_while_an_order_rests_is_asked_for_again_at_the_same_price(resting, venue) -> None:
    quote = make_quote(price="96", at=later())
    begin_submission(order_id=resting.pk)  # and then the worker is killed
    assert waiting_orders([quote]) == [resting.pk]
    execute_order(order_id=resting.pk)
    assert waiting_orders([quote]) == []


def test_the_robot_waits_for_what_becomes_of_an_order_that_is_being_sent_at_this_very_price(venue) -> None:
    """Else the log would depend on which worker was killed, or slow."""
    cell = make_position()
    order = person_buys(cell, "1", limit="90")
    make_quote(price="100")
    request = begin_submission(order_id=order.pk)  # and then the worker is killed
    assert evaluate_position(position_id=cell.pk).event is None
    venue.open_again("rests")
    venue.submit(request)
    execute_order(order_id=order.pk)
    assert cell_held_up_by(order.pk) == cell.pk
    assert evaluate_position(position_id=cell.pk).event.type == "anchor_set"


def test_a_fill_after_the_end_is_booked_and_leaves_the_anchor(resting) -> None:
    cancel_order(order_id=resting.pk, actor="user:ann")
    reported(resting, "cancelled")
    reported(resting, "filled", part("e1", "2", "95"))
    cell = cell_of(resting)
    assert (cell.shares, cell.anchor, cell.state) == (micros("102"), micros("100"), "active")
    assert story(cell)[-2:] == ["order_cancelled", "late_fill"]
    assert Order.objects.get().status == "cancelled"
    assert_sound()


def test_more_than_was_ordered_is_booked_and_the_cell_quarantined(resting) -> None:
    reported(resting, "filled", part("e1", "10.4687", "97"))
    reported(resting, "filled", part("e2", "1", "97"))
    cell = cell_of(resting)
    assert (cell.shares, cell.state) == (micros("111.4687"), "quarantined")
    assert story(cell)[-2:] == ["overfill", "quarantined"]
    assert_sound()


def test_an_overdrawn_cell_is_quarantined_in_the_same_commit(resting) -> None:
    reported(resting, "filled", part("e1", "10.4687", "1000"))
    cell = cell_of(resting)
    assert cell.state == "quarantined"
    assert cell.cash < 0
    make_quote(price="900", at=later())
    assert tick(cell) is None
    assert Event.objects.of(cell).last().content["outputs"]["reason"] == "quarantined"
    assert_sound()


def test_the_database_refuses_cash_below_zero_outside_quarantine() -> None:
    position = make_position()
    with pytest.raises(IntegrityError), transaction.atomic():
        Position.objects.filter(pk=position.pk).update(cash=-1)


def test_an_order_moves_only_as_its_life_allows() -> None:
    for before in MOVES:
        for after in MOVES:
            order = Order(status=before)
            if may_move(before, after):
                move(order, after)
                assert order.status == after
            else:
                with pytest.raises(IllegalMove):
                    move(order, after)


def test_an_ended_order_never_comes_back(resting) -> None:
    reported(resting, "rejected")
    for status in ("accepted", "unknown", "cancelled", "partially_filled"):
        reported(resting, status)
    assert Order.objects.get().status == "rejected"
    assert begin_submission(order_id=resting.pk) is None
    with pytest.raises(Refused, match="rejected"):
        cancel_order(order_id=resting.pk, actor="user:ann")


def test_the_database_refuses_a_second_open_order(resting) -> None:
    resting.pk, resting.public_id = None, resting.position.public_id
    resting.key = resting.client_order_id = "another"
    with pytest.raises(IntegrityError, match="one_open_order_per_position"), transaction.atomic():
        resting.save(force_insert=True)


def test_the_database_and_the_rule_agree_on_which_orders_are_open() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_expr(indpred, indrelid) FROM pg_index"
            " WHERE indexrelid::regclass::text IN ('one_open_order_per_position', 'order_still_open')"
        )
        predicates = [predicate for (predicate,) in cursor.fetchall()]
    assert len(predicates) == 2
    for predicate in predicates:
        assert {word for word in MOVES if f"'{word}'" in predicate} == set(OPEN_STATES)


def test_every_path_through_an_orders_life_ends_and_only_once() -> None:
    ended = {state for state, onward in MOVES.items() if not onward}
    assert ended == set(MOVES) - set(OPEN_STATES) - {"proposed"}
    reachable = {"proposed"}
    for _ in MOVES:
        reachable |= {onward for state in reachable for onward in MOVES[state]}
    assert reachable == set(MOVES)


def test_a_persons_order_without_a_price_reserves_nothing_until_one_is_known() -> None:
    position = make_position(symbol="ZIM", shares="0")
    order = person_buys(position)
    execute_order(order_id=order.pk)
    assert (cell_of(order).reserved_cash, Order.objects.get().status) == (0, "new")
    make_quote("ZIM", "50")
    request = begin_submission(order_id=order.pk)
    assert cell_of(order).reserved_cash == micros("500.05")
    assert request.price == micros("50")
    execute_order(order_id=order.pk)
    assert cell_of(order).cash == micros("9499.95")
    assert_sound()


def test_an_order_that_became_too_dear_does_not_leave() -> None:
    position = make_position(symbol="ZIM", shares="0")
    order = person_buys(position)
    make_quote("ZIM", "1001")
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, cell_of(order).state, cell_of(order).cash) == ("cancelled", "active", micros("10000"))
    message = Event.objects.of(position).last().content["message"]
    assert message == "Not sent: it would cost 10011.001, 10000 is free."
    assert_sound()


def test_a_persons_limit_order_reserves_its_limit_and_waits_for_it() -> None:
    position = make_position()
    make_quote(price="100")
    order = person_buys(position, "10", limit="95")
    assert order.reserved_cash == micros("950") + micros("0.095")
    execute_order(order_id=order.pk)
    make_quote(price="94", at=later())
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, order.notional) == ("filled", micros("940"))
    assert_sound()


def test_a_persons_order_waits_for_the_market_to_open() -> None:
    position = make_position()
    evening = make_quote(price="100", at=later(60 * 5))
    order = person_buys(position)
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "new"
    assert waiting_orders([evening]) == []  # nobody is held up by it
    morning = make_quote(price="100", at=later(60 * 22))
    assert waiting_orders([morning]) == [order.pk]
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "filled"


def test_promised_cash_cannot_be_withdrawn_and_promised_shares_cannot_be_sold_again() -> None:
    position = make_position(shares="10", cash="1000")
    make_quote(price="100")
    order = person_buys(position, "9")
    with pytest.raises(Refused, match=r"at most 99.91"):
        withdraw(position_id=position.pk, amount=micros("100"), market_at=NOON, actor="user:ann")
    cancel_order(order_id=order.pk, actor="user:ann")
    with pytest.raises(Refused, match="at most 10 shares are free"):
        person_buys(position, "11", side=Side.SELL)


def test_a_fill_by_hand_may_not_overdraw_oversell_or_exceed_the_order() -> None:
    position = make_position(symbol="ZIM", shares="5", cash="100")
    order = person_buys(position, "5", side=Side.SELL)
    by_hand = {"order_id": order.pk, "commission": None, "actor": "user:ann"}
    for quantity, price, code in (("6", "50", "fill_too_large"), ("5", "0", "out_of_range")):
        with pytest.raises(Refused) as refused:
            fill_by_hand(price=micros(price), quantity=micros(quantity), **by_hand)
        assert refused.value.code == code
    with pytest.raises(Refused) as refused:
        fill_by_hand(**(by_hand | {"commission": micros("500")}), price=micros("50"), quantity=micros("5"))
    assert refused.value.code == "insufficient_cash"
    assert (cell_of(order).cash, Execution.objects.count()) == (micros("100"), 0)
    fill_by_hand(price=micros("50"), quantity=micros("5"), **by_hand)
    assert cell_of(order).shares == 0
    assert_sound()


def test_a_fill_by_hand_overtakes_the_paper_brokers_answer() -> None:
    position = make_position()
    make_quote(price="100")
    order = person_buys(position, "10", limit="95")
    execute_order(order_id=order.pk)
    make_quote(price="94", at=later())
    asked = begin_submission(order_id=order.pk)
    fill_by_hand(order_id=order.pk, price=micros("95"), quantity=micros("4"), commission=None, actor="user:ann")
    fill = part(f"{order.client_order_id}-1", "10", "94")
    record_report(order_id=order.pk, report=Report("filled", (fill,)), asked=asked)
    assert cell_of(order).shares == micros("104")
    execute_order(order_id=order.pk)
    assert cell_of(order).shares == micros("110")
    assert_sound()


def test_events_of_one_order_are_told_in_the_order_of_its_life(resting, venue) -> None:
    for _ in range(3):
        reported(resting, "partially_filled", venue.fill(resting.client_order_id, micros("1"), micros("97")))
    reported(resting, "cancelled")
    events = list(Event.objects.of(cell_of(resting)).filter(subject=resting.public_id))
    assert all(before.seq < after.seq for before, after in pairwise(events))
    assert [event.type for event in events] == [
        "order_intent",
        "order_submitted",
        "order_accepted",
        *["order_partially_filled"] * 3,
        "order_cancelled",
        "anchor_updated",
    ]

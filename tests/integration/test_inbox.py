"""What brokers tell: booked once, whatever comes twice, late, before its time or wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.models import Position
from tests.deliveries import filled, told, updated
from tests.factories import NOON, make_portfolio, make_user
from tests.fake_broker import FAKE, VENUE, Venue
from tests.market import assert_sound, make_fallen_cell, story
from trading.brokers.base import Fill, Report
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.models import Execution, InboxMessage, Order
from trading.selectors import messages_waiting
from trading.services.execution import execute_order, record_report
from trading.services.inbox import forget_old_heartbeats, process_message, receive
from trading.services.ordering import place_order
from trading.tasks import ring_after

pytestmark = pytest.mark.django_db
Status = InboxMessage.Status


@pytest.fixture
def venue(settings) -> Venue:
    settings.BROKERS = FAKE
    VENUE.open_again("rests")
    return VENUE


@pytest.fixture
def resting(venue) -> Order:
    """A buy of 10 shares at 97 that the venue has accepted and nobody has traded with yet."""
    return resting_order(make_fallen_cell())


def resting_order(position: Position, key: str = "k1", quantity: str = "10", side: Side = Side.BUY) -> Order:
    order = place_order(
        position_id=position.pk,
        side=side,
        quantity=micros(quantity),
        limit=None,
        author=position.portfolio.owner,
        actor="user:ann",
        key=key,
    )
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    return order


def hear(order: Order, body: str, name: str = "") -> InboxMessage:
    """One delivery, stored and worked on."""
    account = order.position.portfolio.account
    number = f"m{InboxMessage.objects.count() + 1}"
    message, _ = receive(
        account_id=account.pk, channel=InboxMessage.Channel.WEBHOOK, delivery_id=name or number, body=body
    )
    return process_message(message_id=message.pk)


def state(order: Order) -> tuple[str, str]:
    order.refresh_from_db()
    return order.status, str(order.filled_quantity / 1_000_000)


def cell_of(order: Order) -> Position:
    return Position.objects.get(pk=order.position_id)


def test_a_fill_is_booked_once_however_often_it_is_told(resting) -> None:
    body = filled(resting, "x1", "4", "97")
    outcomes = [hear(resting, body, "one").status, hear(resting, body, "one").status, hear(resting, body, "two").status]
    assert outcomes == [Status.PROCESSED] * 3
    assert InboxMessage.objects.count() == 2
    assert (state(resting), Execution.objects.count()) == (("partially_filled", "4.0"), 1)
    assert cell_of(resting).shares == micros("104")
    assert_sound()


def test_a_fill_that_was_told_and_looked_up_is_one_fill(resting, venue) -> None:
    fill = venue.fill(resting.client_order_id, micros("4"), micros("97"))
    hear(resting, filled(resting, fill.execution_id, "4", "97"))
    execute_order(order_id=resting.pk)
    assert (state(resting), Execution.objects.count()) == (("partially_filled", "4.0"), 1)
    assert_sound()


def test_another_body_under_the_same_id_is_refused_and_not_stored(resting) -> None:
    hear(resting, filled(resting, "x1", "4", "97"), "one")
    with pytest.raises(Refused, match="another body"):
        hear(resting, filled(resting, "x1", "5", "97"), "one")
    assert InboxMessage.objects.count() == 1


def test_every_delivery_is_a_sign_of_life_of_its_account(resting) -> None:
    account = resting.position.portfolio.account
    assert account.heard_at is None
    message = hear(resting, '{"type": "heartbeat", "timestamp": "2007-01-03T17:00:00Z"}')
    account.refresh_from_db()
    assert (message.status, message.order) == (Status.PROCESSED, None)
    assert timezone.now() - account.heard_at < timedelta(seconds=5)


def test_signs_of_life_are_forgotten_after_a_week_and_nothing_else(resting) -> None:
    hear(resting, '{"type": "heartbeat", "timestamp": "2007-01-03T17:00:00Z"}')
    hear(resting, "no JSON")
    hear(resting, filled(resting, "x1", "4", "97"))
    assert forget_old_heartbeats() == 0
    InboxMessage.objects.update(received_at=timezone.now() - timedelta(days=8))
    assert forget_old_heartbeats() == 1
    assert InboxMessage.objects.count() == 2


def test_running_totals_are_booked_by_what_they_add(resting) -> None:
    for total, average in (("4", "97"), ("4", "97"), ("10", "96.4"), ("4", "97")):
        assert hear(resting, updated(resting, "partially_filled", total, average)).status == Status.PROCESSED
    assert list(Execution.objects.order_by("pk").values_list("quantity", "price")) == [
        (micros("4"), micros("97")),
        (micros("6"), micros("96")),
    ]
    assert state(resting) == ("filled", "10.0")
    assert cell_of(resting).anchor == micros("96.4")
    assert Execution.objects.first().broker_execution_id == f"{resting.client_order_id}-cum-4000000"
    assert_sound()


def test_a_missed_total_loses_nothing(resting) -> None:
    hear(resting, updated(resting, "filled", "10", "96.4"))
    hear(resting, updated(resting, "partially_filled", "4", "97"))
    assert (state(resting), Execution.objects.count()) == (("filled", "10.0"), 1)
    assert cell_of(resting).cash == micros("10000") - micros("964") - resting.fee
    assert_sound()


def test_the_last_crumb_of_a_rounded_average_makes_no_absurd_price(resting) -> None:
    hear(resting, updated(resting, "partially_filled", "9.999999", "97.333333"))
    hear(resting, updated(resting, "filled", "10", "97.333334"))
    assert state(resting) == ("filled", "10.0")
    assert cell_of(resting).state != "quarantined"
    assert_sound()


def test_an_order_told_by_execution_is_not_counted_again_from_totals(resting, venue) -> None:
    fill = venue.fill(resting.client_order_id, micros("4"), micros("97"))
    hear(resting, filled(resting, fill.execution_id, "4", "97"))
    later = venue.fill(resting.client_order_id, micros("3"), micros("97"))
    total = hear(resting, updated(resting, "partially_filled", "7", "97"))
    assert (total.status, state(resting)) == (Status.PARKED, ("partially_filled", "4.0"))
    hear(resting, filled(resting, later.execution_id, "3", "97"))
    assert process_message(message_id=total.pk).status == Status.PROCESSED
    assert state(resting) == ("partially_filled", "7.0")
    assert_sound()


def test_an_order_counted_from_totals_takes_no_execution_on_top(resting, venue) -> None:
    fills = [venue.fill(resting.client_order_id, micros(part), micros("97")) for part in ("4", "3")]
    hear(resting, updated(resting, "partially_filled", "4", "97"))
    alone = hear(resting, filled(resting, fills[0].execution_id, "4", "97"))
    with_total = hear(resting, filled(resting, fills[0].execution_id, "4", "97", filled_quantity="4"))
    assert (alone.status, with_total.status, state(resting)[1]) == (Status.PARKED, Status.PROCESSED, "4.0")
    execute_order(order_id=resting.pk)  # the look-up tells both by execution
    assert state(resting)[1] == "7.0"
    hear(resting, filled(resting, fills[1].execution_id, "3", "97", filled_quantity="7", average_price="97"))
    assert (state(resting)[1], Execution.objects.count()) == ("7.0", 2)
    assert_sound()


def test_a_total_without_its_average_adds_nothing_and_is_not_lost(resting) -> None:
    hear(resting, updated(resting, "partially_filled", "4", "97"))
    bare = hear(resting, filled(resting, "x2", "3", "97", filled_quantity="7"))
    assert (bare.status, state(resting)[1]) == (Status.PARKED, "4.0")
    hear(resting, updated(resting, "partially_filled", "7", "97"))
    assert process_message(message_id=bare.pk).status == Status.PROCESSED
    assert_sound()


def test_an_end_told_in_totals_brings_the_fills_along(resting) -> None:
    end = hear(resting, updated(resting, "cancelled", "4", "96"))
    assert state(resting) == ("cancelled", "4.0")  # from totals: all it takes is told
    assert end.status == Status.PROCESSED
    assert cell_of(resting).anchor == micros("96")


def test_an_end_told_among_executions_waits_for_all_of_them(resting) -> None:
    hear(resting, filled(resting, "x1", "1", "97"))
    end = hear(resting, updated(resting, "cancelled", "4", "96.25"))
    assert (end.status, state(resting)) == (Status.PARKED, ("partially_filled", "1.0"))
    hear(resting, filled(resting, "x2", "3", "96"))
    assert process_message(message_id=end.pk).status == Status.PROCESSED
    assert (state(resting), cell_of(resting).anchor) == (("cancelled", "4.0"), micros("96.25"))
    assert_sound()


def test_a_status_never_goes_back(resting) -> None:
    for status, total in (("accepted", "0"), ("filled", "10"), ("accepted", "0"), ("partially_filled", "5")):
        hear(resting, updated(resting, status, total, "97" if total != "0" else None))
    hear(resting, updated(resting, "cancelled", "10", "97"))
    assert state(resting) == ("filled", "10.0")
    assert_sound()


def test_a_correction_that_comes_first_waits_for_what_it_corrects(resting) -> None:
    corrected = told("execution.corrected", resting, execution_id="x2", replaces="x1", quantity="4", price="96")
    early = hear(resting, corrected)
    assert (early.status, early.note) == (Status.PARKED, "what it corrects has not come yet")
    hear(resting, filled(resting, "x1", "5", "97"))
    assert process_message(message_id=early.pk).status == Status.PROCESSED
    again = hear(resting, corrected)
    assert (again.status, state(resting)[1], resting.notional) == (Status.PROCESSED, "4.0", micros("384"))
    other = hear(
        resting, told("execution.corrected", resting, execution_id="x3", replaces="x1", quantity="1", price="9")
    )
    assert (other.status, other.note) == (Status.PARKED, "it was corrected otherwise before")
    assert_sound()


def test_a_bust_takes_the_fill_back_once(resting) -> None:
    hear(resting, filled(resting, "x1", "5", "97"))
    for _ in range(2):
        assert hear(resting, told("execution.busted", resting, replaces="x1")).status == Status.PROCESSED
    assert (cell_of(resting).shares, cell_of(resting).cash) == (micros("100"), micros("10000"))
    assert story(cell_of(resting)).count("correction") == 1
    assert cell_of(resting).reserved_cash == micros("970.097")  # promised anew
    assert_sound()


def test_a_correction_that_was_looked_up_first_counts_once(resting) -> None:
    fills = (Fill("x1", micros("5"), micros("97"), OURS, NOON), Fill("x2", micros("4"), micros("96"), OURS, NOON))
    record_report(order_id=resting.pk, report=Report("partially_filled", fills))
    corrected = told("execution.corrected", resting, execution_id="x2", replaces="x1", quantity="4", price="96")
    assert hear(resting, corrected).status == Status.PROCESSED
    assert (state(resting)[1], resting.notional) == ("4.0", micros("384"))
    assert_sound()


def test_the_same_execution_with_other_figures_is_left_to_a_person(resting) -> None:
    hear(resting, filled(resting, "x1", "5", "97"))
    assert hear(resting, filled(resting, "x1", "6", "97")).status == Status.PARKED
    assert state(resting)[1] == "5.0"


@pytest.mark.parametrize("wrong", [{"symbol": "MSFT"}, {"side": "SELL"}])
def test_the_wrong_symbol_or_side_books_nothing_and_stops_the_cell_once(resting, wrong: dict[str, Any]) -> None:
    message = hear(resting, filled(resting, "x1", "5", "97", **wrong))
    assert (message.status, state(resting)[1]) == (Status.PARKED, "0.0")
    assert "the broker tells of" in message.note
    assert cell_of(resting).state == "quarantined"
    Position.objects.filter(pk=resting.position_id).update(state="active")
    process_message(message_id=message.pk)
    assert cell_of(resting).state == "active"


def test_an_execution_of_another_order_stops_the_cell(resting) -> None:
    hear(resting, filled(resting, "x1", "10", "97"))
    second = resting_order(cell_of(resting), "k2")
    assert hear(second, filled(second, "x1", "10", "97")).status == Status.PARKED
    assert (state(second)[1], cell_of(second).state) == ("0.0", "quarantined")


@pytest.mark.parametrize(("quantity", "price"), [("11", "97"), ("10", "9.7"), ("10", "970")])
def test_too_much_or_an_absurd_price_is_booked_and_stops_the_cell(resting, quantity: str, price: str) -> None:
    message = hear(resting, filled(resting, "x1", quantity, price))
    assert (message.status, state(resting)[1]) == (Status.PROCESSED, f"{quantity}.0")
    assert cell_of(resting).state == "quarantined"


def test_what_no_column_can_hold_is_kept_and_stops_the_cell(resting) -> None:
    message = hear(resting, filled(resting, "x1", "1000000000000", "1000000"))
    assert (message.status, state(resting)) == (Status.PARKED, ("accepted", "0.0"))
    assert cell_of(resting).state == "quarantined"


def test_an_order_of_another_account_is_as_good_as_unknown(resting) -> None:
    other = make_portfolio(make_user("bob")).account
    assert other.pk != resting.position.portfolio.account_id
    message, _ = receive(
        account_id=other.pk,
        channel=InboxMessage.Channel.WEBHOOK,
        delivery_id="m1",
        body=filled(resting, "x1", "5", "97"),
    )
    message = process_message(message_id=message.pk)
    assert (message.status, message.order, state(resting)[1]) == (Status.PARKED, None, "0.0")


def test_what_is_parked_is_tried_again_and_not_for_ever(resting) -> None:
    message = hear(resting, told("order.greeted", resting))
    assert (message.status, message.note) == (Status.PARKED, "unknown type order.greeted")
    assert messages_waiting() == []
    tried = 0
    while tried < 20:
        InboxMessage.objects.update(processed_at=timezone.now() - timedelta(minutes=6))
        if not messages_waiting():
            break
        process_message(message_id=message.pk)
        tried += 1
    message.refresh_from_db()
    assert (tried, message.attempts) == (9, 10)


def test_what_was_left_lying_is_found(resting) -> None:
    account = resting.position.portfolio.account
    message, _ = receive(account_id=account.pk, channel=InboxMessage.Channel.POLL, delivery_id="m1", body="{}")
    assert messages_waiting() == []
    InboxMessage.objects.update(received_at=timezone.now() - timedelta(seconds=6))
    assert messages_waiting() == [message.pk]


def test_a_parked_message_rings_for_its_order_and_a_booked_one_for_the_parked(resting, monkeypatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr("trading.tasks.ring", lambda bell, **keys: rung.append(bell.name.rpartition(".")[2]) or True)
    early = hear(resting, told("execution.busted", resting, replaces="x1"))
    ring_after(early)
    ring_after(hear(resting, filled(resting, "x1", "5", "97")))
    assert rung == ["execute_order", "process_inbox", "evaluate_position"]


def test_a_message_costs_a_bounded_number_of_statements(resting, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(40):
        hear(resting, filled(resting, "x1", "5", "97"))

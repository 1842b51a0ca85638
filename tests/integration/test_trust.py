"""What may trade when: not before the books were compared, nor while silent, nor on a quarantined cell."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from portfolios.models import Account, Event, Portfolio, Position
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.fake_broker import FAKE, VENUE, Venue
from tests.market import later, make_fallen_cell, story, tick
from trading.models import Reconciliation
from trading.selectors import accounts_in_use
from trading.services import reconciliation
from trading.services.evaluation import evaluate_position
from trading.services.reconciliation import doubt, doubt_everywhere, reconcile_source
from trading.services.submission import begin_submission
from trading.tasks import reconcile_account, reconcile_accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def venue(settings: Any) -> Venue:
    settings.BROKERS = FAKE | {"elsewhere": FAKE["paper"]}
    VENUE.open_again()
    return VENUE


def account_of(position: Position) -> Account:
    return Account.objects.get(portfolios__positions=position)


def reconcile(account: Account, why: str = "beat") -> Reconciliation:
    return reconciliation.reconcile_account(account_id=account.pk, why=why, patience=0)


def test_a_doubt_that_came_while_books_were_compared_stands(venue: Venue) -> None:
    position = make_position()
    account = account_of(position)
    began = timezone.now()
    doubt(account_id=account.pk)
    matched = reconciliation.Verdict(Reconciliation.Outcome.MATCHED, [])
    reconciliation.conclude(account_id=account.pk, why="beat", actor="robot", started_at=began, verdict=matched)
    account.refresh_from_db()
    assert account.doubted_at
    assert account.reconciled_at
    assert account.reconciled_at < account.doubted_at


def elsewhere(position: Position, **traits: Any) -> Account:
    """The cell's account moved to a broker at the far end of a line."""
    account = account_of(position)
    for name, value in ({"adapter": "elsewhere"} | traits).items():
        setattr(account, name, value)
    account.save()
    return account


def minutes_ago(minutes: float) -> Any:
    return timezone.now() - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("traits", "why"),
    [
        ({"reconciled_at": None}, "its books have not been compared yet"),
        ({"state": "frozen"}, "the account is frozen"),
        ({"heartbeat_seconds": 5}, "its fill channel is silent"),
        ({"heartbeat_seconds": 5, "heard_at": "old"}, "its fill channel is silent"),
        ({"reconciled_at": "old"}, "its books were compared too long ago"),
    ],
)
def test_nothing_leaves_an_account_that_is_not_trusted(venue: Venue, traits: dict[str, Any], why: str) -> None:
    position = make_fallen_cell()
    order = evaluate_position(position_id=position.pk).order
    assert order
    elsewhere(position, **{name: minutes_ago(6) if value == "old" else value for name, value in traits.items()})
    assert begin_submission(order_id=order.pk) is None
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert venue.submissions == []
    make_quote("IBM", "96.9", at=later())
    evaluate_position(position_id=position.pk)
    event = Event.objects.of(position).latest("seq").content
    assert (event["outputs"]["reason"], event["outputs"]["gates"]["unreconciled"]) == ("unreconciled", why)


def test_after_a_start_nothing_trades_elsewhere_until_the_books_were_compared(venue: Venue) -> None:
    position = make_fallen_cell()
    account = elsewhere(position)
    assert doubt_everywhere() == 1
    evaluate_position(position_id=position.pk)
    assert story(position)[-1] == "skipped"
    assert reconcile(account, "start").outcome == "matched"
    make_quote("IBM", "96.9", at=later())
    order = tick(position)
    assert order
    assert order.status == "filled"


def test_a_poll_that_was_answered_is_a_sign_of_life(venue: Venue) -> None:
    position = make_fallen_cell()
    account = elsewhere(position, heartbeat_seconds=5)
    reconcile(account)
    order = tick(position)
    assert order
    assert order.status == "filled"


def test_nothing_leaves_a_quarantined_cell(venue: Venue) -> None:
    position = make_fallen_cell()
    order = evaluate_position(position_id=position.pk).order
    assert order
    Position.objects.filter(pk=position.pk).update(state="quarantined")
    assert begin_submission(order_id=order.pk) is None
    order.refresh_from_db()
    assert (order.status, venue.submissions) == ("cancelled", [])


def test_orders_of_a_quarantined_cell_are_still_asked_about(venue: Venue) -> None:
    venue.lost_requests = 1
    position = make_fallen_cell()
    order = tick(position)
    Position.objects.filter(pk=position.pk).update(state="quarantined")
    assert order
    assert reconcile(account_of(position)).outcome == "matched"
    order.refresh_from_db()
    assert (order.status, venue.submissions) == ("cancelled", [order.client_order_id])


def test_a_start_doubts_brokers_elsewhere_and_rings_for_every_account_in_use(venue: Venue) -> None:
    near, far = make_position(), elsewhere(make_position(make_portfolio(make_user("bob"))))
    closed = make_portfolio(make_user("eve"))
    Portfolio.objects.filter(pk=closed.pk).update(state="closed")
    reconcile_accounts(why="start")
    far.refresh_from_db()
    assert far.doubted_at
    assert account_of(near).doubted_at is None
    assert accounts_in_use() == [account_of(near).pk, far.pk]


def test_the_bell_compares_one_account() -> None:
    account = account_of(make_position())
    reconcile_account(account_id=account.pk, why="person", actor="user:ann")
    event = Event.objects.filter(stream_id=account.public_id).latest("pk")
    assert (event.type, event.actor) == ("reconciled", "user:ann")


def test_a_bell_rung_before_the_last_comparison_finds_its_work_done() -> None:
    account = account_of(make_position())
    rung = timezone.now()
    reconcile_account(account_id=account.pk, why="start", since=rung.isoformat())
    reconcile_account(account_id=account.pk, why="start", since=rung.isoformat())
    reconcile_source(source="replay")
    assert [row.why for row in account.reconciliations.all()] == ["start", "start"]  # the feed began after both
    reconcile_account(account_id=account.pk, why="start", since=rung.isoformat())
    assert account.reconciliations.count() == 2


def test_the_feed_compares_its_paper_accounts_before_its_first_step() -> None:
    position = make_fallen_cell()
    Account.objects.update(reconciled_at=None)  # as after an upgrade
    evaluate_position(position_id=position.pk)
    assert story(position)[-1] == "skipped"
    call_command("feed", "--fast-forward-to", "2007-01-04")
    account = account_of(position)
    assert account.reconciled_at
    assert account.reconciliations.get().why == "start"
    make_quote("IBM", "96.9", at=later())
    assert tick(position)


def test_a_start_does_not_doubt_what_cannot_move_without_us() -> None:
    account = account_of(make_position())
    assert doubt_everywhere() == 0
    reconcile_source(source="replay")
    account.refresh_from_db()
    assert (account.doubted_at, account.reconciliations.count()) == (None, 1)

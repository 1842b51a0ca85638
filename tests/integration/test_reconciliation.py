"""Our books beside a broker's: equal, put right with evidence, or frozen for a person; silence proves nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portfolios.domain.amounts import micros
from portfolios.models import Account, Event, Position
from tests.at_once import at_once
from tests.factories import make_portfolio, make_position, make_quote, make_user
from tests.fake_broker import FAKE, VENUE, Venue
from tests.market import assert_sound, later, make_fallen_cell, story, tick
from trading.brokers import broker_for
from trading.brokers.base import Fill, Holdings, Report, Traded
from trading.brokers.models import PaperExecution
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.models import Execution, Order, Reconciliation
from trading.services import reconciliation
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order, record_report
from trading.services.reconciliation import prune_reconciliations
from trading.services.submission import begin_submission
from trading.services.sums import whole

pytestmark = pytest.mark.django_db


@pytest.fixture
def venue(settings: Any) -> Venue:
    settings.BROKERS = FAKE | {"elsewhere": FAKE["paper"]}
    VENUE.open_again()
    return VENUE


@pytest.fixture
def resting(venue: Venue) -> Order:
    """A buy of 10.4687 shares that rests at the broker."""
    venue.open_again("rests")
    order = tick(make_fallen_cell())
    assert order
    return order


def account_of(order: Order | Position) -> Account:
    position = order.position if isinstance(order, Order) else order
    return Account.objects.get(portfolios__positions=position)


def reconcile(account: Account, why: str = "beat") -> Reconciliation:
    found = reconciliation.reconcile_account(account_id=account.pk, why=why, patience=0)
    account.refresh_from_db()
    return found


def kinds(account: Account) -> list[str]:
    """What happened to it since it was opened."""
    log = Event.objects.filter(stream_id=account.public_id).exclude(type="account_created")
    return list(log.order_by("seq").values_list("type", flat=True))


def verdicts(row: Reconciliation) -> list[tuple[str, str]]:
    return [(line["kind"], line["verdict"]) for line in row.found if line["verdict"] != "equal"]


def test_a_paper_account_that_traded_is_found_equal() -> None:
    position = make_fallen_cell()
    tick(position)
    account = account_of(position)
    before = account.reconciled_at
    row = reconcile(account)
    assert (row.outcome, row.found) == ("matched", [])
    assert account.reconciled_at
    assert before
    assert account.reconciled_at > before
    assert account.fills_seen == str(PaperExecution.objects.get().pk)


def test_a_missed_fill_is_booked_once_with_evidence(resting: Order, venue: Venue) -> None:
    venue.fill(resting.client_order_id, micros("4"), micros("97"))
    account = account_of(resting)
    assert reconcile(account).outcome == "repaired"
    assert reconcile(account).outcome == "matched"
    resting.refresh_from_db()
    assert (resting.status, resting.filled_quantity) == ("partially_filled", micros("4"))
    assert Execution.objects.count() == 1
    assert story(resting.position)[-2:] == ["order_partially_filled", "repaired"]
    assert kinds(account) == ["repaired", "reconciled"]
    assert_sound()


def test_a_fill_of_nothing_books_nothing_and_freezes_nothing(resting: Order, venue: Venue) -> None:
    fill = Fill("nothing-1", 0, micros("97"), OURS, later())
    venue.traded.append(Traded(resting.client_order_id, "IBM", Side.BUY, fill))
    account = account_of(resting)
    assert reconcile(account).outcome == "matched"
    assert Execution.objects.count() == 0
    assert_sound()


def test_fills_without_an_id_are_booked_once_too(resting: Order, venue: Venue) -> None:
    fill = Fill("", micros("2"), micros("97"), OURS, later())
    for _ in range(3):
        venue.traded.append(Traded(resting.client_order_id, "IBM", Side.BUY, fill))
    account = account_of(resting)
    assert reconcile(account).outcome == "repaired"
    Account.objects.update(fills_seen="")
    account.refresh_from_db()
    assert reconcile(account).outcome == "matched"
    assert Execution.objects.count() == 3
    assert_sound()


def test_an_order_that_ended_while_nobody_listened_ends_here_too(resting: Order, venue: Venue) -> None:
    venue.end(resting.client_order_id, "expired")
    account = account_of(resting)
    assert reconcile(account).outcome == "repaired"
    resting.refresh_from_db()
    assert (resting.status, resting.reserved_cash) == ("expired", 0)
    assert_sound()


def test_an_order_that_never_arrived_is_left_to_whoever_sends_it_again(venue: Venue) -> None:
    venue.lost_requests = 1
    order = tick(make_fallen_cell())
    assert order
    assert order.status == "unknown"
    assert reconcile(account_of(order)).outcome == "matched"
    order.refresh_from_db()
    assert order.status == "unknown"
    execute_order(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "filled"
    assert_sound()


def test_an_order_they_took_and_then_deny_freezes_the_account(resting: Order, venue: Venue) -> None:
    venue.book.clear()
    account = account_of(resting)
    row = reconcile(account)
    assert (row.outcome, account.state) == ("frozen", "frozen")
    assert verdicts(row) == [("order", "differs")]
    assert kinds(account) == ["frozen"]
    reconcile(account)
    assert (kinds(account), Reconciliation.objects.get().times) == (["frozen"], 2)


def test_an_order_under_our_name_that_we_do_not_know_freezes_the_account(resting: Order, venue: Venue) -> None:
    standing = venue.book[resting.client_order_id]
    venue.book["vb-nobody"] = standing
    row = reconcile(account_of(resting))
    assert verdicts(row) == [("order", "differs")]
    assert row.found[0]["subject"] == "vb-nobody"


def test_an_order_that_ended_here_and_rests_there_freezes_the_account(resting: Order, venue: Venue) -> None:
    Order.objects.filter(pk=resting.pk).update(status="cancelled")
    assert verdicts(reconcile(account_of(resting))) == [("order", "differs")]


def test_orders_of_others_are_noted_and_never_touched(resting: Order, venue: Venue) -> None:
    venue.book["by-hand"] = venue.book[resting.client_order_id]
    row = reconcile(account_of(resting))
    assert (row.outcome, verdicts(row)) == ("matched", [("order", "noted")])
    assert venue.book["by-hand"].status == "accepted"


def test_a_fill_of_another_symbol_is_not_booked(resting: Order, venue: Venue) -> None:
    fill = Fill("strange", micros("2"), micros("97"), OURS, later())
    venue.traded.append(Traded(resting.client_order_id, "ZIM", Side.BUY, fill))
    account = account_of(resting)
    assert verdicts(reconcile(account)) == [("fill", "differs")]
    assert (Execution.objects.count(), account.fills_seen) == (0, "")


@pytest.mark.parametrize(
    ("shares", "cash", "outcome"),
    [
        ({"IBM": "100"}, "10000", "matched"),
        ({"IBM": "100"}, "999999", "matched"),
        ({"IBM": "100"}, None, "matched"),
        ({"IBM": "100", "ZIM": "0"}, "10000", "matched"),
        ({"IBM": "99.999999"}, "10000", "frozen"),
        ({"IBM": "100.000001"}, "10000", "frozen"),
        ({}, "10000", "frozen"),
        ({"IBM": "100", "ZIM": "1"}, "10000", "frozen"),
        ({"IBM": "100"}, "9999.999999", "frozen"),
    ],
)
def test_shares_are_equal_and_cash_is_enough(
    venue: Venue, shares: dict[str, str], cash: str | None, outcome: str
) -> None:
    held = {symbol: micros(amount) for symbol, amount in shares.items()}
    venue.held = Holdings(held, micros(cash) if cash else None, since_opening=False)
    assert reconcile(account_of(make_position())).outcome == outcome


def test_silence_proves_nothing(resting: Order, venue: Venue) -> None:
    venue.silent = True
    account = account_of(resting)
    before = (account.state, account.reconciled_at, account.heard_at, account.fills_seen)
    for _ in range(3):
        assert reconcile(account).outcome == "unanswered"
    assert (account.state, account.reconciled_at, account.heard_at, account.fills_seen) == before
    assert Reconciliation.objects.get().times == 3
    venue.silent = False
    assert reconcile(account).why == "reconnect"
    assert kinds(account) == ["reconciled", "reconciled"]


def test_equal_books_every_minute_do_not_flood_the_log() -> None:
    account = account_of(make_position())
    for _ in range(5):
        reconcile(account)
    assert (kinds(account), Reconciliation.objects.get().times) == (["reconciled"], 5)
    reconcile(account, "person")
    assert len(kinds(account)) == 2


def test_old_equal_books_are_forgotten_and_nothing_else() -> None:
    account = account_of(make_position())
    old = timezone.now() - timedelta(days=31)
    for outcome in Reconciliation.Outcome.values:
        account.reconciliations.create(why="beat", outcome=outcome, started_at=old, finished_at=old)
    account.reconciliations.create(why="beat", outcome="matched", started_at=old, finished_at=timezone.now())
    assert prune_reconciliations() == 1


def test_two_tenants_are_compared_apart(venue: Venue) -> None:
    venue.open_again("rests")
    mine = make_fallen_cell()
    theirs = make_position(make_portfolio(make_user("bob")), anchor="100")
    order, other = tick(mine), tick(theirs)
    assert order
    assert other
    venue.fill(other.client_order_id, micros("1"), micros("97"))
    row = reconcile(account_of(mine))
    assert verdicts(row) == [("fill", "differs"), ("order", "differs")]  # one venue, two accounts: nothing is mixed up
    other.refresh_from_db()
    assert other.filled_quantity == 0


def test_a_comparison_costs_the_same_however_many_orders_rest(venue: Venue) -> None:
    venue.open_again("rests")
    portfolio = make_portfolio()

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert reconcile(Account.objects.get()).outcome == "matched"
        return len(captured)

    make_quote("IBM", "97")
    tick(make_position(portfolio, anchor="100"))
    reconcile(Account.objects.get())
    one = cost()
    for _ in range(5):
        tick(make_position(portfolio, anchor="100"))
    assert cost() == one


@pytest.mark.django_db(transaction=True)
def test_two_comparisons_at_once_book_a_missed_fill_once(resting: Order, venue: Venue) -> None:
    for _ in range(5):
        venue.fill(resting.client_order_id, micros("1"), micros("97"))
    account = account_of(resting)
    outcomes = at_once(*[lambda: reconciliation.reconcile_account(account_id=account.pk, why="beat", patience=0)] * 4)
    assert {row.outcome for row in outcomes} <= {"matched", "repaired"}
    assert Execution.objects.count() == 5
    assert story(resting.position).count("repaired") == 5
    assert reconcile(account).outcome == "matched"
    assert_sound()


@pytest.mark.django_db(transaction=True)
def test_books_compared_while_fills_arrive_are_never_frozen(venue: Venue) -> None:
    portfolio = make_portfolio()
    make_quote("IBM", "97")
    cells = [make_position(portfolio, anchor="100") for _ in range(20)]
    orders = [evaluate_position(position_id=cell.pk).order for cell in cells]
    venue.held = None
    account = Account.objects.get()

    def trade(mine: list[Order | None]) -> None:
        for order in mine:
            assert order
            execute_order(order_id=order.pk)

    def compare() -> list[str]:
        return [reconciliation.reconcile_account(account_id=account.pk, why="beat").outcome for _ in range(3)]

    found = at_once(*[lambda part=part: trade(orders[part::4]) for part in range(4)], compare)[-1]
    assert "frozen" not in found
    assert reconcile(account).outcome == "matched"
    assert set(Order.objects.values_list("status", flat=True)) == {"filled"}
    assert_sound()


@pytest.mark.django_db(transaction=True)
def test_paper_books_compared_while_fills_arrive_are_never_frozen() -> None:
    portfolio = make_portfolio()
    make_quote("IBM", "97")
    cells = [make_position(portfolio, anchor="100") for _ in range(20)]
    orders = [evaluate_position(position_id=cell.pk).order for cell in cells]
    account = Account.objects.get()

    def trade(mine: list[Order | None]) -> None:
        for order in mine:
            assert order
            execute_order(order_id=order.pk)

    def compare() -> list[str]:
        return [reconciliation.reconcile_account(account_id=account.pk, why="beat").outcome for _ in range(3)]

    found = at_once(*[lambda part=part: trade(orders[part::4]) for part in range(4)], compare, compare)
    assert "frozen" not in [*found[-1], *found[-2]]
    assert reconcile(account).outcome == "matched"
    assert set(Order.objects.values_list("status", flat=True)) == {"filled"}
    assert_sound()


def test_a_paper_fill_whose_answer_never_came_is_booked() -> None:
    order = evaluate_position(position_id=make_fallen_cell().pk).order
    assert order
    request = begin_submission(order_id=order.pk)
    assert request
    broker_for(request.adapter, request.account).submit(request)  # and then the worker is killed
    assert reconcile(account_of(order), "start").outcome == "repaired"
    order.refresh_from_db()
    assert order.status == "filled"
    assert_sound()


def test_a_fill_that_the_cursor_skipped_is_found_before_books_are_said_to_differ(resting: Order, venue: Venue) -> None:
    venue.fill(resting.client_order_id, micros("2"), micros("97"))
    venue.held = Holdings({"IBM": micros("102")}, None, since_opening=False)
    Account.objects.update(fills_seen="1")  # as if it had been written later than a newer one
    assert reconcile(account_of(resting)).outcome == "repaired"
    assert Execution.objects.get().quantity == micros("2")
    assert_sound()


def told_by_totals(order: Order, venue: Venue) -> None:
    """Its first four shares are booked from what the broker calls filled so far, under no name of the broker's."""
    venue.fill(order.client_order_id, micros("4"), micros("97"))
    record_report(
        order_id=order.pk, report=Report("partially_filled", (whole(order, micros("4"), micros("97"), later()),))
    )


def test_a_fill_missed_by_an_order_told_by_totals_is_booked_and_freezes_nothing(resting: Order, venue: Venue) -> None:
    told_by_totals(resting, venue)
    venue.fill(resting.client_order_id, micros("3"), micros("96"))
    account = account_of(resting)
    assert reconcile(account).outcome == "repaired"
    assert reconcile(account).outcome == "matched"
    resting.refresh_from_db()
    assert resting.filled_quantity == micros("7")
    assert account.state == Account.Status.ACTIVE
    assert_sound()


@pytest.mark.parametrize(
    "fills",
    [
        pytest.param([("a", 4, ""), ("a", 4, ""), ("b", 2, "")], id="told twice"),
        pytest.param([("a", 9, ""), ("fixed", 4, "a"), ("b", 2, "")], id="corrected"),
        pytest.param([("a", 4, ""), ("b", 2, ""), ("c", 5, ""), ("bust", 0, "c")], id="taken back"),
    ],
)
def test_a_total_counts_each_share_once(resting: Order, venue: Venue, fills: list[tuple[str, int, str]]) -> None:
    told_by_totals(resting, venue)
    told = [Fill(name, micros(size), micros("97") if size else 0, OURS, later(), gone) for name, size, gone in fills]
    record_report(order_id=resting.pk, report=Report("partially_filled", tuple(told)))
    resting.refresh_from_db()
    assert resting.filled_quantity == micros("6")
    assert_sound()

"""What moves money at the broker besides orders: fees are booked with sales, dividends compared, all else is named."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dividends.models import Entitlement
from dividends.services.announcements import announce_dividend
from portfolios.domain.amounts import MICROS, micros
from portfolios.errors import Refused
from portfolios.models import Account, Event, Position
from tests.at_once import at_once
from tests.factories import FIRST_DAY, NOON, make_quote, make_user
from tests.fake_alpaca import fake_alpaca, hold, make_account, make_cell
from tests.integration.test_alpaca_faults import carry_to_its_end
from tests.integration.test_alpaca_vendor_actions import Days
from tests.market import assert_sound, story, tick
from trading.brokers.fake_alpaca.activities import book_activity
from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.server import FakeAlpaca
from trading.models import AccountEntry, Execution, Order
from trading.services.books import adopt_difference, unfreeze
from trading.services.broker_fees import shared
from trading.services.corporate_actions import apply_due
from trading.services.reconciliation import reconcile_account

pytestmark = pytest.mark.django_db
SOLD_AT = "103.5"


@pytest.fixture
def days() -> Days:
    return Days(NOON)


@pytest.fixture
def fake(days: Days) -> Iterator[FakeAlpaca]:
    with fake_alpaca(book=Book(now=days)) as running:
        hold(running, "IBM", "100", "10000", SOLD_AT)
        yield running


@pytest.fixture
def cell(fake: FakeAlpaca) -> Position:
    owner = make_user()
    position = make_cell(owner, make_account(owner, fake), fractional=True)
    make_quote("IBM", SOLD_AT)
    assert reconcile(position).outcome == "matched"
    return position


def account_of(cell: Position) -> Account:
    return Account.objects.get(portfolios__positions=cell)


def reconcile(cell: Position) -> Any:
    return reconcile_account(account_id=account_of(cell).pk, why="beat", patience=0)


def fees(fake: FakeAlpaca, **rates: str) -> None:
    def deed() -> None:
        for name, rate in rates.items():
            setattr(fake.book.fees, name, Decimal(rate))

    fake.do(deed)


def happens(fake: FakeAlpaca, kind: str, amount: str, day: date = FIRST_DAY, **more: Any) -> None:
    fake.do(lambda: book_activity(fake.book, kind, amount=Decimal(amount), day=day, **more))


def sold(cell: Position) -> Order:
    tick(cell)
    order = carry_to_its_end(cell)
    assert (order.side, order.status) == ("SELL", "filled")
    cell.refresh_from_db()
    return order


def lines(row: Any, kind: str = "entry") -> list[tuple[str, str, str]]:
    return [(line["subject"], line["theirs"], line["verdict"]) for line in row.found if line["kind"] == kind]


def test_fees_of_a_sale_replace_ours_and_cash_is_what_the_broker_has(
    fake: FakeAlpaca, cell: Position, days: Days
) -> None:
    fees(fake, reg="0.0000278", taf="0.000166")
    order = sold(cell)
    assert (order.fee > 0, cell.cash < int(fake.book.cash * MICROS)) == (True, True)
    anchor = cell.anchor
    days.go(fake, FIRST_DAY + timedelta(days=1))
    found = reconcile(cell)
    assert found.outcome == "repaired"
    assert sorted(lines(found)) == [
        ("FEE REG 2007-01-03", "-0.03", "repaired"),
        ("FEE TAF 2007-01-03", "-0.01", "repaired"),
    ]
    order.refresh_from_db()
    cell.refresh_from_db()
    assert (order.fee, cell.anchor) == (micros("0.04"), anchor)
    assert abs(cell.cash - int(fake.book.cash * MICROS)) <= 1  # what a sale brings is rounded down to the millionth
    assert "The broker named its fee: 0.04" in Event.objects.of(cell).filter(type="correction").last().text
    assert set(AccountEntry.objects.values_list("state", flat=True)) == {"booked"}
    assert reconcile(cell).outcome == "matched"
    assert story(cell).count("correction") == 2
    assert_sound()


def test_a_fee_of_a_day_is_divided_among_its_sales_to_the_micro(fake: FakeAlpaca, cell: Position, days: Days) -> None:
    fake.book.habit = ("fill 1", "fill 2 at 103.6", "fill")
    fees(fake, reg="0.0001")
    order = sold(cell)
    days.go(fake, FIRST_DAY + timedelta(days=1))
    reconcile(cell)
    order.refresh_from_db()
    charged = -AccountEntry.objects.get().amount
    standing = Execution.objects.filter(order=order, reverses=None, reversal=None)
    assert sum(standing.values_list("reported_fee", flat=True)) == order.fee == charged
    assert [row.quantity for row in standing.order_by("order_id", "pk")][:2] == [MICROS, 2 * MICROS]
    assert reconcile(cell).outcome == "matched"
    assert_sound()


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [(10, [1, 1, 1], [4, 3, 3]), (1, [5, 9], [0, 1]), (0, [1, 2], [0, 0]), (7, [0, 0], [1, 1]), (5, [3], [5])],
)
def test_shares_of_a_fee_add_up(amount: int, weights: list[int], parts: list[int]) -> None:
    found = shared(amount, weights)
    assert found == parts
    assert sum(found) == amount or not sum(weights)


@pytest.mark.parametrize(
    ("kind", "amount", "words", "note"),
    [
        ("FEE", "-0.02", "TAF fee for proceed of 999 shares (2 trades) on 2007-01-03", "Of 999 shares sold"),
        ("FEE", "-0.02", "REG fee for proceed of $15.37 on 2007-01-03", "Of sales of 15.37"),
        ("FEE", "0.02", "a rebate", "Money back"),
        ("INT", "-3", "Margin interest", ""),
        ("CSD", "500", "", ""),
        ("JNLC", "-1", "", ""),
    ],
)
def test_what_belongs_to_no_sale_is_named_and_booked_nowhere(
    fake: FakeAlpaca, cell: Position, kind: str, amount: str, words: str, note: str
) -> None:
    sold(cell)
    happens(fake, "CSD", "5")  # so that the broker holds enough
    reconcile(cell)
    before = cell.event_seq
    happens(fake, kind, amount, description=words)
    found = reconcile(cell)
    assert found.outcome == "matched"
    assert [one for one in lines(found) if one[0].startswith(kind)] == [(f"{kind} 2007-01-03", amount, "noted")]
    row = AccountEntry.objects.order_by("pk").last()
    assert row.note.startswith(note)
    cell.refresh_from_db()
    assert cell.event_seq == before
    assert lines(reconcile(cell)) == []  # named once; the page keeps it


def test_a_fee_without_any_sale_is_named(fake: FakeAlpaca, cell: Position) -> None:
    happens(fake, "CSD", "5")
    happens(fake, "FEE", "-0.5", description="ADR fee")
    assert reconcile(cell).outcome == "matched"
    assert AccountEntry.objects.get(kind="fee").note == "No sale of ours on that day"


def test_a_withdrawal_that_leaves_too_little_freezes_and_is_named_beside_the_cash(
    fake: FakeAlpaca, cell: Position
) -> None:
    happens(fake, "CSW", "-250.5", description="Wire to the bank")
    found = reconcile(cell)
    assert found.outcome == "frozen"
    assert lines(found) == [("CSW 2007-01-03", "-250.5", "noted")]
    assert [line["difference"] for line in found.found if line["kind"] == "cash"] == ["-250.5"]
    assert [line["note"] for line in found.found if line["kind"] == "entry"] == ["Wire to the bank"]
    assert lines(reconcile(cell)) == lines(found)  # for as long as the books differ
    traits = {"account_id": account_of(cell).pk, "reason": "taken out", "actor": "user:test"}
    adopt_difference(position_id=cell.pk, subject="cash", **traits)
    unfreeze(**traits)
    assert reconcile(cell).outcome == "matched"


def test_a_deposit_is_named_and_stops_nothing(fake: FakeAlpaca, cell: Position) -> None:
    happens(fake, "CSD", "500", description="Wire <b>in</b>\x07")
    found = reconcile(cell)
    assert (found.outcome, lines(found)) == ("matched", [("CSD 2007-01-03", "500", "noted")])
    assert account_of(cell).state == "active"
    assert AccountEntry.objects.get().words == "Wire <b>in</b>"


def test_one_that_is_told_late_under_an_earlier_day_is_found(fake: FakeAlpaca, cell: Position) -> None:
    happens(fake, "CSD", "1", day=FIRST_DAY + timedelta(days=8))
    reconcile(cell)
    happens(fake, "CSD", "2", day=FIRST_DAY)
    happens(fake, "CSD", "3", day=FIRST_DAY - timedelta(days=1))  # before our cell was there
    reconcile(cell)
    assert sorted(AccountEntry.objects.values_list("amount", flat=True)) == [1 * MICROS, 2 * MICROS]


def test_more_than_a_page_is_read(fake: FakeAlpaca, cell: Position) -> None:
    for _ in range(230):
        happens(fake, "CSD", "1")
    reconcile(cell)
    assert AccountEntry.objects.count() == 230


def paid(cell: Position, fake: FakeAlpaca, dps: str, pays: str, tax: str = "", day: int = 10) -> None:
    """Booked by us with a quarter withheld; what the broker paid, if anything."""
    announce_dividend(
        source="replay", symbol="IBM", ex_date=date(2007, 2, 7), dps=micros(dps), pay_date=date(2007, 3, 10)
    )
    at = datetime(2007, 3, 12, 15, tzinfo=UTC)
    make_quote("IBM", SOLD_AT, at=at)
    apply_due(source="replay", day=at.date(), market_at=at)
    assert Entitlement.objects.get().status == "paid"
    if pays:
        happens(fake, "DIV", pays, day=date(2007, 3, day), symbol="IBM")
    if tax:
        happens(fake, "DIVNRA", tax, day=date(2007, 3, day + 1), symbol="IBM")


@pytest.mark.parametrize(
    ("dps", "pays", "tax", "day"),
    [
        ("0.3", "30", "-7.5", 10),
        ("0.3", "22.5", "", 12),
        ("0.333333", "33.33", "-8.34", 14),
        ("0.0001", "0.01", "", 10),
    ],
)
def test_a_dividend_that_is_equal_to_the_cent_is_matched(
    fake: FakeAlpaca, cell: Position, dps: str, pays: str, tax: str, day: int
) -> None:
    paid(cell, fake, dps, pays, tax, day)
    found = reconcile(cell)
    assert (found.outcome, lines(found)) == ("matched", [])
    assert set(AccountEntry.objects.values_list("state", flat=True)) == {"matched"}
    assert_sound()


def test_a_dividend_of_which_more_is_withheld_there_is_shown_and_can_be_adopted(
    fake: FakeAlpaca, cell: Position
) -> None:
    paid(cell, fake, "0.3", "30", "-9")
    found = reconcile(cell)
    assert found.outcome == "frozen"
    (line,) = [line for line in found.found if line["verdict"] == "differs"]
    assert (line["kind"], line["subject"], line["note"]) == (
        "entry",
        "IBM dividend 2007-03-10",
        "9 was withheld there",
    )
    assert (line["ours"], line["theirs"], line["difference"]) == ("22.5", "21", "-1.5")
    assert [one["verdict"] for one in found.found if one["kind"] == "cash"] == ["equal"]
    traits = {"account_id": account_of(cell).pk, "reason": "as withheld", "actor": "user:test"}
    with pytest.raises(Refused, match="must be a cell"):
        adopt_difference(position_id=0, subject="IBM dividend 2007-03-10", **traits)
    adopt_difference(position_id=cell.pk, subject="IBM dividend 2007-03-10", **traits)
    unfreeze(**traits)
    assert reconcile(cell).outcome == "matched"
    cell.refresh_from_db()
    assert cell.cash == micros("10021")
    assert_sound()


def test_a_dividend_that_is_released_as_it_is_freezes_nothing_again(fake: FakeAlpaca, cell: Position) -> None:
    paid(cell, fake, "0.3", "30", "-9")
    assert reconcile(cell).outcome == "frozen"
    unfreeze(account_id=account_of(cell).pk, reason="I know", actor="user:test")
    assert reconcile(cell).outcome == "matched"


def test_a_dividend_of_which_less_is_withheld_there_stops_nothing(fake: FakeAlpaca, cell: Position) -> None:
    paid(cell, fake, "0.3", "30", "-4.5")
    found = reconcile(cell)
    assert (found.outcome, lines(found)) == ("matched", [("IBM dividend 2007-03-10", "25.5", "noted")])


def test_a_dividend_is_awaited_for_a_week(fake: FakeAlpaca, cell: Position) -> None:
    paid(cell, fake, "0.3", "")
    found = reconcile(cell)
    assert (found.outcome, lines(found)) == ("matched", [("IBM dividend 2007-03-10", "0", "noted")])
    make_quote("IBM", SOLD_AT, at=datetime(2007, 3, 19, 15, tzinfo=UTC))
    found = reconcile(cell)
    assert (found.outcome, lines(found)) == ("frozen", [("IBM dividend 2007-03-10", "0", "differs")])
    happens(fake, "DIV", "22.5", day=date(2007, 3, 16), symbol="IBM")
    assert reconcile(cell).outcome == "matched"
    assert account_of(cell).state == "frozen"  # a person releases it


def test_a_dividend_that_we_do_not_know_of_is_named(fake: FakeAlpaca, cell: Position) -> None:
    happens(fake, "DIV", "12.34", symbol="IBM")
    found = reconcile(cell)
    assert (found.outcome, lines(found)) == ("matched", [("DIV IBM 2007-01-03", "12.34", "noted")])
    assert (AccountEntry.objects.get().state, AccountEntry.objects.get().note) == ("open", "Not booked here")


def test_a_dividend_that_is_paid_there_first_is_matched_once_we_book_it(fake: FakeAlpaca, cell: Position) -> None:
    happens(fake, "DIV", "22.5", day=date(2007, 3, 9), symbol="IBM")
    found = reconcile(cell)
    assert (found.outcome, lines(found)) == ("matched", [("DIV IBM 2007-03-09", "22.5", "noted")])
    paid(cell, fake, "0.3", "")
    assert reconcile(cell).found == []
    assert AccountEntry.objects.get().state == "matched"


def test_the_page_names_it_all_page_by_page_and_costs_the_same(fake: FakeAlpaca, cell: Position) -> None:
    client, address = Client(), f"/accounts/{account_of(cell).public_id}/books"
    client.force_login(cell.portfolio.owner)

    def shown(query: str = "") -> tuple[int, str]:
        with CaptureQueriesContext(connection) as captured:
            page = client.get(address + query)
        assert page.status_code == 200
        return len(captured), page.content.decode()

    assert "Money besides orders" not in shown()[1]
    happens(fake, "CSD", "500", description="Wire <b>in</b>")
    for shares in (-3, 3):
        happens(fake, "SPLIT", "0", symbol="IBM", shares=Decimal(shares))
    reconcile(cell)
    cost, text = shown()
    assert "Wire &lt;b&gt;in&lt;/b&gt;" in text
    for _ in range(12):
        happens(fake, "CSD", "1")
    reconcile(cell)
    again, text = shown()
    assert again == cost
    older = re.search(r'href="(\?money=[^"]+)"', text)
    assert older
    assert "Wire" not in text
    assert "Wire" in shown(html.unescape(older[1]))[1]
    assert "Wire" not in shown("?money=nonsense")[1]


def test_a_dividend_that_differs_is_adopted_on_the_page(fake: FakeAlpaca, cell: Position) -> None:
    paid(cell, fake, "0.3", "30", "-9")
    reconcile(cell)
    account, client = account_of(cell), Client()
    client.force_login(cell.portfolio.owner)
    page = client.get(f"/accounts/{account.public_id}/books").content.decode()
    assert "9 was withheld there" in page
    body = {"subject": "IBM dividend 2007-03-10", "cell": str(cell.public_id), "reason": "as withheld"}
    assert client.post(f"/accounts/{account.public_id}/books/adopt", body).status_code == 302
    cell.refresh_from_db()
    assert cell.cash == micros("10021")
    assert client.post(f"/accounts/{account.public_id}/books/adopt", body).status_code == 422
    assert set(AccountEntry.objects.values_list("state", flat=True)) == {"settled"}


@pytest.mark.parametrize("fault", ["500", "garbage", "empty", "timeout after"])
def test_a_list_that_cannot_be_read_proves_nothing(fake: FakeAlpaca, cell: Position, fault: str) -> None:
    happens(fake, "CSW", "-1")
    fake.do(lambda: fake.faults.add("GET /v2/account/activities", fault, times=9, skip=1))
    assert reconcile(cell).outcome == "unanswered"
    assert not AccountEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_compared_by_several_at_once_a_fee_is_booked_once(fake: FakeAlpaca, cell: Position, days: Days) -> None:
    fees(fake, reg="0.001")
    order = sold(cell)
    days.go(fake, FIRST_DAY + timedelta(days=1))
    errors = [one for one in at_once(*[partial(reconcile, cell)] * 4) if isinstance(one, BaseException)]
    assert errors == []
    order.refresh_from_db()
    assert order.fee == -AccountEntry.objects.get().amount
    assert Execution.objects.filter(reverses__isnull=False).count() == 1
    assert reconcile(cell).outcome == "matched"
    assert_sound()

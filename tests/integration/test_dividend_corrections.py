"""What was announced turns out otherwise: money follows once, the anchor stays, the books stay sound."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from dividends.models import Dividend, Entitlement, Split
from dividends.services.announcements import announce_dividend, announce_split
from dividends.services.corrections import cancel_dividend, cancel_split, correct_dividend, correct_split
from portfolios.domain.amounts import micros
from portfolios.errors import Refused
from portfolios.models import Event, Position
from tests.at_once import at_once
from tests.factories import make_position, make_quote
from tests.fake_broker import FAKE, VENUE
from tests.market import assert_sound, story, tick
from trading.services.corporate_actions import apply_due, pay_due
from trading.services.execution import execute_order

pytestmark = pytest.mark.django_db
EX_DAY, PAY_DAY = date(2007, 1, 4), date(2007, 2, 3)
EX_OPEN = datetime(2007, 1, 4, 14, 30, tzinfo=UTC)
KEY: dict[str, Any] = {"source": "replay", "symbol": "IBM", "ex_date": EX_DAY}
BY: dict[str, Any] = {"market_at": EX_OPEN, "actor": "user:ann"}


def gone_ex(dps: str = "0.82", **traits: Any) -> Position:
    position = make_position(**({"anchor": "150"} | traits))
    announce_dividend(**KEY, dps=micros(dps))
    apply_due(source="replay", day=EX_DAY, market_at=EX_OPEN)
    position.refresh_from_db()
    return position


def correct(dps: str, pay_date: date | None = None) -> Dividend:
    return correct_dividend(**KEY, **BY, dps=micros(dps), pay_date=pay_date)


def test_before_the_ex_date_only_the_announcement_changes() -> None:
    position = make_position(anchor="150")
    announce_dividend(**KEY, dps=micros("0.82"))
    assert correct("0.9", date(2007, 1, 20)).pay_date_assumed is False
    assert story(position) == []
    apply_due(source="replay", day=EX_DAY, market_at=EX_OPEN)
    assert Entitlement.objects.get().gross == micros("90")


def test_a_receivable_follows_and_the_anchor_stays() -> None:
    position = gone_ex()
    for _ in range(2):
        correct("1")
    position.refresh_from_db()
    assert (position.receivable, position.cash, position.anchor) == (micros("75"), micros("10000"), micros("149.18"))
    assert story(position) == ["ex_dividend", "dividend_corrected"]
    pay_due(source="replay", day=PAY_DAY, market_at=EX_OPEN)
    position.refresh_from_db()
    assert (position.receivable, position.cash) == (0, micros("10075"))
    assert_sound()


def test_what_was_paid_is_made_good_in_cash() -> None:
    position = gone_ex()
    pay_due(source="replay", day=PAY_DAY, market_at=EX_OPEN)
    correct("0.4")
    position.refresh_from_db()
    assert (position.receivable, position.cash) == (0, micros("10030"))
    assert_sound()


def test_a_cancelled_dividend_takes_its_receivable_along_and_is_never_paid() -> None:
    position = gone_ex()
    for _ in range(2):
        cancel_dividend(**KEY, **BY)
    assert pay_due(source="replay", day=PAY_DAY, market_at=EX_OPEN) == 0
    position.refresh_from_db()
    assert (position.receivable, position.cash) == (0, micros("10000"))
    assert story(position) == ["ex_dividend", "dividend_corrected"]
    assert_sound()


def test_one_taken_back_before_its_ex_date_reaches_nobody() -> None:
    position = make_position(anchor="150")
    announce_dividend(**KEY, dps=micros("0.82"))
    cancel_dividend(**KEY, **BY)
    assert apply_due(source="replay", day=EX_DAY, market_at=EX_OPEN) == 0
    assert story(position) == []


def test_a_cancelled_one_that_comes_after_all_is_owed_again() -> None:
    position = gone_ex()
    cancel_dividend(**KEY, **BY)
    correct("0.82")
    position.refresh_from_db()
    assert position.receivable == micros("61.5")
    assert pay_due(source="replay", day=PAY_DAY, market_at=EX_OPEN) == 1
    assert_sound()


def test_money_taken_back_that_is_spent_already_sets_the_cell_aside() -> None:
    position = gone_ex(cash="0")
    pay_due(source="replay", day=PAY_DAY, market_at=EX_OPEN)
    Position.objects.filter(pk=position.pk).update(cash=0)  # as if it had bought
    cancel_dividend(**KEY, **BY)
    position.refresh_from_db()
    assert (position.cash, position.state) == (micros("-61.5"), "quarantined")
    assert story(position)[-2:] == ["dividend_corrected", "quarantined"]


def test_the_tax_of_the_ex_date_holds() -> None:
    position = gone_ex(withholding="0.15")
    Entitlement.objects.update(withholding=150_000)
    correct("1")
    assert Entitlement.objects.get(position=position).tax == micros("15")


def test_a_pay_date_that_becomes_known_replaces_the_assumed_one() -> None:
    gone_ex()
    for _ in range(2):
        known = announce_dividend(**KEY, dps=micros("0.82"), pay_date=date(2007, 1, 25))
        assert (known.pay_date, known.pay_date_assumed) == (date(2007, 1, 25), False)
    assert pay_due(source="replay", day=date(2007, 1, 25), market_at=EX_OPEN) == 1


def test_a_fill_of_the_day_before_told_late_was_held_that_evening(settings) -> None:
    settings.BROKERS = FAKE
    VENUE.open_again()
    VENUE.lost_answers = 1
    position = make_position(anchor="100")
    make_quote(price="97")
    order = tick(position)
    announce_dividend(**KEY, dps=micros("1"))
    apply_due(source="replay", day=EX_DAY, market_at=EX_OPEN)
    assert Entitlement.objects.get().shares == micros("100")
    make_quote(price="96", at=EX_OPEN)
    for _ in range(2):
        execute_order(order_id=order.pk)
    order.refresh_from_db()
    entitlement = Entitlement.objects.get()
    assert (order.status, entitlement.shares) == ("filled", micros("100") + order.quantity)
    assert story(position).count("dividend_corrected") == 1
    assert_sound()


@pytest.mark.parametrize("again", [1, 3])
def test_a_split_can_be_corrected_until_a_cell_was_split(again) -> None:
    position = make_position(anchor="150")
    announce_split(**KEY, numerator=2, denominator=1)
    for _ in range(again):
        correct_split(**KEY, numerator=3, denominator=1)
    apply_due(source="replay", day=EX_DAY, market_at=EX_OPEN)
    position.refresh_from_db()
    assert position.shares == micros("300")
    for act in (lambda: cancel_split(**KEY), lambda: correct_split(**KEY, numerator=2, denominator=1)):
        with pytest.raises(Refused) as refused:
            act()
        assert (refused.value.code, refused.value.status) == ("already_applied", 409)
    assert correct_split(**KEY, numerator=3, denominator=1).cancelled_at is None


def test_a_split_taken_back_in_time_splits_nobody() -> None:
    make_position(anchor="150")
    announce_split(**KEY, numerator=2, denominator=1)
    cancel_split(**KEY)
    assert apply_due(source="replay", day=EX_DAY, market_at=EX_OPEN) == 0
    assert Split.objects.get().cancelled_at is not None


@pytest.mark.parametrize(
    "act", [lambda: correct("1"), lambda: cancel_dividend(**KEY, **BY), lambda: cancel_split(**KEY)]
)
def test_what_was_never_announced_cannot_be_corrected(act) -> None:
    with pytest.raises(Refused) as refused:
        act()
    assert (refused.value.code, refused.value.status) == ("unknown_announcement", 404)


@pytest.mark.django_db(transaction=True)
def test_corrections_and_payments_at_once_book_each_once() -> None:
    position = gone_ex()
    at_once(
        lambda: correct("1"),
        lambda: correct("1"),
        lambda: pay_due(source="replay", day=PAY_DAY, market_at=EX_OPEN),
        lambda: pay_due(source="replay", day=PAY_DAY, market_at=EX_OPEN),
    )
    position.refresh_from_db()
    assert (position.receivable, position.cash) == (0, micros("10075"))
    kinds = Event.objects.of(position).values_list("type", flat=True)
    assert [list(kinds).count(kind) for kind in ("dividend_corrected", "dividend_paid")] == [1, 1]
    assert_sound()

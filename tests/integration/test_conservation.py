"""Whatever happens to a cell, in whatever order: not one micro is made or lost, and the log tells it all."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dividends.models import Entitlement, SplitApplication
from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import MICROS
from portfolios.errors import Refused
from portfolios.models import Position
from portfolios.services.positions import deposit, pause, resume, withdraw
from portfolios.services.settings import change_settings
from portfolios.services.verification import fold_of
from tests.factories import FIRST_DAY, NOON, make_position
from trading.domain.choices import Side
from trading.market.base import Price
from trading.market.services import begin_clock, move_clock, take_prices
from trading.models import Execution, Order
from trading.services.corporate_actions import apply_due
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order, fill_by_hand
from trading.services.ordering import cancel_order, place_order

MONEY = st.integers(1, 5_000 * MICROS)
SETTINGS: list[dict[str, Any]] = [
    {},
    {"fractional": False},
    {"sizing": "proportional", "commission_min": "1", "min_notional": "0"},
    {"sizing": "constant_mix", "tau": "0.01", "order_type": "limit"},
    {"sizing": "fixed_percentage", "commission_bps": "25", "guardrail_low": "0", "guardrail_high": "1"},
]


class Cell:
    """One cell, everything that can happen to it, and what came in and went out by hand."""

    def __init__(self, given_settings: dict[str, Any], slippage: int) -> None:
        self.position = make_position(shares="50", cash="5000", anchor="100", **given_settings)
        self.portfolio = self.position.portfolio
        self.portfolio.paper_slippage = slippage
        self.portfolio.save()
        self.transfers = 5_000 * MICROS
        self.at, self.price = NOON, 100 * MICROS
        self.by_hand = {"market_at": NOON, "actor": "user:ann"}
        begin_clock(source="replay", begins_on=FIRST_DAY)
        self.quote(0)

    def quote(self, change: int) -> None:
        """A new price, some ppm from the last; the bells that follow it ring."""
        self.at += timedelta(minutes=1)
        self.price = max(self.price * (1_000_000 + change) // 1_000_000, MICROS)
        move_clock(source="replay", at=self.at, day=self.at.date(), phase="open")
        take_prices(source="replay", prices=[Price("IBM", self.at, self.price, 0, 0)])

    def look(self, act: bool) -> None:
        evaluate_position(position_id=self.position.pk, asked_by="" if act else "user:ann", act=act)

    def carry_out(self) -> None:
        for order in Order.objects.open():
            execute_order(order_id=order.pk)

    def rise_or_fall(self, change: int) -> None:
        self.quote(change)
        self.carry_out()
        self.look(act=True)
        self.carry_out()

    def pay_in(self, amount: int) -> None:
        deposit(position_id=self.position.pk, amount=amount, **self.by_hand)
        self.transfers += amount

    def take_out(self, amount: int) -> None:
        withdraw(position_id=self.position.pk, amount=amount, **self.by_hand)
        self.transfers -= amount

    def order(self, side: Side, quantity: int, limit: int) -> None:
        place_order(
            position_id=self.position.pk,
            side=side,
            quantity=quantity,
            limit=self.price * limit // 100 if limit else None,
            author=self.portfolio.owner,
            actor="user:ann",
            key=str(Order.objects.count()),
        )

    def fill(self, tenths: int) -> None:
        for order in Order.objects.open():
            quantity = max((order.quantity - order.filled_quantity) * tenths // 10, 1)
            fill_by_hand(order_id=order.pk, price=self.price + 1, quantity=quantity, commission=None, actor="user:ann")

    def cancel(self) -> None:
        for order in Order.objects.open():
            cancel_order(order_id=order.pk, actor="user:ann")

    def next_day(self, dps: int, ratio: tuple[int, int]) -> None:
        self.at += timedelta(days=1)
        company = {"source": "replay", "symbol": "IBM", "ex_date": self.at.date()}
        if dps:
            announce_dividend(**company, dps=dps, pay_date=self.at.date() + timedelta(days=2))
        if ratio != (1, 1):
            announce_split(**company, numerator=ratio[0], denominator=ratio[1])
            self.price = self.price * ratio[1] // ratio[0]
        apply_due(source="replay", day=self.at.date(), market_at=self.at)
        self.quote(0)

    def rest(self, paused: bool) -> None:
        (pause if paused else resume)(position_id=self.position.pk, reason="so", **self.by_hand)

    def new_settings(self, given_settings: dict[str, Any]) -> None:
        who = {"author": self.portfolio.owner, "note": "", "position_id": self.position.pk}
        change_settings(portfolio_id=self.portfolio.pk, given=given_settings, market_at=NOON, **who)

    def check(self) -> None:
        row = Position.objects.get(pk=self.position.pk)
        assert fold_of(row) == row.folded
        spent = 0
        for execution in Execution.objects.select_related("order"):
            signed = execution.notional if execution.order.side == "BUY" else -execution.notional
            spent += signed + execution.commission
        paid = sum(Entitlement.objects.filter(status="paid").values_list("net", flat=True))
        owed = sum(Entitlement.objects.filter(status="receivable").values_list("net", flat=True))
        in_lieu = sum(SplitApplication.objects.values_list("cash_in_lieu", flat=True))
        assert row.cash == self.transfers - spent + paid + in_lieu
        assert (row.receivable, row.state in ("active", "paused")) == (owed, True)
        assert row.cash >= 0
        assert row.shares >= 0
        promised = Order.objects.open().values_list("reserved_cash", "reserved_shares")
        assert (row.reserved_cash, row.reserved_shares) == (promised[0] if promised else (0, 0))


def happening(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Callable[[Cell], None]]:
    return st.tuples(*arguments).map(lambda drawn: lambda cell: getattr(cell, name)(*drawn))


CHANGE = st.sampled_from((-60_000, -30_000, -10_000, -2_500, 0, 2_500, 10_000, 30_000, 60_000))
HAPPENINGS = st.one_of(
    happening("rise_or_fall", CHANGE),
    happening("rise_or_fall", CHANGE),
    happening("quote", CHANGE),
    happening("look", st.booleans()),
    happening("carry_out"),
    happening("pay_in", MONEY),
    happening("take_out", MONEY),
    happening(
        "order",
        st.sampled_from((Side.BUY, Side.SELL)),
        MONEY.map(lambda amount: amount // 50),
        st.sampled_from((0, 95, 105)),
    ),
    happening("fill", st.integers(1, 10)),
    happening("cancel"),
    happening(
        "next_day", st.sampled_from((0, 500_000, 1_234_567)), st.sampled_from(((1, 1), (1, 1), (2, 1), (3, 2), (1, 7)))
    ),
    happening("rest", st.booleans()),
    happening("new_settings", st.sampled_from(SETTINGS)),
)


@pytest.mark.django_db
@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SETTINGS), st.sampled_from((0, 1_000)), st.lists(HAPPENINGS, min_size=8, max_size=24))
def test_money_and_shares_are_conserved_to_the_micro(
    given_settings: dict[str, Any], slippage: int, story: list[Callable[[Cell], None]]
) -> None:
    with transaction.atomic():
        cell = Cell(given_settings, slippage)
        for happens in story:
            try:
                with transaction.atomic():
                    happens(cell)
            except Refused:
                pass  # a person asked for what cannot be: nothing may have changed
            cell.check()
        transaction.set_rollback(True)

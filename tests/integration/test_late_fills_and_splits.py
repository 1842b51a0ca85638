"""A fill of before a split that is told after it: the cell ends as had it been told in time."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import pytest

from dividends.models import Entitlement, SplitApplication
from dividends.services.announcements import announce_dividend, announce_split
from portfolios.domain.amounts import MICROS, micros
from portfolios.models import Event, Position
from tests.factories import NOON, make_portfolio, make_position, make_quote, make_user
from tests.fake_broker import FAKE, VENUE
from tests.integration.browsing import page, signed_in
from tests.market import assert_sound
from trading.brokers.base import Fill, Report
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.models import Order
from trading.services.corporate_actions import apply_due
from trading.services.execution import record_report
from trading.services.ordering import cancel_order, place_order

pytestmark = pytest.mark.django_db
RATIOS = ((2, 1), (4, 1), (3, 2), (7, 1), (1, 7), (1, 10))


class Cell(NamedTuple):
    position: Position
    order: Order


class World:
    """One stock over days; cells that all gave the same order, which was cancelled on the first day."""

    def __init__(self, *, lot: bool = False) -> None:
        VENUE.open_again("rests")
        self.price = micros("90")
        self.at = NOON
        make_quote(price="90")
        self.lot = lot

    def cell(self, name: str, side: Side, quantity: int) -> Cell:
        portfolio = make_portfolio(make_user(name), name=name)
        position = make_position(portfolio, shares="103", cash="20000", anchor="150", fractional=not self.lot)
        order = place_order(
            position_id=position.pk,
            side=side,
            quantity=quantity,
            limit=micros("80") if side == Side.BUY else micros("120"),
            author=portfolio.owner,
            actor=f"user:{name}",
            key=name,
        )
        cancel_order(order_id=order.pk, actor=f"user:{name}")
        order.refresh_from_db()
        assert order.status == "cancelled"
        return Cell(position, order)

    def tell(self, cell: Cell, *fills: Fill) -> None:
        record_report(order_id=cell.order.pk, report=Report("cancelled", fills))

    def night(self, *, ratio: tuple[int, int] | None = None, dps: int = 0) -> date:
        self.at += timedelta(days=1)
        company: dict[str, Any] = {"source": "replay", "symbol": "IBM", "ex_date": self.at.date()}
        if dps:
            announce_dividend(**company, dps=dps, pay_date=self.at.date() + timedelta(days=2))
        if ratio:
            announce_split(**company, numerator=ratio[0], denominator=ratio[1])
            self.price = self.price * ratio[1] // ratio[0]
        apply_due(source="replay", day=self.at.date(), market_at=self.at)
        make_quote(price=str(self.price / MICROS), at=self.at)
        return self.at.date()


@pytest.fixture(autouse=True)
def _brokers(settings: Any) -> None:
    settings.BROKERS = FAKE


def standing_of(cell: Cell) -> dict[str, object]:
    row = Position.objects.get(pk=cell.position.pk)
    splits = SplitApplication.objects.filter(position=row).order_by("pk")
    owed = Entitlement.objects.filter(position=row).order_by("pk")
    return {
        "held": (row.shares, row.cash, row.receivable, row.anchor, row.state),
        "splits": list(splits.values_list("shares_before", "shares_after", "cash_in_lieu")),
        "entitled": list(owed.values_list("shares", "gross", "tax", "net", "status")),
    }


def fill_at(at: datetime, quantity: int, price: str = "80", name: str = "e1", replaces: str = "") -> Fill:
    return Fill(name, quantity, micros(price), OURS, at, replaces)


def twins(world: World, side: Side, quantity: int) -> tuple[Cell, Cell]:
    return world.cell("ann", side, quantity), world.cell("bob", side, quantity)


@pytest.mark.parametrize("seed", range(16))
def test_the_end_is_the_same_to_the_micro_as_had_it_come_in_time(seed: int) -> None:
    """Shares, cash with what was given in lieu, dividends owed and paid; the anchor neither way."""
    chance = Random(seed)
    side = chance.choice((Side.BUY, Side.SELL))
    world = World(lot=chance.random() < 0.5)
    quantity = chance.randrange(1, 60) * MICROS if world.lot else chance.randrange(1, 60 * MICROS)
    early, late = twins(world, side, quantity)
    fill = fill_at(NOON, quantity, chance.choice(("79.99", "80", "81.234567")))
    world.tell(early, fill._replace(execution_id="early"))
    for _ in range(chance.randrange(1, 4)):
        world.night(
            ratio=chance.choice(RATIOS) if chance.random() < 0.8 else None,
            dps=chance.choice((0, 0, 500_000, 1_234_567)),
        )
    for _ in range(2):
        world.tell(late, fill._replace(execution_id="late"))
    assert standing_of(late) == standing_of(early)
    assert_sound()


def test_what_the_shares_cost_is_as_filled_and_the_log_says_what_they_have_become() -> None:
    world = World()
    cell = world.cell("ann", Side.BUY, micros("10"))
    world.night(ratio=(2, 1))
    world.tell(cell, fill_at(NOON, micros("10")))
    event = Event.objects.of(cell.position).get(type="late_fill")
    told = event.content["outputs"]
    assert (event.d_shares, event.d_cash, event.anchor_after) == (micros("20"), -micros("800.08"), micros("75"))
    assert (told["quantity"], told["price"], told["notional"], told["shares_now"]) == ("10", "80", "800", "20")
    assert event.content["message"].endswith("Since the split that is 20 shares.")
    html = page(signed_in(cell.position.portfolio.owner), "timeline", cell.position)
    assert "Bought 10 at $80.00 for $800.00, fee $0.08; since the split 20 shares" in html
    assert_sound()


def test_a_fill_of_the_ex_date_itself_is_of_new_shares() -> None:
    world = World()
    cell = world.cell("ann", Side.BUY, micros("10"))
    world.night(ratio=(2, 1))
    world.tell(cell, fill_at(world.at, micros("10"), "40"))
    assert Position.objects.get(pk=cell.position.pk).shares == micros("216")


@pytest.mark.parametrize("right", ["0", "4"])
def test_a_correction_after_the_split_of_a_fill_before_it_ends_as_had_it_been_right(right: str) -> None:
    """What was bought is told in time, and taken back or put right only after."""
    world = World()
    early, late = twins(world, Side.BUY, micros("10"))
    if micros(right):
        world.tell(early, fill_at(NOON, micros(right), name="early"))
    world.tell(late, fill_at(NOON, micros("10"), name="late"))
    world.night(ratio=(3, 2), dps=micros("0.5"))
    world.tell(late, fill_at(world.at, micros(right), name="right", replaces="late"))
    assert standing_of(late)["held"] == standing_of(early)["held"]
    assert_sound()


def test_more_sold_before_a_split_than_there_was_is_booked_and_looked_at() -> None:
    world = World()
    cell = world.cell("ann", Side.SELL, micros("103"))
    owner = cell.position.portfolio.owner
    wish: dict[str, Any] = {"side": Side.SELL, "quantity": micros("100"), "limit": None}
    other = place_order(position_id=cell.position.pk, author=owner, actor="user:ann", key="other", **wish)
    record_report(order_id=other.pk, report=Report("filled", (fill_at(NOON, micros("100"), name="all"),)))
    world.night(ratio=(2, 1))
    world.tell(cell, fill_at(NOON, micros("103"), name="more"))
    row = Position.objects.get(pk=cell.position.pk)
    assert (row.shares, row.state) == (-micros("200"), "quarantined")
    assert_sound()

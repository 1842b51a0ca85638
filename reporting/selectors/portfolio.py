"""One portfolio: what its cells are worth together, how that divides, who may enter, and the settings they share."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Window

from portfolios.domain.amounts import PPM
from portfolios.models import Membership, Portfolio, Position, Role
from portfolios.selectors import given_in
from reporting.selectors.cells import Cell, cells_of, visible_positions
from reporting.selectors.overview import Totals, nearness, totals_of
from reporting.setting_words import Told, told_settings
from reporting.stormy import Storm, storm_over
from trading.market.models import MarketClock
from trading.simulation.storm import Sailor

CELLS, PORTFOLIOS = 50, 100


class Slice(NamedTuple):
    """A part of the whole: stock of one symbol, or the cash of all; share in ppm of the whole."""

    name: str
    amount: int
    share: int

    @property
    def width(self) -> str:
        """Of a bar, in per cent."""
        return f"{self.share / 10_000:.2f}"


class PortfolioPage(NamedTuple):
    """closed: the first of those cells, each with how many there are `of_all`; not part of the totals."""

    portfolio: Portfolio
    totals: Totals
    slices: list[Slice]
    shown: list[Cell]
    page: int
    pages: int
    cells: int
    closed: list[Position]
    members: list[Membership]
    own: list[Told]
    may_act: bool
    is_owner: bool
    storm: Storm | None


def portfolio_page(
    portfolio: Portfolio, user: Any, clocks: Iterable[MarketClock], page: int, *, storm: bool = False
) -> PortfolioPage:
    """Needs `settings_version` selected with the portfolio."""
    positions = visible_positions(user).filter(portfolio=portfolio).order_by("pk")
    cells = sorted(cells_of(list(positions), clocks), key=nearness)
    pages = max(-(-len(cells) // CELLS), 1)
    page = min(max(page, 1), pages)
    members = list(portfolio.memberships.select_related("user").order_by("pk"))
    role = next((member.role for member in members if member.user_id == user.pk), "")
    totals = totals_of(cells)
    return PortfolioPage(
        portfolio,
        totals,
        slices_of(cells, totals),
        cells[(page - 1) * CELLS : page * CELLS],
        page,
        pages,
        len(cells),
        list(closed_in(portfolio)),
        members,
        told_settings(given_in(portfolio.settings_version)),
        role in (Role.OWNER, Role.TRADER),
        role == Role.OWNER,
        storm_over(crew_of(cells), asked=storm),
    )


def crew_of(cells: Iterable[Cell]) -> list[Sailor]:
    """Those with a price."""
    return [
        Sailor(cell.position.symbol, cell.position.holding, cell.effective.rules, cell.standing.price)
        for cell in cells
        if cell.standing
    ]


def closed_in(portfolio: Portfolio) -> QuerySet[Position]:
    closed = portfolio.positions.filter(state=Position.Status.CLOSED).order_by("symbol", "pk")
    return closed.annotate(of_all=Window(Count("pk")))[:CELLS]


def portfolios_of(user: Any) -> QuerySet[Portfolio]:
    """Each with how many cells are `open` and `closed` in it; those without any too."""
    closed = Q(positions__state=Position.Status.CLOSED)
    counts = {"open": Count("positions", filter=~closed), "closed": Count("positions", filter=closed)}
    return Portfolio.objects.visible_to(user).annotate(**counts).order_by("name", "pk")[:PORTFOLIOS]


def slices_of(cells: Sequence[Cell], totals: Totals) -> list[Slice]:
    """Stock by symbol, the largest first, then cash and dividends to come."""
    stock: dict[str, int] = {}
    for cell in cells:
        if cell.standing and cell.standing.stock:
            stock[cell.position.symbol] = stock.get(cell.position.symbol, 0) + cell.standing.stock
    largest = sorted(stock.items(), key=lambda part: -part[1])
    parts = [*largest, ("Cash", totals.cash), ("Dividends to come", totals.owed)]
    whole = max(totals.value, 1)
    return [Slice(name, amount, amount * PPM // whole) for name, amount in parts if amount]

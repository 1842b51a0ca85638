"""Cells with what a page says about them: their rules, the price they see, where they stand beside being left alone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from portfolios.domain.holding import total_value, value_of
from portfolios.models import Portfolio, Position
from portfolios.selectors import EffectiveRules, effective_rules
from reporting.comparison import Payout, Ratio, Untouched, left_alone, value_untouched
from reporting.selectors import facts
from reporting.selectors.facts import Listing, Moment, Moved, Priced
from reporting.standing import Standing, standing_of
from trading.market.models import MarketClock
from trading.sight import Sight, see
from trading.waits import Wait, waits_of


class Cell(NamedTuple):
    """sight and standing are None while no price is known. wait: what keeps it from deciding anything at its price."""

    position: Position
    effective: EffectiveRules
    day: Any
    sight: Sight | None
    standing: Standing | None
    wait: Wait | None = None


class Surroundings(NamedTuple):
    """All that many cells need to be told apart from their own rows."""

    moments: dict[str, Moment]
    prices: dict[Listing, Priced]
    moved: dict[UUID, Moved]
    actions: dict[Listing, list[Payout | Ratio]]
    waits: dict[int, Wait]


def visible_positions(user: Any) -> QuerySet[Position]:
    """Open cells the user may see, with all that their rules are made of; a portfolio's own part once for them all."""
    open_cells = Position.objects.visible_to(user).exclude(state=Position.Status.CLOSED)
    portfolios = Portfolio.objects.select_related("settings_version")
    return open_cells.select_related("settings_version").prefetch_related(Prefetch("portfolio", portfolios))


def cells_of(positions: Sequence[Position], clocks: Iterable[MarketClock] | None = None) -> list[Cell]:
    """In the order given, with a fixed number of queries. Positions as from `visible_positions`."""
    around, rules = surroundings_of(positions, clocks), Rulebook()
    return [cell_from(position, rules.of(position), around) for position in positions]


def surroundings_of(positions: Sequence[Position], clocks: Iterable[MarketClock] | None = None) -> Surroundings:
    moments = facts.moments_of({position.source for position in positions}, clocks)
    prices = facts.prices_of(positions, moments)
    actions = facts.actions_of(positions)
    quotes = {listing: priced.quote for listing, priced in prices.items()}
    waits = waits_of(positions, quotes, may_split={cell for cell in positions if met_a_split(cell, actions)})
    return Surroundings(moments, prices, facts.moved_of(positions, moments), actions, waits)


def met_a_split(position: Position, actions: Mapping[Listing, Sequence[Payout | Ratio]]) -> bool:
    """Whether there was or will be one since it was opened."""
    opened = position.opened_on
    told = actions.get(facts.listing_of(position), ())
    return opened is not None and any(isinstance(row, Ratio) and row.ex_date > opened for row in told)


def cell_from(position: Position, effective: EffectiveRules, around: Surroundings) -> Cell:
    listing, moment = facts.listing_of(position), around.moments[position.source]
    priced, moved = around.prices.get(listing), around.moved.get(position.public_id, Moved())
    if priced is None:
        return Cell(position, effective, moment.day, None, None)
    sight = see(priced.quote, moment.at, effective.rules)
    untouched = left_alone(
        position.opened_on or moment.day,
        Untouched(moved.start_shares, moved.own_cash),
        effective.rules.withholding,
        moment.day,
        around.actions.get(listing, ()),
        moved.flows,
    )
    standing = standing_of(
        position.holding,
        effective.rules,
        sight.price,
        active=position.state == Position.Status.ACTIVE,
        today=change_today(position, sight.price, moved, priced.close),
        alone=value_untouched(untouched, sight.price),
    )
    return Cell(position, effective, moment.day, sight, standing, around.waits.get(position.pk))


def change_today(position: Position, price: int, since: Moved, close: int) -> int:
    """What the holding of the evening before, at its close, has become, owner's money aside. 0 without one.

    The shares of before a split meet the close of before the split: both are taken as they were.
    """
    shares, cash = position.shares - since.shares, position.cash + position.receivable - since.cash
    if close == 0 or shares == cash == 0:
        return 0
    return total_value(position.holding, price) - value_of(shares, close) - cash - since.own


class Rulebook:
    """Merged rules, worked out once for all cells that live by the same versions."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, int | None], EffectiveRules] = {}

    def of(self, position: Position) -> EffectiveRules:
        versions = (position.portfolio_id, position.settings_version_id)
        if versions not in self.known:
            self.known[versions] = effective_rules(position)
        return self.known[versions]

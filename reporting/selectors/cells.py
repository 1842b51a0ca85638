"""Cells with what a page says about them: their rules, the price they see, where they stand beside being left alone."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from portfolios.domain.holding import total_value, value_of
from portfolios.models import Position
from portfolios.selectors import EffectiveRules, effective_rules
from reporting.comparison import Payout, Ratio, Untouched, left_alone, value_untouched
from reporting.selectors import facts
from reporting.selectors.facts import Listing, Moment, Moved
from reporting.standing import Standing, standing_of
from trading.market.models import Quote
from trading.sight import Sight, see


class Cell(NamedTuple):
    """sight and standing are None while no price is known."""

    position: Position
    effective: EffectiveRules
    day: Any
    sight: Sight | None
    standing: Standing | None


class Surroundings(NamedTuple):
    """All that many cells need to be told apart from their own rows."""

    moments: dict[str, Moment]
    quotes: dict[Listing, Quote]
    closes: dict[Listing, int]
    starts: dict[UUID, Untouched]
    moved: dict[UUID, Moved]
    actions: dict[Listing, list[Payout | Ratio]]


def visible_positions(user: Any) -> QuerySet[Position]:
    """Open cells the user may see, with all that their rules are made of."""
    related = ("portfolio__settings_version", "settings_version")
    return Position.objects.visible_to(user).exclude(state=Position.Status.CLOSED).select_related(*related)


def cells_of(positions: Sequence[Position]) -> list[Cell]:
    """In the order given, with a fixed number of queries. Positions as from `visible_positions`."""
    around, rules = surroundings_of(positions), Rulebook()
    return [cell_from(position, rules.of(position), around) for position in positions]


def surroundings_of(positions: Sequence[Position]) -> Surroundings:
    moments = facts.moments_of({position.source for position in positions})
    return Surroundings(
        moments,
        facts.quotes_of(positions),
        facts.closes_before_today(positions, moments),
        facts.starts_of(positions),
        facts.moved_today(positions, moments),
        facts.actions_of(positions),
    )


def cell_from(position: Position, effective: EffectiveRules, around: Surroundings) -> Cell:
    listing, moment = facts.listing_of(position), around.moments[position.source]
    quote = around.quotes.get(listing)
    if quote is None:
        return Cell(position, effective, moment.day, None, None)
    sight = see(quote, moment.at, effective.rules)
    untouched = left_alone(
        position.opened_on or moment.day,
        around.starts.get(position.public_id, Untouched(0, 0)),
        effective.rules.withholding,
        moment.day,
        around.actions.get(listing, ()),
    )
    standing = standing_of(
        position.holding,
        effective.rules,
        sight.price,
        active=position.state == Position.Status.ACTIVE,
        today=change_today(position, sight.price, around),
        alone=value_untouched(untouched, sight.price),
    )
    return Cell(position, effective, moment.day, sight, standing)


def change_today(position: Position, price: int, around: Surroundings) -> int:
    """What the holding of the evening before, at its close, has become, owner's money aside. 0 without one.

    The shares of before a split meet the close of before the split: both are taken as they were.
    """
    since = around.moved.get(position.public_id, Moved(0, 0, 0))
    close = around.closes.get(facts.listing_of(position), 0)
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

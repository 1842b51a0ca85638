"""The worth of one cell over time, beside what it would have been left alone."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Q

from portfolios.domain.amounts import MICROS
from portfolios.domain.holding import value_of
from portfolios.models import Event, Position
from reporting.comparison import Flow, Untouched, left_alone_over, value_untouched
from reporting.selectors.facts import EXCHANGE_TIME, OWNERS_MONEY, actions_of, listing_of


class Move(NamedTuple):
    """What one event added, cash with what is owed; `own` where a person put it in or took it out."""

    day: date
    shares: int
    cash: int
    own: bool


def worth_over(position: Position, prices: Sequence[tuple[date, int]], withholding: int) -> dict[str, list[float]]:
    """Two lists, one figure per point, in dollars as floats: only drawn."""
    moves, days = moves_of(position), [day for day, _ in prices]
    flows = [Flow(move.day, move.shares, move.cash) for move in moves if move.own]
    opened_on = position.opened_on or date.max
    actions = actions_of([position])[listing_of(position)]
    untouched = left_alone_over(days, opened_on, Untouched(0, 0), withholding, actions, flows)
    shares = cash = done = 0
    values, alone = [], []
    for (day, price), held in zip(prices, untouched, strict=True):
        while done < len(moves) and moves[done].day <= day:
            move = moves[done]
            shares, cash = shares + move.shares, cash + move.cash
            done += 1
        values.append(round((value_of(shares, price) + cash) / MICROS, 2))
        alone.append(round(value_untouched(held, price) / MICROS, 2))
    return {"values": values, "alone": alone}


def moves_of(position: Position) -> list[Move]:
    """Oldest first; the first opens the cell."""
    moved = ~Q(d_shares=0) | ~Q(d_cash=0) | ~Q(d_receivable=0)
    rows = Event.objects.of(position).filter(moved)
    return [
        Move(at.astimezone(EXCHANGE_TIME).date(), shares, cash + owed, kind in OWNERS_MONEY)
        for at, kind, shares, cash, owed in rows.values_list("market_at", "type", "d_shares", "d_cash", "d_receivable")
    ]

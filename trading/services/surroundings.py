"""What an evaluation asks about the world around a cell: of one cell by itself, or of many in a few questions."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import Protocol

from portfolios.domain.holding import Rules
from portfolios.models import Account, Position
from portfolios.selectors import EffectiveRules, effective_rules
from trading.domain.choices import Side
from trading.domain.order_life import OPEN_STATES
from trading.market.calendars import calendar_for
from trading.market.models import Quote
from trading.market.selectors import listing_of, market_now, newest_quote, newest_quotes
from trading.models import Order
from trading.risk.models import Halt
from trading.services.gates import ASKED, Asked, Shut, gates_at, shut_at, why_halted, why_not_sent
from trading.sight import Sight
from trading.waits import Wait, waits_of


class Surroundings(Protocol):
    """Everything is asked with the lock on the position's row."""

    def rules(self, position: Position) -> EffectiveRules: ...

    def quote(self, position: Position) -> Quote | None:
        """The newest there is."""

    def market_at(self, position: Position) -> datetime: ...

    def order_goes_first(self, position: Position, quote: Quote) -> bool:
        """An open order meets a new price before the robot does: nothing hangs on whose bell was faster."""

    def wait(self, position: Position, quote: Quote) -> Wait | None:
        """What keeps it from deciding anything at this price."""

    def gates(self, position: Position, rules: Rules, sight: Sight, side: Side) -> Shut: ...

    def has_proposal(self, position: Position) -> bool:
        """Whether an order of it waits for an answer."""


class Alone:
    """One cell: each question to the database when it is asked."""

    def rules(self, position: Position) -> EffectiveRules:
        return effective_rules(position)

    def quote(self, position: Position) -> Quote | None:
        return newest_quote(position.symbol, position.source)

    def market_at(self, position: Position) -> datetime:
        return market_now(position.source)

    def order_goes_first(self, position: Position, quote: Quote) -> bool:
        return Order.objects.filter(position=position).open().exclude(quote_at__gte=quote.at).exists()

    def wait(self, position: Position, quote: Quote) -> Wait | None:
        return waits_of([position], {(position.symbol, position.source): quote}).get(position.pk)

    def gates(self, position: Position, rules: Rules, sight: Sight, side: Side) -> Shut:
        return gates_at(position, rules, sight, side)

    def has_proposal(self, _position: Position) -> bool:
        return True  # whoever looks for it asks once


class Together:
    """Many locked cells of one source: as many questions as for one, whatever their number."""

    def __init__(self, source: str, positions: Sequence[Position]) -> None:
        self.source = source
        self.positions = positions
        self.keys = [position.pk for position in positions]
        self.symbols = {position.symbol for position in positions}
        self.trusted: dict[int, str] = {}
        self.listing_of = cache(listing_of)
        self.ruled: dict[tuple[int, int | None, int], EffectiveRules] = {}

    def rules(self, position: Position) -> EffectiveRules:
        key = position.portfolio_id, position.settings_version_id, position.lot
        if key not in self.ruled:
            self.ruled[key] = effective_rules(position)
        return self.ruled[key]

    def quote(self, position: Position) -> Quote | None:
        return self.quotes.get(position.symbol)

    @cached_property
    def quotes(self) -> dict[str, Quote]:
        return newest_quotes(self.symbols, self.source)

    def market_at(self, _position: Position) -> datetime:
        return self.now

    @cached_property
    def now(self) -> datetime:
        return market_now(self.source)

    def order_goes_first(self, position: Position, quote: Quote) -> bool:
        waiting = (order for order in self.orders[position.pk] if order.status in OPEN_STATES)
        return any(order.quote_at is None or order.quote_at < quote.at for order in waiting)

    def wait(self, position: Position, _quote: Quote) -> Wait | None:
        return self.waits.get(position.pk)

    @cached_property
    def waits(self) -> dict[int, Wait]:
        quotes = {(symbol, self.source): quote for symbol, quote in self.quotes.items()}
        return waits_of(self.positions, quotes)

    def gates(self, position: Position, rules: Rules, sight: Sight, side: Side) -> Shut:
        halt = next((halt for halt in self.halts if halt.stops(position)), None)
        listing = self.listing_of(position.symbol)
        calendar = calendar_for(listing.exchange)
        asked = Asked(
            self.orders[position.pk], why_halted(halt, listing), self.why_not_sent(position.portfolio.account)
        )
        return shut_at(position, rules, sight, side, calendar, asked)

    @cached_property
    def halts(self) -> list[Halt]:
        return list(Halt.objects.in_force().order_by("pk"))

    def why_not_sent(self, account: Account) -> str:
        if account.pk not in self.trusted:
            self.trusted[account.pk] = why_not_sent(account)
        return self.trusted[account.pk]

    def has_proposal(self, position: Position) -> bool:
        return any(order.status == "proposed" for order in self.orders[position.pk])

    @cached_property
    def orders(self) -> dict[int, Collection[Order]]:
        """By cell: open ones, proposals, and those of the quotes' market days. Each by an index of its own."""
        days = {calendar_for(self.listing_of(row.symbol).exchange).market_day(row.at) for row in self.quotes.values()}
        rows = Order.objects.filter(position__in=self.keys).only(*ASKED, "position_id")
        found: dict[int, dict[int, Order]] = defaultdict(dict)
        for asked in (rows.open(), rows.filter(status="proposed"), rows.filter(market_day__in=days)):
            for order in asked:
                found[order.position_id][order.pk] = order
        return defaultdict(tuple, {cell: tuple(orders.values()) for cell, orders in found.items()})

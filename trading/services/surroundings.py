"""What an evaluation asks about the world around a cell: of one cell by itself, or of many in a few questions."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import Protocol

from dividends.models import Split
from dividends.selectors import awaited_split
from portfolios.domain.holding import Rules
from portfolios.models import Account, Position
from portfolios.selectors import EffectiveRules, effective_rules
from trading.domain.choices import Side
from trading.domain.order_life import OPEN_STATES
from trading.market.calendars import calendar_for
from trading.market.models import Quote
from trading.market.selectors import listing_of, market_day, market_now, newest_quote, newest_quotes
from trading.models import Order
from trading.risk.models import Halt
from trading.services.gates import ASKED, Asked, Shut, gates_at, shut_at, why_halted, why_not_sent
from trading.services.overnight import Gap, unexplained_gap
from trading.sight import Sight


class Surroundings(Protocol):
    """Everything is asked with the lock on the position's row."""

    def rules(self, position: Position) -> EffectiveRules: ...

    def quote(self, position: Position) -> Quote | None:
        """The newest there is."""

    def market_at(self, position: Position) -> datetime: ...

    def order_goes_first(self, position: Position, quote: Quote) -> bool:
        """An open order meets a new price before the robot does: nothing hangs on whose bell was faster."""

    def awaits_split(self, position: Position, quote: Quote) -> bool:
        """Whether this price is of other shares than the cell still holds."""

    def gap(self, quote: Quote) -> Gap | None:
        """What happened overnight that nobody has explained yet."""

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

    def awaits_split(self, position: Position, quote: Quote) -> bool:
        split = awaited_split(position, quote.at.date())
        return split is not None and split.ex_date <= market_day(position.source)

    def gap(self, quote: Quote) -> Gap | None:
        return unexplained_gap(quote)

    def gates(self, position: Position, rules: Rules, sight: Sight, side: Side) -> Shut:
        return gates_at(position, rules, sight, side)

    def has_proposal(self, _position: Position) -> bool:
        return True  # whoever looks for it asks once


class Together:
    """Many locked cells of one source: as many questions as for one, whatever their number."""

    def __init__(self, source: str, positions: Sequence[Position]) -> None:
        self.source = source
        self.keys = [position.pk for position in positions]
        self.symbols = {position.symbol for position in positions}
        self.alone = Alone()
        self.trusted: dict[int, str] = {}
        self.gaps: dict[str, Gap | None] = {}
        self.listing_of = cache(listing_of)
        self.ruled: dict[tuple[int, int | None], EffectiveRules] = {}

    def rules(self, position: Position) -> EffectiveRules:
        key = position.portfolio_id, position.settings_version_id
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

    def awaits_split(self, position: Position, quote: Quote) -> bool:
        """Splits are rare: only cells of a symbol that has one are asked about one by one."""
        return position.symbol in self.split and self.alone.awaits_split(position, quote)

    def gap(self, quote: Quote) -> Gap | None:
        if quote.symbol not in self.gaps:
            self.gaps[quote.symbol] = self.alone.gap(quote)
        return self.gaps[quote.symbol]

    @cached_property
    def split(self) -> set[str]:
        rows = Split.objects.filter(source=self.source, symbol__in=self.symbols)
        return set(rows.values_list("symbol", flat=True))

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

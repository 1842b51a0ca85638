"""What an evaluation asks about the world around its cells, one or many: in as many questions for many as for one."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache, cached_property

from django.db.models import Q, QuerySet

from portfolios.domain.holding import Rules
from portfolios.models import Account, Position
from portfolios.prepared import PreparedRead, Slot, array_text
from portfolios.selectors import EffectiveRules, effective_rules
from trading.brokers.models import Ability
from trading.domain.choices import Side
from trading.domain.order_life import OPEN_STATES
from trading.market.calendars import calendar_for
from trading.market.feeds import feed_of
from trading.market.models import Quote
from trading.market.selectors import listing_of, market_now, newest_quotes
from trading.models import Order
from trading.risk.models import Halt
from trading.risk.selectors import ability_of, why_untraded
from trading.services.gates import ASKED, Asked, Shut, shut_at, why_not_sent
from trading.services.robot_orders import robot_key
from trading.sight import Sight
from trading.waits import Wait, waits_of


def orders_asked() -> QuerySet[Order]:
    """Of some cells the open ones, proposals, those of some market days or keys. Each by an index of its own."""
    rows = Order.objects.filter(position__is_any_of=Slot("cells")).only(*ASKED, "position_id")
    on_days, by_key = rows.filter(market_day__is_any_of=Slot("days")), rows.filter(key__is_any_of=Slot("keys"))
    return rows.open().union(rows.filter(status="proposed"), on_days, by_key)


def halts_asked() -> QuerySet[Halt]:
    """Those in force that may stop some of these cells."""
    portfolio, account = Q(portfolio__is_any_of=Slot("portfolios")), Q(account__is_any_of=Slot("accounts"))
    reached = Q(scope="global") | portfolio | account | Q(position__is_any_of=Slot("cells"))
    return Halt.objects.in_force().filter(reached).order_by("pk")


ORDERS = PreparedRead(orders_asked)
HALTS = PreparedRead(halts_asked)


class Surroundings:
    """Of locked cells of one source. Each thing is asked when the first of them needs it.

    quotes: in place of the newest ones there are.
    """

    def __init__(self, source: str, positions: Sequence[Position], quotes: dict[str, Quote] | None = None) -> None:
        self.source = source
        self.positions = positions
        self.keys = array_text(position.pk for position in positions)
        self.trusted: dict[int, str] = {}
        self.abilities: dict[int, Ability | None] = {}
        self.listing_of = cache(listing_of)
        self.ruled: dict[tuple[int, int | None, int], EffectiveRules] = {}
        if quotes is not None:
            self.quotes = quotes

    def rules(self, position: Position) -> EffectiveRules:
        key = position.portfolio_id, position.settings_version_id, position.lot
        if key not in self.ruled:
            self.ruled[key] = effective_rules(position)
        return self.ruled[key]

    def quote(self, position: Position) -> Quote | None:
        """The newest there is."""
        return self.quotes.get(position.symbol)

    @cached_property
    def quotes(self) -> dict[str, Quote]:
        return newest_quotes({position.symbol for position in self.positions}, self.source)

    @cached_property
    def now(self) -> datetime:
        """Market time."""
        return market_now(self.source)

    def order_goes_first(self, position: Position, quote: Quote) -> bool:
        """An open order meets a new price, and what comes of it, before the robot does: nothing hangs on whose bell was
        faster. One that is being sent at this very price has not met it yet.
        """
        waiting = (order for order in self.orders[position.pk] if order.status in OPEN_STATES)
        return any(
            order.quote_at is None or order.quote_at < quote.at or order.status == "sending" for order in waiting
        )

    def wait(self, position: Position) -> Wait | None:
        """What keeps it from deciding anything at this price."""
        return self.waits.get(position.pk)

    @cached_property
    def waits(self) -> dict[int, Wait]:
        quotes = {(symbol, self.source): quote for symbol, quote in self.quotes.items()}
        return waits_of(self.positions, quotes)

    def gates(self, position: Position, rules: Rules, sight: Sight, side: Side, but: Order | None = None) -> Shut:
        """Needs the lock, so that open order and day's count cannot change meanwhile. but: an order asked of itself."""
        orders = self.orders[position.pk]
        if but is not None:
            orders = [order for order in orders if order.pk != but.pk]
        halt = next((halt for halt in self.halts if halt.stops(position)), None)
        listing, account = self.listing_of(position.symbol), position.portfolio.account
        ability = self.ability_of(account)
        untraded = why_untraded(position.symbol, listing, ability)
        asked = Asked(orders, halt.reason if halt else untraded, self.why_not_sent(account, ability))
        return shut_at(position, rules, sight, side, calendar_for(listing.exchange), asked)

    @cached_property
    def halts(self) -> list[Halt]:
        portfolios = {position.portfolio_id: position.portfolio for position in self.positions}
        accounts = {portfolio.account_id for portfolio in portfolios.values()}
        return HALTS.all(portfolios=array_text(portfolios), accounts=array_text(accounts), cells=self.keys)

    def ability_of(self, account: Account) -> Ability | None:
        if account.pk not in self.abilities:
            self.abilities[account.pk] = ability_of(account)
        return self.abilities[account.pk]

    def why_not_sent(self, account: Account, ability: Ability | None) -> str:
        if account.pk not in self.trusted:
            self.trusted[account.pk] = why_not_sent(account, ability)
        return self.trusted[account.pk]

    def has_proposal(self, position: Position) -> bool:
        """Whether an order of it waits for an answer."""
        return any(order.status == "proposed" for order in self.orders[position.pk])

    @cached_property
    def orders(self) -> dict[int, Collection[Order]]:
        """By cell, those that can matter to it at the quotes there are."""
        calendars = [(row, calendar_for(self.listing_of(row.symbol).exchange)) for row in self.quotes.values()]
        days, keys = {calendar.market_day(row.at) for row, calendar in calendars}, []
        if feed_of(self.source).closes:  # acted on as of now, on whatever day that was
            days |= {calendar.market_day(self.now) for _, calendar in calendars}
            keys = [key for position in self.positions for key in self.keys_of(position)]
        found: dict[int, list[Order]] = defaultdict(list)
        for order in ORDERS.all(cells=self.keys, days=array_text(days), keys=array_text(keys)):
            found[order.position_id].append(order)
        return defaultdict(tuple, {cell: tuple(orders) for cell, orders in found.items()})

    def keys_of(self, position: Position) -> list[str]:
        """Of the orders that the newest quote can have made of it."""
        quote = self.quote(position)
        return [robot_key(position, quote.at, side) for side in (Side.BUY, Side.SELL)] if quote else []

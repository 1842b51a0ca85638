"""The chart of one cell: its price, its anchor and its trades since the beginning, in today's shares."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

from dividends.models import Split
from portfolios.domain.amounts import MICROS, PPM, as_text
from portfolios.events import EventType
from portfolios.models import Event, Position
from portfolios.selectors import effective_rules
from reporting.selectors.facts import EXCHANGE_TIME, moments_of
from reporting.selectors.worth import worth_over
from trading.market.models import Bar, MarketClock
from trading.market.selectors import newest_quote
from trading.models import Execution

POINTS, MAX_DAYS = 1_500, 36_500
MOVES_ANCHOR = (
    EventType.POSITION_CREATED,
    EventType.ANCHOR_SET,
    EventType.ANCHOR_RESET,
    EventType.ANCHOR_CLEARED,
    EventType.ANCHOR_UPDATED,
    EventType.EX_DIVIDEND,
    EventType.SPLIT,
)


def chart_of(position: Position, clocks: Iterable[MarketClock], *, last_days: int | None = None) -> dict[str, Any]:
    """Points as parallel lists, at most POINTS of them; trades on the days that were kept. Floats: only drawn."""
    prices = thinned(prices_of(position, clocks, last_days))
    days = [day for day, _ in prices]
    splits = list(Split.objects.filter(symbol=position.symbol, source=position.source))
    scale = {day: scale_on(day, splits) for day in days}
    anchors = anchors_on(position, days)
    rules = effective_rules(position).rules
    return {
        "days": [day.isoformat() for day in days],
        "prices": [drawn(price, scale[day]) for day, price in prices],
        "anchors": [drawn(anchor, scale[day]) if anchor else None for day, anchor in zip(days, anchors, strict=True)],
        "up": rules.trigger_up / PPM,
        "down": rules.trigger_down / PPM,
        "trades": trades_on(position, days, splits),
        **worth_over(position, prices, rules.withholding),
    }


def prices_of(position: Position, clocks: Iterable[MarketClock], last_days: int | None) -> list[tuple[date, int]]:
    """Recorded closes from the first day asked for to the session before, then the newest price."""
    today = moments_of({position.source}, clocks)[position.source].day
    first = position.opened_on or today
    if last_days is not None:
        first = max(first, today - timedelta(days=min(last_days, MAX_DAYS)))
    bars = Bar.objects.filter(symbol=position.symbol, day__gte=first, day__lt=today)
    prices = list(bars.order_by("day").values_list("day", "close"))
    quote = newest_quote(position.symbol, position.source)
    if quote:
        prices.append((quote.at.astimezone(EXCHANGE_TIME).date(), quote.last))
    return [point for index, point in enumerate(prices) if index == 0 or point[0] > prices[index - 1][0]]


def thinned(prices: Sequence[tuple[date, int]]) -> list[tuple[date, int]]:
    """Every nth, so that the newest stays and there are at most POINTS."""
    every = max(-(-len(prices) // POINTS), 1)
    return list(prices[::-1][::every])[::-1]


def scale_on(day: date, splits: Sequence[Split]) -> Fraction:
    """What a price of that day is multiplied with to read in today's shares."""
    scale = Fraction(1)
    for split in splits:
        if split.ex_date > day:
            scale *= Fraction(split.denominator, split.numerator)
    return scale


def drawn(price: int, scale: Fraction) -> float:
    return round(float(price * scale / MICROS), 4)


def anchors_on(position: Position, days: Sequence[date]) -> list[int]:
    """The anchor at the end of each day; 0 while there was none."""
    moves = Event.objects.of(position).filter(type__in=MOVES_ANCHOR).values_list("market_at", "anchor_after")
    steps = [(at.astimezone(EXCHANGE_TIME).date(), anchor) for at, anchor in moves]
    dates = [day for day, _ in steps]
    places = [bisect_right(dates, day) for day in days]
    return [steps[place - 1][1] if place else 0 for place in places]


def trades_on(position: Position, days: Sequence[date], splits: Sequence[Split]) -> list[dict[str, Any]]:
    """Each execution of the time shown, on the first kept day that is not before it."""
    if not days:
        return []
    since = datetime.combine(days[0], time(), EXCHANGE_TIME)
    rows = Execution.objects.filter(order__position=position, at__gte=since).order_by("at", "pk")
    trades = []
    for at, side, price, quantity in rows.values_list("at", "order__side", "price", "quantity"):
        day = at.astimezone(EXCHANGE_TIME).date()
        at_price = drawn(price, scale_on(day, splits))
        place = min(bisect_left(days, day), len(days) - 1)
        trades.append({"at": place, "side": side, "price": at_price, "quantity": as_text(quantity)})
    return trades

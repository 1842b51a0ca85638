"""How amounts, rates and instants read on pages: separators, two decimals, a real minus sign, New York time."""

from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from django import template

from portfolios.domain.amounts import as_decimal, as_text
from reporting.wording import TRIMS, WHYS, reason_in_words
from trading.domain.choices import Decision, Reason
from trading.domain.explanation import trims_of

register = template.Library()
NEW_YORK = ZoneInfo("America/New_York")
MINUS = "\u2212"
CENT = Decimal("0.01")


@register.filter
def money(amount: int | None, rounding: str = ROUND_HALF_UP) -> str:
    """Micros as dollars and cents; a dash while unknown."""
    if amount is None:
        return "–"
    cents = as_decimal(amount).quantize(CENT, rounding=rounding)
    return f"{MINUS if cents < 0 else ''}${abs(cents):,}"


@register.filter
def money_down(amount: int | None) -> str:
    """The cent at or below: a price that is safe to call "or below"."""
    return money(amount, ROUND_FLOOR)


@register.filter
def money_up(amount: int | None) -> str:
    """The cent at or above: a price that is safe to call "or above"."""
    return money(amount, ROUND_CEILING)


@register.filter
def signed_money(amount: int | None) -> str:
    text = money(amount)
    return f"+{text}" if amount and as_decimal(amount).quantize(CENT, rounding=ROUND_HALF_UP) > 0 else text


@register.filter
def shares(amount: int) -> str:
    """As many decimals as there are."""
    whole, point, fraction = as_text(amount).partition(".")
    return f"{int(whole):,}{point}{fraction}".replace("-", MINUS)


@register.filter
def plain(amount: int) -> str:
    """To the micro, as it is booked."""
    return shares(amount)


@register.filter
def signed_plain(amount: int) -> str:
    return f"+{shares(amount)}" if amount > 0 else shares(amount)


@register.filter
def percent(ppm: int | None, places: int = 1) -> str:
    if ppm is None:
        return "–"
    exact = (Decimal(ppm) / 10_000).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{exact:,} %".replace("-", MINUS)


@register.filter
def percent_bare(ppm: int) -> str:
    """For the first of two: 25–75 %."""
    return percent(ppm, 0).removesuffix(" %")


@register.filter
def signed_percent(ppm: int | None) -> str:
    text = percent(ppm, 2)
    return f"+{text}" if ppm and ppm >= 50 else text


@register.filter
def tone(amount: int | None) -> str:
    """The class of a gain or a loss; the sign beside it says the same without colour."""
    return "" if not amount else "gain" if amount > 0 else "loss"


@register.filter
def market_time(at: datetime | None) -> str:
    """The instant on the exchange's clock: 3 Jan 2008, 16:00."""
    return f"{market_date(at.astimezone(NEW_YORK))}, {at.astimezone(NEW_YORK):%H:%M}" if at else "never"


@register.filter
def market_day(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%A} {market_date(at.astimezone(NEW_YORK))}"


@register.filter
def market_clock(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%H:%M}"


@register.filter
def market_date(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


@register.filter
def age(milliseconds: int | None) -> str:
    """How old, in the largest unit that says enough."""
    if milliseconds is None:
        return "unknown"
    seconds = milliseconds // 1000
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}{'s' if seconds >= 2 * size else ''}"
    return f"{seconds} s"


@register.filter
def in_words(reason: Reason) -> str:
    return reason_in_words(reason)


@register.filter
def why(order_reason: str) -> str:
    return WHYS.get(order_reason, "ordered by a person")


@register.filter
def cuts(decision: Decision) -> str:
    """What trimmed it, for a sentence: "guardrail, cash at hand"."""
    return ", ".join(TRIMS[trim.name].lower() for trim in trims_of(decision))

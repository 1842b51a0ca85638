"""How amounts, rates and instants read on pages: separators, two decimals, a real minus sign, New York time."""

from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from portfolios.domain.amounts import MICROS, as_decimal, as_text

NEW_YORK = ZoneInfo("America/New_York")
MINUS = "\u2212"
SPACE = "\u00a0"
CENT = Decimal("0.01")


def money(amount: int | None, rounding: str = ROUND_HALF_UP) -> str:
    """Micros as dollars and cents; a dash while unknown."""
    if amount is None:
        return "–"
    cents = as_decimal(amount).quantize(CENT, rounding=rounding)
    return f"{MINUS if cents < 0 else ''}${abs(cents):,}"


def money_down(amount: int | None) -> str:
    """The cent at or below: a price that is safe to call "or below"."""
    return money(amount, ROUND_FLOOR)


def money_up(amount: int | None) -> str:
    """The cent at or above: a price that is safe to call "or above"."""
    return money(amount, ROUND_CEILING)


def signed_money(amount: int | None) -> str:
    text = money(amount)
    return f"+{text}" if amount and as_decimal(amount).quantize(CENT, rounding=ROUND_HALF_UP) > 0 else text


def shares(amount: int) -> str:
    """As many decimals as there are."""
    whole, point, fraction = as_text(amount).partition(".")
    return f"{int(whole):,}{point}{fraction}".replace("-", MINUS)


def shares_about(amount: int) -> str:
    """For sentences: two decimals from one share on, all there are below."""
    if amount < MICROS:
        return shares(amount)
    return f"{as_decimal(amount).quantize(CENT, rounding=ROUND_HALF_UP).normalize():,f}"


def plain(amount: int) -> str:
    """To the micro, as it is booked."""
    return shares(amount)


def signed_plain(amount: int) -> str:
    return f"+{shares(amount)}" if amount > 0 else shares(amount)


def percent(ppm: int | None, places: int = 1) -> str:
    """Without a sign where rounding leaves nothing: what adding 0 does to a decimal."""
    if ppm is None:
        return "–"
    exact = (Decimal(ppm) / 10_000).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{exact + 0:,}{SPACE}%".replace("-", MINUS)


def percent_bare(ppm: int) -> str:
    """For the first of two: 25–75 %."""
    return percent(ppm, 0).removesuffix(f"{SPACE}%")


def signed_percent(ppm: int | None) -> str:
    text = percent(ppm, 2)
    return f"+{text}" if ppm and ppm >= 50 else text


def basis_points(ppm: int | None) -> str:
    """Hundredths of a per cent: 3.4 bps; plus is against us where it is slippage."""
    if ppm is None:
        return "–"
    exact = (Decimal(ppm) / 100).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return f"{exact:+,}{SPACE}bps".replace("-", MINUS).replace("+0.0", "0.0").replace(f"{MINUS}0.0", "0.0")


def tone(amount: int | None) -> str:
    """The class of a gain or a loss; the sign beside it says the same without colour."""
    return "" if not amount else "gain" if amount > 0 else "loss"


def market_time(at: datetime | None) -> str:
    """The instant on the exchange's clock: 3 Jan 2008, 16:00."""
    return f"{market_date(at.astimezone(NEW_YORK))}, {at.astimezone(NEW_YORK):%H:%M}" if at else "never"


def market_day(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%A} {market_date(at.astimezone(NEW_YORK))}"


def market_clock(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%H:%M}"


def market_date(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def age(milliseconds: int | None) -> str:
    """How old, in the largest unit that says enough."""
    if milliseconds is None:
        return "unknown"
    seconds = milliseconds // 1000
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}{'s' if seconds >= 2 * size else ''}"
    return f"{seconds} s"

"""Yahoo's newest prices, dividends and splits through yfinance, an optional extra: `pip install "yfinance>=1.7,<2"`."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from django.conf import settings

from portfolios.domain.amounts import MAX_PRICE
from trading.market.base import Price, PriceUnavailable, Unreadable
from trading.market.sources.corporate import FINEST, DividendTold, SplitTold
from trading.market.sources.reading import micros_in

PATIENCE = 5  # seconds
NOT_FOUND = 404
UNKNOWN = "delisted"  # in what Yahoo says of a symbol that it does not know


class YahooSource:
    """It tells neither bid nor ask with a time, so a price is the close of its newest minute, at that minute."""

    name = "yahoo"

    def newest(self, symbols: Collection[str]) -> list[Price | Unreadable]:
        """Symbols it does not know are left out. Raises PriceUnavailable, also where the library is not there."""
        found = []
        for symbol in sorted(symbols):
            rows = history_of(symbol, period="1d", interval="1m", prepost=False)
            rows = rows if rows is None else rows[rows["Close"].notna()]  # a minute that just began has none
            if rows is not None and len(rows):
                found.append(price_in(symbol, rows.index[-1].to_pydatetime(), rows["Close"].iloc[-1]))
        return found


class YahooActions:
    """What went ex, up to today. It announces nothing ahead, names no pay date, and what is new may come hours late."""

    name = "yahoo"

    def between(self, symbols: Collection[str], first: date, last: date) -> tuple[list[DividendTold], list[SplitTold]]:
        """Raises PriceUnavailable: then nothing is known."""
        dividends: list[DividendTold] = []
        splits: list[SplitTold] = []
        for symbol in sorted(symbols):
            rows = history_of(symbol, start=first, end=last + timedelta(days=1), interval="1d", actions=True)
            if rows is None or not len(rows):
                continue
            parted = [split_in(symbol, day, value) for day, value in told_in(rows, "Stock Splits")]
            splits += parted
            dividends += [dividend_in(symbol, day, value, parted) for day, value in told_in(rows, "Dividends")]
        return dividends, splits


def history_of(symbol: str, **asked: Any) -> Any:
    """Rows as the library gives them (a pandas table), as traded; None for a symbol that nobody knows.

    Raises PriceUnavailable. Unless told otherwise the library writes what went wrong into a log and gives no rows,
    which cannot be told from a symbol without prices.
    """
    try:
        import yfinance  # noqa: PLC0415 - 2 s, pulls pandas
        from yfinance.exceptions import YFPricesMissingError, YFTzMissingError  # noqa: PLC0415
    except ImportError:
        raise PriceUnavailable("the library yfinance is not installed: it is the extra named yahoo") from None
    yfinance.config.debug.hide_exceptions = False
    yfinance.set_tz_cache_location(str(settings.VAR / "cache" / "yfinance"))
    try:
        return yfinance.Ticker(symbol).history(**asked, auto_adjust=False, timeout=PATIENCE)
    except YFTzMissingError:
        return None
    except YFPricesMissingError as error:
        if UNKNOWN in (error.yahoo_reason or UNKNOWN) and "status_code" not in str(error.debug_info):
            return None  # nobody knows it, or nothing was traded yet
        raise PriceUnavailable("yfinance: no prices, for a reason of its own") from None
    except Exception as error:  # whatever the library or its page raises
        if getattr(getattr(error, "response", None), "status_code", 0) == NOT_FOUND:
            return None
        raise PriceUnavailable(f"yfinance: {type(error).__name__}") from None


def price_in(symbol: str, at: datetime, close: Any) -> Price | Unreadable:
    value = micros_in(float(close))
    at = at.astimezone(UTC)
    if value is None:
        return Unreadable(symbol, at, str(close)[:40], YahooSource.name)
    return Price(symbol, at, value, 0, 0, None, YahooSource.name)


def told_in(rows: Any, column: str) -> Iterable[tuple[date, float]]:
    """By exchange date, oldest first; where nothing happened there is a zero."""
    found = rows.get(column, ())
    return [(at.date(), float(value)) for at, value in zip(rows.index, found, strict=False) if value]


def split_in(symbol: str, day: date, value: float) -> SplitTold:
    """The ratio is told as one number: 1.5 for 3 new of 2 old."""
    try:
        ratio = Fraction(value).limit_denominator(FINEST)
    except (ValueError, OverflowError):
        ratio = Fraction(0)
    if ratio <= 0 or ratio == 1 or ratio.numerator > FINEST:
        raise PriceUnavailable(f"{symbol}: a split cannot be read")
    return SplitTold(symbol, day, ratio.numerator, ratio.denominator)


def dividend_in(symbol: str, day: date, value: float, splits: Iterable[SplitTold]) -> DividendTold:
    """As paid: it is told per share of today, so splits since then are taken back."""
    dps = micros_in(value) or 0
    for split in splits:
        if split.ex_date > day:
            dps = round(Fraction(dps * split.numerator, split.denominator))
    if not 0 < dps <= MAX_PRICE:
        raise PriceUnavailable(f"{symbol}: a dividend cannot be read")
    return DividendTold(symbol, day, dps, None)

"""Yahoo's newest prices through yfinance, an optional extra: `pip install volatility-balancing[yahoo]`."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from trading.market.base import Price, PriceUnavailable, Unreadable
from trading.market.sources.reading import micros_in

PATIENCE = 5  # seconds


class YahooSource:
    """It tells neither bid nor ask with a time, so a price is the close of its newest minute, at that minute."""

    name = "yahoo"

    def newest(self, symbols: Collection[str]) -> list[Price | Unreadable]:
        """Symbols it does not know are left out. Raises PriceUnavailable, also where the library is not there."""
        try:
            import yfinance  # noqa: PLC0415 - pulls pandas
        except ImportError:
            raise PriceUnavailable("the library yfinance is not installed: it is the extra named yahoo") from None
        found = []
        for symbol in sorted(symbols):
            try:
                rows = yfinance.Ticker(symbol).history(
                    period="1d", interval="1m", prepost=False, auto_adjust=False, timeout=PATIENCE
                )
            except Exception as error:  # whatever the library or its page raises
                raise PriceUnavailable(f"yfinance: {type(error).__name__}") from None
            if len(rows):
                found.append(price_in(symbol, rows.index[-1].to_pydatetime(), rows["Close"].iloc[-1]))
        return found


def price_in(symbol: str, at: datetime, close: Any) -> Price | Unreadable:
    value = micros_in(float(close))
    at = at.astimezone(UTC)
    if value is None:
        return Unreadable(symbol, at, str(close)[:40], YahooSource.name)
    return Price(symbol, at, value, 0, 0, None, YahooSource.name)

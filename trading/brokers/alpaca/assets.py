"""What Alpaca says of an asset, in our words. What it does not say, or says strangely, is left to what is known."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from portfolios.domain.amounts import MICROS, micros
from trading.brokers.base import BrokerSilent, Listed

# The exchange's name of its calendar: American stock exchanges keep the same sessions. OTC and others are not told.
CALENDARS = dict.fromkeys(("NYSE", "NASDAQ", "ARCA", "NYSEARCA", "AMEX", "BATS"), "XNYS")
DOLLARS = {"us_equity": "USD"}
NAME = 120


def listed(symbol: str, asset: Mapping[str, Any]) -> Listed:
    """Raises BrokerSilent where it is of something else, or not what the vendor documents."""
    if asset.get("symbol") != symbol or not isinstance(asset.get("tradable"), bool):
        raise BrokerSilent(f"the broker shows another asset than {symbol}")
    is_stock = asset.get("class") == "us_equity"
    return Listed(
        symbol,
        name=readable(asset.get("name")),
        exchange=CALENDARS.get(str(asset.get("exchange")), "") if is_stock else "",
        currency=DOLLARS.get(str(asset.get("class")), ""),
        tick=step(asset.get("price_increment")),
        lot=step(asset.get("min_trade_increment")),
        tradable=asset["tradable"] and asset.get("status") == "active" and is_stock,
        fractional=asset.get("fractionable") is True,
    )


def readable(name: Any) -> str:
    """One line of plain text; empty where it is none."""
    return name.strip()[:NAME] if isinstance(name, str) and name.isprintable() else ""


def step(value: Any) -> int:
    """A step of prices or quantities up to a whole one, in micros; 0 where none is told that can be kept."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return 0
    try:
        found = micros(value)
    except ValueError:
        return 0
    return found if 0 < found <= MICROS else 0

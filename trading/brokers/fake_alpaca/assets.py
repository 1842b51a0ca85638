"""What can be traded at the fake, and how: every symbol alike but for what is said of it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from trading.brokers.fake_alpaca.orders import FORBIDDEN, UNPROCESSABLE, Problem


class Assets:
    """whole: symbols of which no parts are traded; unlisted: symbols that are no asset; said: all else, by symbol."""

    def __init__(self, id_of: Callable[[str], str]) -> None:
        self.id_of = id_of
        self.whole: set[str] = set()
        self.unlisted: set[str] = set()
        self.said: dict[str, dict[str, Any]] = {}

    def wire(self, symbol: str) -> dict[str, Any]:
        """As the vendor tells it; steps are told of few."""
        return {
            "id": self.id_of(symbol),
            "class": "us_equity",
            "exchange": "NYSE",
            "symbol": symbol,
            "name": f"{symbol} Common Stock",
            "status": "active",
            "tradable": True,
            "marginable": True,
            "maintenance_margin_requirement": 30,
            "shortable": False,
            "easy_to_borrow": False,
            "fractionable": symbol not in self.whole,
            "attributes": ["fractional_eh_enabled"],
        } | self.said.get(symbol, {})

    def refuse(self, symbol: str, qty: Decimal) -> None:
        """Raises Problem for an order of what is not traded, or not in parts."""
        if symbol in self.unlisted:
            raise Problem(422, UNPROCESSABLE, f'could not find asset "{symbol}"')
        asset = self.wire(symbol)
        if asset["status"] != "active" or not asset["tradable"]:
            words = "active" if asset["status"] != "active" else "tradable"
            raise Problem(422, UNPROCESSABLE, f"asset {symbol} is not {words}")
        if not asset["fractionable"] and qty % 1:
            raise Problem(403, FORBIDDEN, f"asset {symbol} is not fractionable")

"""The paper broker: fills at the quote plus slippage, in whole, at once; a limit order rests until it is met."""

from portfolios.domain.amounts import PPM
from portfolios.domain.exact import muldiv_ceil, muldiv_floor
from trading.brokers.base import Fill, OrderRequest, Report
from trading.domain.choices import Side
from trading.domain.costs import OURS


class PaperBroker:
    """Keeps nothing: one order fills once, and its execution id follows from its client_order_id."""

    def submit(self, request: OrderRequest) -> Report:
        price = filled_at(request)
        if price == 0:
            return Report("accepted")
        fill = Fill(
            f"{request.client_order_id}-1", request.quantity - request.filled_quantity, price, OURS, request.market_at
        )
        return Report("filled", (fill,))

    def find(self, request: OrderRequest) -> Report | None:
        return self.submit(request)

    def cancel(self, request: OrderRequest) -> Report:
        return Report("cancelled")


def filled_at(request: OrderRequest) -> int:
    """The price of the fill in micros, never worse than the limit; 0 while the limit is not met."""
    if request.side == Side.BUY:
        price = muldiv_ceil(request.price, PPM + request.slippage, PPM)
        if request.limit_price == 0:
            return price
        return min(price, request.limit_price) if request.price <= request.limit_price else 0
    price = muldiv_floor(request.price, PPM - request.slippage, PPM)
    if request.limit_price == 0:
        return price
    return max(price, request.limit_price) if request.price >= request.limit_price else 0

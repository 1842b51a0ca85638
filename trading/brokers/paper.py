"""The paper broker: a venue with a book of its own. It fills at the price it is shown plus slippage, whole or in parts.

It knows nothing of our tables, and we know its book by asking only.
"""

from collections.abc import Collection
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Sum

from trading.brokers.base import Abilities, Entry, Fill, Holdings, OrderRequest, Report, Standing, Traded, refuse_late
from trading.brokers.models import PaperEntry, PaperExecution, PaperOrder
from trading.domain.choices import Side
from trading.domain.costs import OURS, fill_price
from trading.domain.order_life import WORKING

PAGE = 500


class PaperBroker:
    grace = 0.0

    def __init__(self, account: str) -> None:
        self.account = account

    @transaction.atomic
    def submit(self, request: OrderRequest) -> Report:
        refuse_late(request)
        PaperOrder.objects.bulk_create([self.entered(request)], ignore_conflicts=True)
        return self.looked_at(self.locked(request), request)

    @transaction.atomic
    def find(self, request: OrderRequest) -> Report | None:
        order = PaperOrder.objects.select_for_update().filter(client_order_id=request.client_order_id).first()
        return self.looked_at(order, request) if order else None

    @transaction.atomic
    def cancel(self, request: OrderRequest) -> Report | None:
        order = PaperOrder.objects.select_for_update().filter(client_order_id=request.client_order_id).first()
        if order is None:
            return None
        if order.status in WORKING:
            order.status = "cancelled"
            order.save(update_fields=["status"])
        return report_on(order)

    @transaction.atomic
    def fill_by_hand(self, request: OrderRequest, quantity: int, price: int, commission: int) -> Report | None:
        """Somebody says how it was filled, whatever the market does. None where that much is no longer open."""
        PaperOrder.objects.bulk_create([self.entered(request)], ignore_conflicts=True)
        order = self.locked(request)
        if order.status not in WORKING or quantity > order.quantity - order.filled_quantity:
            return None
        execute(order, quantity, price, commission, request)
        return report_on(order)

    def open_orders(self) -> list[Standing]:
        orders = PaperOrder.objects.filter(account=self.account, status__in=WORKING).order_by("pk")
        return [
            Standing(row.client_order_id, row.symbol, Side[row.side], row.quantity, row.filled_quantity, row.status)
            for row in orders
        ]

    def fills_since(self, cursor: str) -> tuple[list[Traded], str]:
        rows = PaperExecution.objects.filter(order__account=self.account, pk__gt=int(cursor or 0))
        found = list(rows.select_related("order").order_by("pk")[:PAGE])
        traded = [
            Traded(row.order.client_order_id, row.order.symbol, Side[row.order.side], fill_of(row)) for row in found
        ]
        return traded, str(found[-1].pk) if found else cursor

    def holdings(self) -> Holdings | None:
        """What was bought, sold, split and paid here: it does not know what was brought in."""
        rows = PaperExecution.objects.filter(order__account=self.account)
        shares: dict[str, int] = {}
        for symbol, side, quantity in rows.values_list("order__symbol", "order__side").annotate(Sum("quantity")):
            shares[symbol] = shares.get(symbol, 0) + int(quantity) * (1 if side == "BUY" else -1)
        entries = PaperEntry.objects.filter(account=self.account)
        for symbol, added in entries.values_list("symbol").annotate(Sum("shares")):
            shares[symbol] = shares.get(symbol, 0) + int(added)
        paid = entries.filter(kind=PaperEntry.Kind.PAID).aggregate(all=Sum("cash", default=0))["all"]
        return Holdings(shares, None, since_opening=True, received=int(paid))

    def entries_since(self, first: date) -> list[Entry] | None:
        return None

    def abilities(self, symbols: Collection[str]) -> Abilities | None:
        return None

    def entered(self, request: OrderRequest) -> PaperOrder:
        return PaperOrder(
            account=self.account,
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side.name,
            quantity=request.quantity,
            limit_price=request.limit_price,
            accepted_at=request.market_at,
            expires_at=request.expires_at,
        )

    def locked(self, request: OrderRequest) -> PaperOrder:
        return PaperOrder.objects.select_for_update().get(client_order_id=request.client_order_id)

    def looked_at(self, order: PaperOrder, request: OrderRequest) -> Report:
        """Held against the market once per quote, then its book is read out."""
        if order.status in WORKING and (order.matched_at is None or order.matched_at < request.market_at):
            self.match(order, request)
        return report_on(order)

    def match(self, order: PaperOrder, request: OrderRequest) -> None:
        ready = order.accepted_at + timedelta(milliseconds=request.latency_ms)
        price = market_of(request) if request.market_at >= ready else 0
        order.matched_at = request.market_at
        if price:
            rest = order.quantity - order.filled_quantity
            execute(order, min(rest, request.most_per_quote or rest), price, OURS, request)
        if order.status in WORKING and order.expires_at and request.market_at >= order.expires_at:
            order.status = "expired"
        order.save(update_fields=["matched_at", "status", "filled_quantity"])


def execute(order: PaperOrder, quantity: int, price: int, commission: int, request: OrderRequest) -> None:
    number = order.executions.count() + 1
    PaperExecution.objects.create(
        order=order,
        execution_id=f"{order.client_order_id}-{number}",
        quantity=quantity,
        price=price,
        commission=commission,
        at=request.market_at,
    )
    order.filled_quantity += quantity
    order.status = "filled" if order.filled_quantity == order.quantity else "partially_filled"
    order.save(update_fields=["status", "filled_quantity"])


def report_on(order: PaperOrder) -> Report:
    return Report(order.status, tuple(fill_of(row) for row in order.executions.order_by("pk")))


def fill_of(row: PaperExecution) -> Fill:
    return Fill(row.execution_id, row.quantity, row.price, row.commission, row.at)


def market_of(request: OrderRequest) -> int:
    """The price of the fill in micros, never worse than the limit; 0 while the limit is not met."""
    return fill_price(request.side, request.price, request.slippage, request.limit_price)

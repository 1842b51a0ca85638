"""The timeline as an export: every evaluation of a cell, stored or computed, with what became of its order."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from portfolios.domain.amounts import MICROS, PPM
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import total_value
from reporting.exports.columns import Column, Type
from reporting.exports.scope import Stretch
from reporting.exports.tables import Groups
from reporting.selectors.facts import EXCHANGE_TIME
from trading.domain.choices import Action, Reason, Side
from trading.domain.explanation import after_trade, stock_share
from trading.models import Order
from trading.timeline import evaluations, trades
from trading.timeline.rows import EvaluationRow

CHUNK = 2_000
MILLISECOND = MICROS // 1_000


class Evaluated(NamedTuple):
    """One evaluation and the order it led to, if any."""

    row: EvaluationRow
    order: Order | None

    @property
    def distance(self) -> int | None:
        """From the anchor, as a share of it (ppm)."""
        anchor, price = self.row.holding.anchor, self.row.sight.price
        return (price - anchor) * PPM // anchor if anchor else None

    @property
    def trigger(self) -> str:
        """Which one the price set off: the lower, the upper, or a guardrail that was left behind."""
        decision = self.row.decision
        if decision.reason == Reason.GUARDRAIL_REBALANCE:
            return "guardrail"
        return {Side.BUY: "down", Side.SELL: "up"}.get(decision.side, "")

    @property
    def side(self) -> str:
        side = self.row.decision.side
        return side.name if side != Side.NONE else ""

    @property
    def price(self) -> int | None:
        """The average of the fills; without one, the price decided at."""
        if self.order is None:
            return None
        if not self.order.filled_quantity:
            return self.row.sight.price
        return muldiv_floor(self.order.notional, MICROS, self.order.filled_quantity)

    @property
    def status(self) -> str:
        """Of the order, or why there is none: hold, skip, or proposed to a person."""
        if self.order:
            return self.order.status
        action = self.row.decision.action
        return "proposed" if action in (Action.BUY, Action.SELL) else action.name.lower()

    @property
    def share_after(self) -> int:
        row = self.row
        return stock_share(after_trade(row.holding, row.decision, row.sight.price), row.sight.price)


def of(name: str, kind: Type, get: Callable[[Evaluated], Any]) -> Column:
    return Column(name, kind, get)


TIMELINE = (
    of("date", Type.DAY, lambda one: one.row.at.astimezone(EXCHANGE_TIME).date()),
    of("time", Type.TIME, lambda one: one.row.at.astimezone(EXCHANGE_TIME).time()),
    of("market_status", Type.WORD, lambda one: str(one.row.phase)),
    of("price", Type.AMOUNT, lambda one: one.row.sight.price),
    of("source", Type.WORD, lambda one: one.row.sight.source),
    of("age", Type.AMOUNT, lambda one: one.row.sight.age * MILLISECOND),
    of("shares", Type.AMOUNT, lambda one: one.row.holding.shares),
    of("cash", Type.AMOUNT, lambda one: one.row.holding.cash),
    of("value", Type.AMOUNT, lambda one: total_value(one.row.holding, one.row.sight.price)),
    of("stock_share", Type.AMOUNT, lambda one: stock_share(one.row.holding, one.row.sight.price)),
    of("anchor", Type.AMOUNT, lambda one: one.row.holding.anchor or None),
    of("distance", Type.AMOUNT, lambda one: one.distance),
    of("trigger", Type.WORD, lambda one: one.trigger),
    of("raw_quantity", Type.AMOUNT, lambda one: one.row.decision.raw),
    of("trimmed_quantity", Type.AMOUNT, lambda one: one.row.decision.after_lot),
    of("side", Type.WORD, lambda one: one.side),
    of("order_price", Type.AMOUNT, lambda one: one.price),
    of("status", Type.WORD, lambda one: one.status),
    of("commission", Type.AMOUNT, lambda one: one.order.fee if one.order else None),
    of("notional", Type.AMOUNT, lambda one: one.order.notional if one.order else None),
    of("stock_share_after", Type.AMOUNT, lambda one: one.share_after),
    of("reason", Type.WORD, lambda one: one.row.reason),
)


def read_timeline(columns: Sequence[Column], stretch: Stretch, trades_only: bool) -> Groups:
    read = trades if trades_only else evaluations
    for stream in stretch.streams:
        rows = read(stream.position, stretch.since, stretch.until) if stream.position else iter(())
        yield stream, (tuple(column.source(one) for column in columns) for one in with_orders(rows))


def with_orders(rows: Iterator[EvaluationRow]) -> Iterator[Evaluated]:
    """The orders of a few thousand rows at a time, in one query."""
    while chunk := list(islice(rows, CHUNK)):
        wanted = [row.order_id for row in chunk if row.order_id]
        orders = {order.public_id: order for order in Order.objects.filter(public_id__in=wanted)}
        yield from (Evaluated(row, orders.get(row.order_id) if row.order_id else None) for row in chunk)

"""What the doors of trading say: cells, events, evaluations and orders as JSON. Amounts as text, times with offset."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portfolios.api.amounts import AmountField
from portfolios.api.serializers import Answer
from portfolios.domain.amounts import as_text
from portfolios.domain.exact import LARGEST
from portfolios.models import Event, Position
from trading.cards import WARNINGS, Card
from trading.domain.band import AWAKE
from trading.domain.explanation import reason_name, trims_of
from trading.domain.ladder import Rung, bitten_by
from trading.models import Order
from trading.past import Past


class TrimAnswer(Answer):
    name = serializers.CharField()
    before = AmountField()
    after = AmountField()


class NextActionAnswer(Answer):
    """What the rule would do at `price`; `qty` 0 with the reason when it would not trade there."""

    side = serializers.CharField(source="side.name")
    price = AmountField()
    qty = AmountField(source="decision.quantity")
    reason = serializers.SerializerMethodField()
    trims = serializers.SerializerMethodField()
    commission = AmountField(source="decision.commission")
    stock_share_after = AmountField()
    fired = serializers.BooleanField(help_text="The price is there already")

    def get_reason(self, rung: Rung) -> str:
        return reason_name(rung.decision.reason)

    @extend_schema_field(TrimAnswer(many=True))
    def get_trims(self, rung: Rung) -> Any:
        return TrimAnswer(trims_of(rung.decision), many=True).data


class RungAnswer(NextActionAnswer):
    """What the cell holds once it has filled there; `ends` names why no further rung follows."""

    qty_after = AmountField(source="holding_after.shares")
    cash_after = AmountField(source="holding_after.cash")
    anchor_after = AmountField(source="holding_after.anchor")
    ends = serializers.SerializerMethodField(help_text="The reason of the skip that ends the ladder, else null")

    def get_ends(self, rung: Rung) -> str | None:
        return reason_name(rung.ends) if rung.ends else None


class WayAnswer(Answer):
    """The rungs of one side, and the price of the first that a limit cuts or ends."""

    rungs = serializers.SerializerMethodField()
    guardrail_at = serializers.SerializerMethodField(help_text="Where a guardrail first bites")
    short_at = serializers.SerializerMethodField(help_text="Where cash or shares end")

    @extend_schema_field(RungAnswer(many=True))
    def get_rungs(self, rungs: tuple[Rung, ...]) -> Any:
        return RungAnswer(rungs, many=True).data

    @extend_schema_field(AmountField(allow_null=True))
    def get_guardrail_at(self, rungs: tuple[Rung, ...]) -> str | None:
        return price_of(bitten_by(rungs, "guardrail"))

    @extend_schema_field(AmountField(allow_null=True))
    def get_short_at(self, rungs: tuple[Rung, ...]) -> str | None:
        return price_of(bitten_by(rungs, "insufficient_cash", "insufficient_shares"))


def price_of(rung: Rung | None) -> str | None:
    return as_text(rung.price) if rung else None


class WaitAnswer(Answer):
    """What keeps the cell from deciding anything, however its next actions read: `no_price`, `split_due` or
    `unexplained_gap`."""

    reason = serializers.CharField()
    message = serializers.CharField(source="sentence")


class LadderAnswer(Answer):
    position_id = serializers.UUIDField(source="position.public_id")
    price = AmountField(source="sight.price", default=None, allow_null=True)
    price_at = serializers.DateTimeField(source="sight.at", default=None, allow_null=True)
    waits = WaitAnswer(source="wait", allow_null=True)
    buys = WayAnswer(source="ladder.buys")
    sells = WayAnswer(source="ladder.sells")


class BandAnswer(Answer):
    """No price strictly between the two can lead to a decision. Both null: every price is looked at."""

    below = AmountField(allow_null=True)
    above = AmountField(allow_null=True)


class HeldAnswer(Answer):
    """What a cell holds and what that is worth, now or at a past instant."""

    id = serializers.UUIDField(source="position.public_id")
    portfolio_id = serializers.UUIDField(source="position.portfolio.public_id")
    ticker = serializers.CharField(source="position.symbol")
    state = serializers.ChoiceField(choices=Position.Status.choices, source="position.state")
    qty = AmountField(source="position.shares")
    cash = AmountField(source="position.cash")
    receivable = AmountField(source="position.receivable")
    reserved_qty = AmountField(source="position.reserved_shares")
    reserved_cash = AmountField(source="position.reserved_cash")
    anchor = serializers.SerializerMethodField()
    price = AmountField(source="sight.price", default=None, allow_null=True)
    price_at = serializers.DateTimeField(source="sight.at", default=None, allow_null=True)
    price_age_ms = serializers.IntegerField(source="sight.age", default=None, allow_null=True)
    value = AmountField(allow_null=True)
    stock_share = AmountField(allow_null=True)

    @extend_schema_field(AmountField(allow_null=True))
    def get_anchor(self, seen: Card | Past) -> str | None:
        return as_text(seen.position.anchor) if seen.position.anchor else None


class PositionAnswer(HeldAnswer):
    guardrail_low = AmountField(source="rules.guardrail_low")
    guardrail_high = AmountField(source="rules.guardrail_high")
    wake_band = serializers.SerializerMethodField()
    next_buy = NextActionAnswer(allow_null=True)
    next_sell = NextActionAnswer(allow_null=True)
    waits = WaitAnswer(source="wait", allow_null=True)
    last_seq = serializers.IntegerField(source="position.event_seq")
    created_at = serializers.DateTimeField(source="position.created_at")

    @extend_schema_field(BandAnswer)
    def get_wake_band(self, card: Card) -> Any:
        below, above = card.band
        if card.band == AWAKE:
            return {"below": None, "above": None}
        return BandAnswer({"below": below or None, "above": above if above < LARGEST else None}).data


class PositionPage(Answer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = PositionAnswer(many=True)


class EventAnswer(Answer):
    seq = serializers.IntegerField()
    type = serializers.CharField()
    inputs = serializers.DictField(source="content.inputs")
    outputs = serializers.DictField(source="content.outputs")
    message = serializers.CharField(source="content.message")
    market_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField(source="recorded_at")
    hash = serializers.CharField()


class EventsAnswer(Answer):
    stream = serializers.ChoiceField(choices=Event.Stream.choices)
    stream_id = serializers.UUIDField(allow_null=True, help_text="null: nothing ever happened in it")
    position_id = serializers.UUIDField(allow_null=True, help_text="The cell, if it is the stream of one")
    events = EventAnswer(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="Ask again with `after` at this; null: that was all")


class EvaluationRowAnswer(Answer):
    """`seq` and `actor` are the event's, null where none was written; `order_id` what a trade led to."""

    id = serializers.CharField(help_text="Good for `/v1/evaluations/{id}` and its why-not")
    at = serializers.DateTimeField(help_text="Market time of the quote")
    computed = serializers.BooleanField()
    market = serializers.CharField(source="phase")
    action = serializers.CharField(source="decision.action.name")
    reason = serializers.CharField()
    inputs = serializers.DictField()
    outputs = serializers.DictField()
    seq = serializers.IntegerField(allow_null=True)
    actor = serializers.CharField(allow_null=True)
    order_id = serializers.UUIDField(allow_null=True)


class TimelineAnswer(Answer):
    position_id = serializers.UUIDField()
    evaluations = EvaluationRowAnswer(many=True)
    next = serializers.URLField(allow_null=True, help_text="Where to read on; null: that was all")
    previous = serializers.URLField(allow_null=True, help_text="The page before; null: this is the first")


class ProposalAnswer(Answer):
    side = serializers.CharField()
    qty = AmountField()
    price = AmountField()
    trims = TrimAnswer(many=True)


class GateAnswer(Answer):
    name = serializers.CharField()
    open = serializers.BooleanField()
    value = serializers.CharField()


class EvaluationAnswer(Answer):
    position_id = serializers.UUIDField()
    proposals = ProposalAnswer(many=True)
    gates = GateAnswer(many=True)
    reason = serializers.CharField()


class ExecutionAnswer(Answer):
    qty = AmountField(source="quantity")
    price = AmountField()
    notional = AmountField()
    commission = AmountField()
    at = serializers.DateTimeField()


class OrderAnswer(Answer):
    order_id = serializers.UUIDField(source="public_id")
    position_id = serializers.UUIDField(source="position.public_id")
    ticker = serializers.CharField(source="position.symbol")
    origin = serializers.ChoiceField(choices=Order.Origin.choices)
    side = serializers.CharField()
    qty = AmountField(source="quantity")
    limit_price = AmountField(allow_null=True)
    status = serializers.CharField()
    reason = serializers.CharField()
    decision_price = AmountField(allow_null=True)
    filled_qty = AmountField(source="filled_quantity")
    notional = AmountField()
    commission = AmountField(source="fee")
    quote_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Market time: of the proposal, or of the day")
    created_at = serializers.DateTimeField()


class OrderDetailAnswer(OrderAnswer):
    executions = serializers.SerializerMethodField()

    @extend_schema_field(ExecutionAnswer(many=True))
    def get_executions(self, order: Order) -> Any:
        return ExecutionAnswer(order.executions.order_by("pk"), many=True).data


class OrderPage(Answer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = OrderAnswer(many=True)


class AcceptedAnswer(Answer):
    order_id = serializers.UUIDField()
    accepted = serializers.BooleanField()
    position_id = serializers.UUIDField()


class PreviewAnswer(Answer):
    """`cost` is what a buy takes, fee included, or what a sale brings after it; null without a price to tell by."""

    side = serializers.CharField(source="side.name")
    qty = AmountField(source="quantity")
    price = AmountField(allow_null=True)
    commission = AmountField(source="fee", allow_null=True)
    cost = AmountField(allow_null=True)
    reserves = AmountField(help_text="Cash it would be promised")
    stock_share = AmountField(allow_null=True)
    stock_share_after = AmountField(allow_null=True)
    warnings = serializers.ListField(child=serializers.ChoiceField(choices=list(WARNINGS)))


class FillAnswer(Answer):
    order_id = serializers.UUIDField()
    status = serializers.CharField()
    position_qty = AmountField()
    position_cash = AmountField()


class TickAnswer(Answer):
    evaluation = EvaluationAnswer()
    order = OrderAnswer(allow_null=True)
    position_qty = AmountField()
    position_cash = AmountField()


def show_positions(cards: Sequence[Card]) -> list[dict[str, Any]]:
    return list(PositionAnswer(cards, many=True).data)

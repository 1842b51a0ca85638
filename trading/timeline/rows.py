"""One evaluation as a row, stored or computed: the same values either way."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from portfolios.domain.amounts import micros
from portfolios.domain.holding import Holding, Rules
from portfolios.events import EventType
from portfolios.models import Event
from trading.domain.choices import Action, Decision, Reason, Side
from trading.domain.explanation import reason_name
from trading.domain.prices import PriceKind
from trading.market.calendars import Phase
from trading.market.models import Quote
from trading.quotes.reading import quote_at
from trading.services.account import inputs_of, outputs_of
from trading.sight import Sight, age_limit
from trading.timeline.walk import Walk
from trading.waits import UNEXPLAINED

STORED = (EventType.EVALUATED, EventType.SKIPPED, EventType.GUARDRAIL_REBALANCE, EventType.ANCHOR_SET)
WRITTEN = (EventType.ORDER_INTENT, EventType.ORDER_PROPOSED)
TRADES = (Action.BUY, Action.SELL)
UNDECIDED = Decision(Action.HOLD, Reason.NONE, Side.NONE, Reason.NONE, 0, 0, 0, 0, 0, 0, 0, 0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EvaluationRow(NamedTuple):
    """at: market time of the quote. holding: before it. seq, actor and content: the stored event's, else None.

    order_id: the order it led to; a proposal to a person leads to none. cell: whose it is. waited: why nothing could
    be decided, where that was so.
    """

    at: datetime
    computed: bool
    phase: Phase
    sight: Sight
    holding: Holding
    rules: Rules
    decision: Decision
    gate_values: dict[str, str]
    seq: int | None
    actor: str | None
    order_id: UUID | None
    content: dict[str, Any] | None
    cell: UUID
    waited: str = ""

    @property
    def id(self) -> str:
        """Cell and event, or where none was written cell and microseconds of the quote since 1970."""
        return (
            f"{self.cell}.{self.seq}" if self.seq else f"{self.cell}.q{(self.at - EPOCH) // timedelta(microseconds=1)}"
        )

    @property
    def reason(self) -> str:
        return self.waited or reason_name(self.decision.reason)

    @property
    def inputs(self) -> dict[str, Any]:
        return self.content["inputs"] if self.content else inputs_of(self.holding, self.sight)

    @property
    def outputs(self) -> dict[str, Any]:
        if self.content and self.content["outputs"]:
            return dict(self.content["outputs"])
        if self.waited:
            return {"action": self.decision.action.name, "reason": self.waited}
        return outputs_of(self.holding, self.rules, self.sight, self.decision, self.gate_values)


def quote_at_of(event: Event) -> datetime | None:
    """Market time of the quote that an event evaluated; None for one that is no evaluation or saw no price."""
    if event.type not in STORED:
        return None
    at = event.content["inputs"].get("quote_at")
    return datetime.fromisoformat(at) if at else None


def computed_row(walk: Walk, quote: Quote) -> EvaluationRow:
    sight, phase, holding, rules, decision, values = walk.calculation(quote)
    cell, waited = walk.position.public_id, ""
    if walk.gaps.waits(quote):
        decision, values, waited = UNDECIDED, {}, UNEXPLAINED
    return EvaluationRow(
        quote.at, True, phase, sight, holding, rules, decision, values, None, None, None, None, cell, waited
    )


def waiting_row(walk: Walk, event: Event) -> EvaluationRow | None:
    """Where the log says that it waited at a gap. None where that price is not recorded any more."""
    at = datetime.fromisoformat(event.content["inputs"]["quote_at"])
    quote = quote_at(walk.position.symbol, walk.position.source, at)
    if quote is None:
        return None
    row = computed_row(walk, quote)._replace(decision=UNDECIDED, gate_values={}, waited=UNEXPLAINED)
    return row._replace(computed=False, seq=event.seq, actor=event.actor, content=event.content)


def stored_row(walk: Walk, event: Event, following: Event | None) -> EvaluationRow:
    """As the event tells it. Its order, if it led to one, was written right after it."""
    content = event.content
    inputs, outputs = content["inputs"], content["outputs"]
    at = datetime.fromisoformat(inputs["quote_at"])
    decision = decision_from(outputs)
    led = following and following.type in WRITTEN and decision.action in TRADES
    sight = sight_from(inputs, walk)
    return EvaluationRow(
        at=at,
        computed=False,
        phase=walk.calendar.phase(sight.moment),
        sight=sight,
        holding=Holding(*(micros(inputs[name]) for name in Holding._fields)),
        rules=walk.rules,
        decision=decision,
        gate_values=dict(outputs.get("gates") or {}),
        seq=event.seq,
        actor=event.actor,
        order_id=following.subject if led and following else None,
        content=content,
        cell=walk.position.public_id,
    )


def sight_from(inputs: dict[str, Any], walk: Walk) -> Sight:
    age, at = int(inputs["age_ms"]), datetime.fromisoformat(inputs["quote_at"])
    return Sight(
        symbol=walk.position.symbol,
        source=inputs["source"],
        at=at,
        price=micros(inputs["price"]),
        kind=PriceKind[inputs["price_kind"].upper()],
        last=micros(inputs["last"]),
        mid=micros(inputs["mid"]) if inputs["mid"] else 0,
        age=age,
        stale=int(age > age_limit(walk.position.symbol, inputs["source"], at, walk.rules)),
    )


def decision_from(outputs: dict[str, Any]) -> Decision:
    """The fixed shape of a stored decision. The quote that set an anchor decided nothing."""
    if not outputs:
        return Decision(Action.HOLD, Reason.NO_ANCHOR, Side.NONE, Reason.NONE, 0, 0, 0, 0, 0, 0, 0, 0)
    reason = Reason[outputs["reason"].upper()]
    cuts = {trim["name"]: micros(trim["after"]) for trim in outputs["trims"]}
    raw = micros(outputs["raw"])
    after_max_trade = cuts.get("max_trade", raw)
    after_guardrail = cuts.get("guardrail", after_max_trade)
    after_cash = cuts.get("insufficient_cash", after_guardrail)
    after_shares = cuts.get("insufficient_shares", after_cash)
    return Decision(
        action=Action[outputs["action"]],
        reason=reason,
        side=Side[outputs["side"] or "NONE"],
        gate=reason if reason >= Reason.PAUSED else Reason.NONE,
        raw=raw,
        after_max_trade=after_max_trade,
        after_guardrail=after_guardrail,
        after_cash=after_cash,
        after_shares=after_shares,
        after_lot=cuts.get("lot", after_shares),
        quantity=micros(outputs["quantity"]),
        commission=micros(outputs["commission"]),
    )

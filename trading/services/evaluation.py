"""Evaluates one cell at the newest price: lock, decide, write what was decided and why."""

from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.db import transaction

from portfolios.domain.amounts import as_text
from portfolios.domain.holding import Rules
from portfolios.events import EventType
from portfolios.models import Event, Position
from portfolios.prepared import Keep, store
from portfolios.selectors import EffectiveRules, effective_rules
from portfolios.services.journal import Journal
from trading.domain.band import wake_band
from trading.domain.choices import OPEN, Action, Decision, Gates, Reason, Side, moves_anchor
from trading.domain.decision import decide, gated
from trading.market.models import Quote
from trading.models import Order
from trading.selectors import locked_cell
from trading.services.account import inputs_of, outputs_of, sentence_of
from trading.services.gates import UNASKED, Shut
from trading.services.intake import refuse_gap
from trading.services.proposals import needs_approval, propose, supersede
from trading.services.robot_orders import write_robot_order
from trading.services.surroundings import Surroundings
from trading.sight import Sight, see
from trading.waits import Wait, no_price

log = structlog.get_logger(__name__)
ROBOT = "robot"


class Evaluation(NamedTuple):
    """What was seen, what was decided, and what was written of it (None where nothing was).

    wait: what kept it from deciding anything.
    """

    position: Position
    sight: Sight | None
    rules: Rules
    gates: Gates
    gate_values: dict[str, str]
    decision: Decision | None
    order: Order | None
    event: Event | None
    wait: Wait | None = None


@transaction.atomic
def evaluate_position(*, position_id: int, asked_by: str = "", act: bool = True) -> Evaluation:
    """Decide for one cell at the newest quote; the same quote never makes a second order.

    The robot looks at each quote once and is quiet about what does not matter. A person who asks (`asked_by`) always
    leaves an event; with act=False he gets the proposal and no order is written.
    """
    position = locked_cell(position_id)
    return evaluated(position, Surroundings(position.source, [position]), asked_by=asked_by, act=act)


def evaluated(
    position: Position, around: Surroundings, *, asked_by: str = "", act: bool = True, keep: Keep = store
) -> Evaluation:
    """Of a locked cell, in the world around it; what is written of it goes to `keep`."""
    effective = around.rules(position)
    quote = around.quote(position)
    market_at = around.now
    journal = Journal(position, market_at=market_at, actor=asked_by or ROBOT, effective=effective, keep=keep)
    if quote is None:
        return undecided(position, effective, journal, asked_by, no_price(position.symbol), None)
    if not asked_by and (has_looked_at(quote, position) or around.order_goes_first(position, quote)):
        return unasked(position, effective)
    if wait := around.wait(position):
        return undecided(position, effective, journal, asked_by, wait, quote)
    sight = see(quote, market_at, effective.rules)
    if asked_by and has_set_the_anchor(quote, position):
        return held(position, effective, journal, sight)
    if position.anchor == 0 and not sight.stale:
        return anchored(position, effective, journal, sight, asked_by)
    return decided(position, effective, journal, sight, asked_by, act, around)


def unasked(position: Position, effective: EffectiveRules) -> Evaluation:
    return Evaluation(position, None, effective.rules, OPEN, {}, None, None, None)


def has_looked_at(quote: Quote, position: Position) -> bool:
    return position.quote_at is not None and position.quote_at >= quote.at


def has_set_the_anchor(quote: Quote, position: Position) -> bool:
    """Whether this very quote set the anchor; only asked when a person looks at a quote for the second time."""
    if position.quote_at != quote.at:
        return False
    event = Event.objects.of(position).filter(type=EventType.ANCHOR_SET).last()
    return event is not None and event.content["inputs"]["quote_at"] == quote.at.isoformat()


def held(position: Position, effective: EffectiveRules, journal: Journal, sight: Sight) -> Evaluation:
    """A person asks again at the price that set the anchor: it is written down, and still nothing is traded."""
    decision = at_the_anchor(position, effective, sight)
    message = f"Nothing at {as_text(sight.price)}: this price set the anchor."
    outputs = outputs_of(position.holding, effective.rules, sight, decision, {})
    event = journal.add(EventType.EVALUATED, message, inputs=inputs_of(position.holding, sight), outputs=outputs)
    journal.write()
    return Evaluation(position, sight, effective.rules, OPEN, {}, decision, None, event)


def at_the_anchor(position: Position, effective: EffectiveRules, sight: Sight) -> Decision:
    """At the price that sets or has set the anchor, whatever else the rule would say."""
    return without_trade(decide(position.holding, effective.rules, sight.price, OPEN))


def without_trade(decision: Decision) -> Decision:
    return decision._replace(action=Action.HOLD, reason=Reason.NO_ANCHOR, side=Side.NONE, quantity=0, commission=0)


def undecided(
    position: Position, effective: EffectiveRules, journal: Journal, asked_by: str, wait: Wait, quote: Quote | None
) -> Evaluation:
    """Nothing can be decided, and a person who asked is told why. A gap the robot says once a day by itself, and looks
    again until it is explained.
    """
    event, mark, named = None, "", {}
    if wait.gap and quote:
        mark, named = f"gap|{wait.gap.day}", wait.gap.named | {"quote_at": quote.at.isoformat()}
    if asked_by or (mark and position.skip_mark != mark):
        outputs = {"action": "HOLD", "reason": wait.reason}
        event = journal.add(EventType.EVALUATED, wait.sentence, inputs=named, outputs=outputs)
        if quote and mark and not asked_by:
            position.skip_mark = mark
            refuse_gap(quote, wait.sentence)
        journal.write()
    return Evaluation(position, None, effective.rules, OPEN, {}, None, None, event, wait)


def anchored(
    position: Position, effective: EffectiveRules, journal: Journal, sight: Sight, asked_by: str
) -> Evaluation:
    """The first good quote sets the anchor, and nothing is traded on it."""
    event = journal.add(
        EventType.ANCHOR_SET,
        f"Anchor set to {as_text(sight.price)}, the first good price; no trade happens on it.",
        anchor=sight.price,
        inputs=inputs_of(position.holding, sight),
    )
    position.quote_at = sight.at
    journal.write(band=wake_band(position.holding, effective.rules))
    decision = at_the_anchor(position, effective, sight)
    return Evaluation(position, sight, effective.rules, OPEN, {}, decision, None, event)


def decided(
    position: Position,
    effective: EffectiveRules,
    journal: Journal,
    sight: Sight,
    asked_by: str,
    act: bool,
    around: Surroundings,
) -> Evaluation:
    decision, shut = judged(position, effective.rules, sight, around)
    inputs = inputs_of(position.holding, sight)
    outputs = outputs_of(position.holding, effective.rules, sight, decision, shut.values)
    trades = act and decision.action in (Action.BUY, Action.SELL)
    if trades and around.has_proposal(position):
        supersede(journal, position, sight)
    event = written(journal, decision, inputs, outputs, position, effective, bool(asked_by))
    order = None
    if trades:
        write = propose if needs_approval(position) else write_robot_order
        order = write(journal, position, effective.rules, sight, decision, shut.day)
    elif act and moves_anchor(decision.reason) and effective.rules.reanchor_after_skip:
        reanchor(journal, sight.price)
    if act:
        position.quote_at = sight.at
        journal.write(band=wake_band(position.holding, effective.rules))
    elif journal.events:
        journal.write()
    return Evaluation(position, sight, effective.rules, shut.gates, shut.values, decision, order, event)


def judged(position: Position, rules: Rules, sight: Sight, around: Surroundings) -> tuple[Decision, Shut]:
    """The rule with open gates; where that asks for a side, with the gates as they stand."""
    decision = decide(position.holding, rules, sight.price, OPEN)
    if decision.side == Side.NONE:
        return decision, UNASKED
    shut = around.gates(position, rules, sight, decision.side)
    return gated(decision, shut.gates), shut


def written(
    journal: Journal,
    decision: Decision,
    inputs: dict[str, Any],
    outputs: dict[str, Any],
    position: Position,
    effective: EffectiveRules,
    asked: bool,
) -> Event | None:
    """The event an evaluation leaves: always when asked for or traded, a skip once per span, a quiet hold never."""
    if not asked and decision.action == Action.HOLD:
        return None
    mark = f"{decision.side}|{decision.reason}|{effective.named['sha256']}"
    repeats = position.skip_mark == f"{position.event_seq}|{mark}"
    if decision.action == Action.SKIP and repeats and not asked:
        return None
    kind = EventType.EVALUATED
    if decision.action == Action.SKIP:
        kind = EventType.SKIPPED
    elif decision.reason == Reason.GUARDRAIL_REBALANCE:
        kind = EventType.GUARDRAIL_REBALANCE
    event = journal.add(
        kind, sentence_of(decision, inputs, outputs, effective.rules, effective.lot), inputs=inputs, outputs=outputs
    )
    if decision.action == Action.SKIP:
        position.skip_mark = f"{position.event_seq}|{mark}"
    return event


def reanchor(journal: Journal, price: int) -> None:
    """Only a skip for its size moves the anchor; a shut gate never does."""
    journal.add(EventType.ANCHOR_RESET, f"Anchor reset to {as_text(price)} after the skip.", anchor=price)


def preview_position(*, position: Position, price: int | None = None, market_at: datetime | None = None) -> Evaluation:
    """What an evaluation would say now, or at a given price (micros); writes nothing and takes no lock."""
    effective = effective_rules(position)
    around = Surroundings(position.source, [position])
    at = market_at or around.now
    if price is not None:
        asked = Quote(symbol=position.symbol, source=position.source, at=at, last=price)
        around = Surroundings(position.source, [position], {position.symbol: asked})
    quote = around.quote(position)
    wait = around.wait(position) if quote else no_price(position.symbol)
    if quote is None or wait:
        return Evaluation(position, None, effective.rules, OPEN, {}, None, None, None, wait)
    sight = see(quote, at, effective.rules)
    sets_anchor = position.anchor == 0 and not sight.stale
    if sets_anchor or (price is None and has_set_the_anchor(quote, position)):
        decision, shut = at_the_anchor(position, effective, sight), UNASKED
    else:
        decision, shut = judged(position, effective.rules, sight, around)
    return Evaluation(position, sight, effective.rules, shut.gates, shut.values, decision, None, None)

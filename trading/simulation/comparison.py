"""What the engine did at each look and fact, against what the log says of it, field by field."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from dividends.domain.payments import payment_for
from portfolios.domain.amounts import as_text, micros
from portfolios.domain.holding import Holding, Rules
from portfolios.events import EventType
from portfolios.models import Event, Position
from portfolios.selectors import default_buffer, named_lot, rules_of, text_in
from trading.domain.band import wake_band
from trading.domain.choices import OPEN, Action, Decision, Reason, Side
from trading.domain.costs import cash_to_reserve, limit_price, reservation_price
from trading.domain.decision import decide
from trading.models import Order
from trading.services.account import inputs_of, outputs_of
from trading.services.gates import shut_by
from trading.services.robot_orders import robot_key
from trading.sight import Sight
from trading.simulation.engine import ANCHOR_RESET, ANCHOR_SET, FILL, HALTED, ORDER_OPEN, UNRECONCILED
from trading.simulation.explained import why
from trading.simulation.film import Fact, Look, seen
from trading.simulation.reenactment import Act, Staging, never_hurries, reenacted
from trading.timeline.walk import Walk, untraded_in, without_trade

OWN = {EventType.ANCHOR_SET: ANCHOR_SET, EventType.ORDER_INTENT: FILL, EventType.ANCHOR_RESET: ANCHOR_RESET}
DEEDS = {0: "nothing", FILL: "order and fill", ANCHOR_SET: "anchor set", ANCHOR_RESET: "anchor reset after the skip"}
HELD = ("shares", "cash", "receivable", "anchor")


class Difference(NamedTuple):
    """The first thing that is not the same. seq is 0 where the log has no event of it."""

    seq: int
    type: str
    at: str
    field: str
    log: str
    replay: str
    why: str


class Comparison:
    """Goes through what the engine did and what the log says, side by side. held: the cell as the engine has it."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.slippage = position.portfolio.paper_slippage
        self.walk, _ = Walk.up_to(position, None)
        self.held = Holding(0, 0, 0, 0, 0, 0)
        self.count: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.decided: tuple[Sight, Decision] | None = None
        self.skip = ""

    def differences(self) -> Iterator[Difference]:
        for act in reenacted(Staging(self.position), self.slippage):
            if isinstance(act.shot.frame, Look):
                yield from self.look(act, act.shot.frame)
            else:
                yield from self.fact(act, act.shot.frame)
            for event in act.shot.frame.events:
                content = event.content
                if content["settings"]:
                    yield from self.fields(event, "settings", content["settings"], self.settings())
                self.walk.add(event)
                self.versions[content["rule"]] += 1
            if act.shot.frame.events:
                yield from self.state_after(act.shot.frame.events[-1])

    def fact(self, act: Act, fact: Fact) -> Iterator[Difference]:
        self.count["facts"] += 1
        event = fact.event
        yield from self.fields(event, "facts", *market_facts(event, self.held, act))
        for step in act.happened:
            self.held = left_by(step)
        if event.type == EventType.POSITION_CREATED:
            self.held = Holding(event.d_shares, event.d_cash, 0, 0, 0, event.anchor_after)
        if event.type in (EventType.ORDER_INTENT, EventType.ORDER_PROPOSED):
            yield from self.order(event, act.rules)
        self.skip = ""

    def look(self, act: Act, look: Look) -> Iterator[Difference]:
        self.count["looks"] += 1
        sight = seen(self.walk, look, act.rules)
        if sight is None:
            told = look.event.content["inputs"]["quote_at"] if look.event else ""
            yield self.differing(look.event, "inputs.quote_at", told, "no such quote is recorded")
            return
        self.decided = None
        if look.event is None and not act.shot.point:
            self.count["missed" if look.is_shown else "waited"] += 1
            return
        if look.event:
            self.count["decisions"] += 1
            yield from self.decision(act, look.event, look, sight)
        else:
            yield from self.quiet(act, look, sight)
        yield from self.deed(act, look, sight)
        for event in look.led_to:
            yield from self.fields(event, "facts", *market_facts(event, self.held, act))
        if act.done is not None:
            self.held = left_by(act.done)
        for event in look.led_to[:1]:
            if event.type == EventType.ORDER_INTENT:
                yield from self.order(event, act.rules)

    @property
    def holding(self) -> Holding:
        """The engine's cell, with what the log says is reserved for the open order."""
        state = self.walk.state
        return self.held._replace(reserved_cash=state.reserved_cash, reserved_shares=state.reserved_shares)

    def judged(self, act: Act, look: Look, sight: Sight) -> tuple[Decision, dict[str, str]]:
        """What the rule says to the engine's cell at this look, and the gates as they fell."""
        rules, walk = act.rules, self.walk
        decision = decide(self.holding, rules, sight.price, OPEN)
        if walk.anchored_at == sight.at.isoformat() and look.event and look.event.type != EventType.ANCHOR_SET:
            return without_trade(decision), {}
        if decision.side == Side.NONE or look.quote is None:
            return decision, {}
        facts = walk.facts(look.quote, sight.moment, decision.side)
        proposed = any(row.stands(sight, decision.side, rules) for row in walk.proposals.values())
        if look.event:
            words = look.event.content["outputs"].get("gates") or {}
            untrusted = words.get("unreconciled", "no")
            halted = walk.halted_at(look.event.recorded_at) or untraded_in(look.event)
        else:
            halted = "as before" if act.shot.market & HALTED else ""
            untrusted = "as before" if act.shot.market & UNRECONCILED else "no"
            proposed = bool(act.shot.market & ORDER_OPEN)
        facts = facts._replace(halted=halted, untrusted="" if untrusted == "no" else untrusted, proposed=proposed)
        shut = shut_by(facts, rules, sight)
        return decide(self.holding, rules, sight.price, shut.gates), shut.values

    def decision(self, act: Act, event: Event, look: Look, sight: Sight) -> Iterator[Difference]:
        """Field by field what the event says was known and decided."""
        content, self.skip = event.content, ""
        yield from self.fields(event, "inputs", content["inputs"], inputs_of(self.holding, sight))
        if event.type == EventType.ANCHOR_SET:
            return
        decision, gates = self.judged(act, look, sight)
        found = outputs_of(self.holding, act.rules, sight, decision, gates)
        yield from self.fields(event, "outputs", content["outputs"], found)
        self.decided = (sight, decision)
        if decision.action == Action.SKIP and not look.led_to:
            self.skip = f"{decision.side}|{decision.reason}"
        if event.type != kind_of(decision):
            yield self.differing(event, "type", event.type, kind_of(decision))

    def settings(self) -> dict[str, Any]:
        """The versions in force and the hash of what they come to."""
        walk = self.walk
        upper, own = walk.versions.get((False, walk.portfolio_version)), walk.versions.get((True, walk.cell_version))
        buffer = default_buffer(self.position.portfolio)
        sha256 = rules_of(text_in(upper), text_in(own), buffer)[2]
        versions = {"portfolio_version": str(walk.portfolio_version), "cell_version": str(walk.cell_version)}
        return versions | {"sha256": sha256} | named_lot(walk.lot)

    def quiet(self, act: Act, look: Look, sight: Sight) -> Iterator[Difference]:
        """A look that left nothing must have been one that leaves nothing: no trade, and no skip but a repeated one."""
        band = wake_band(self.holding, act.rules)
        if self.held.anchor == 0 or band.below < sight.price < band.above or act.done is not None:
            return
        decision, _ = self.judged(act, look, sight)
        if decision.action != Action.SKIP or self.skip == f"{decision.side}|{decision.reason}":
            return
        if not never_hurries(self.position):
            self.count["missed"] += 1
        else:
            yield self.differing(None, "event", "none", f"skipped: {decision.reason.name.lower()}", sight)

    def deed(self, act: Act, look: Look, sight: Sight) -> Iterator[Difference]:
        """What the engine did by itself at this point, against what the log has."""
        done = 0 if act.done is None else int(act.done[1])
        told = look.led_to[0] if look.led_to else look.event
        logged = OWN.get(EventType(told.type), 0) if told else 0
        if done != logged:
            yield self.differing(look.event, "deed", DEEDS[logged], DEEDS[done], sight)
        elif done == FILL and act.done is not None:
            self.count["fills"] += 1
            yield from self.fill(look.led_to[2], act.done)

    def fill(self, event: Event, step: np.ndarray) -> Iterator[Difference]:
        quantity, price, notional, fee = (int(step[column]) for column in (3, 4, 5, 6))
        found = {
            "side": "BUY" if quantity > 0 else "SELL",
            "quantity": as_text(abs(quantity)),
            "price": as_text(price),
            "notional": as_text(notional),
            "commission": as_text(fee),
            "filled_quantity": as_text(abs(quantity)),
            "reason": Reason(int(step[2])).name.lower(),
        }
        yield from self.fields(event, "fill", event.content["outputs"], found)

    def order(self, event: Event, rules: Rules) -> Iterator[Difference]:
        """The robot's order as its decision wants it; one that a person let go was compared when it was proposed."""
        told = event.content
        if event.subject in self.walk.proposals or not self.decided:
            return
        sight, decision = self.decided
        key = robot_key(self.position, sight.at, decision.side)
        if told["inputs"]["origin"] != Order.Origin.ROBOT and told["inputs"]["key"] != key:
            return
        limit = limit_price(rules, decision.side, sight.price) if rules.limit_orders else None
        buys, intended = decision.side == Side.BUY, event.type == EventType.ORDER_INTENT
        reserve = cash_to_reserve(rules, decision.quantity, reservation_price(rules, sight.price)) if buys else 0
        found = {
            "origin": str(Order.Origin.ROBOT),
            "key": key,
            "reason": decision.reason.name.lower(),
            "side": decision.side.name,
            "quantity": as_text(decision.quantity),
            "limit_price": as_text(limit) if limit else "",
            "reserved_cash": as_text(reserve if intended else 0),
            "reserved_shares": as_text(decision.quantity if intended and not buys else 0),
        }
        logged = told["inputs"] | told["outputs"]
        logged |= {"reserved_cash": told["d_reserved_cash"], "reserved_shares": told["d_reserved_shares"]}
        yield from self.fields(event, "order", {name: logged[name] for name in found}, found)

    def state_after(self, event: Event) -> Iterator[Difference]:
        """Shares, cash, receivable and anchor after each event."""
        if event.stream == Event.Stream.PORTFOLIO:
            return
        for name in HELD:
            logged, found = getattr(self.walk.state, name), getattr(self.held, name)
            if logged != found:
                yield self.differing(event, f"{name} after it", as_text(logged), as_text(found))
        for name in ("reserved_cash", "reserved_shares"):
            if self.walk.open_order is None and (logged := getattr(self.walk.state, name)):
                yield self.differing(event, f"{name} after it", as_text(logged), "0")

    def fields(self, event: Event, group: str, logged: dict[str, Any], found: dict[str, Any]) -> Iterator[Difference]:
        one, other = flat(logged), flat(found)
        for name in dict.fromkeys([*one, *other]):
            if one.get(name) != other.get(name):
                yield self.differing(event, f"{group}.{name}", one.get(name, "nothing"), other.get(name, "nothing"))

    def differing(
        self, event: Event | None, field: str, logged: str, found: str, sight: Sight | None = None
    ) -> Difference:
        at = event.market_at if event else sight.at if sight else None
        reason = why(self.position, self.walk, event, field, self.slippage)
        kind = event.type if event else "quiet look"
        return Difference(
            event.seq if event else 0, kind, at.isoformat() if at else "", field, str(logged), str(found), reason
        )


def market_facts(event: Event, held: Holding, act: Act) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the event of a dividend, a split or an opening says of the cell, and what it is by the engine's."""
    told = event.content["outputs"] | event.content["inputs"]
    found: dict[str, int] = {}
    if event.type == EventType.EX_DIVIDEND:
        dps = micros(told["dps"])
        payment = payment_for(held.shares, dps, act.rules.withholding)
        found = {"shares": held.shares, **payment._asdict(), "anchor": held.anchor}
    elif event.type == EventType.SPLIT:
        found = {"shares": held.shares, "anchor": held.anchor}
    elif event.type == EventType.ANCHOR_UPDATED:
        found = {"anchor": held.anchor}
    elif event.type == EventType.POSITION_CREATED:
        found = {"shares": event.d_shares, "cash": event.d_cash, "anchor": event.anchor_after}
    return {name: told.get(name, "nothing") for name in found}, {name: as_text(value) for name, value in found.items()}


def left_by(step: np.ndarray) -> Holding:
    shares, cash, receivable, anchor = (int(amount) for amount in step[7:11])
    return Holding(shares, cash, receivable, 0, 0, anchor)


def kind_of(decision: Decision) -> str:
    """The event that tells of a decision."""
    if decision.action == Action.SKIP:
        return str(EventType.SKIPPED)
    if decision.reason == Reason.GUARDRAIL_REBALANCE:
        return str(EventType.GUARDRAIL_REBALANCE)
    return str(EventType.EVALUATED)


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested mappings and lists as one level of names; everything as the log writes it: text."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, list):
            value = {str(number): row for number, row in enumerate(value)}
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = str(value)
    return found

"""Why a replay and the log differ, in words: what can be told from the event, the cell and what went on around it."""

from typing import Any

from portfolios.domain.amounts import micros
from portfolios.domain.chain import chained_hash
from portfolios.domain.holding import Holding
from portfolios.events import EventType
from portfolios.models import Event, Position
from portfolios.services.journal import columns_of
from portfolios.services.rule_version import rule_version
from trading.services.account import outputs_of
from trading.simulation.retold import decided_again, sight_in
from trading.timeline.walk import Walk

MONEY = ("shares", "cash", "receivable", "anchor", "value", "stock_share")
SEEN = ("price", "price_kind", "last", "mid", "quote", "quote_at", "source")
PEOPLE = ("user:", "token:")


def why(position: Position, walk: Walk, event: Event | None, field: str, slippage: int) -> str:
    """One sentence or more. `walk` stands before the event."""
    if event is None:
        missing = "the log has no event of this look: it was removed, or the robot came too late for it."
        return surroundings(walk) + missing
    reasons = [*of_the_event(position, walk, event), *of_the_field(event, field, slippage)]
    if event.actor.startswith(PEOPLE):
        reasons.append(f"it was done by hand ({event.actor})")
    said = surroundings(walk) + "; ".join(reasons or ["the log was altered, or something before it is missing from it"])
    return said + "."


def surroundings(walk: Walk) -> str:
    if walk.open_order:
        return "an order was open then, so its delay or its parts may play in; "
    return f"the cell was {walk.state.state} then; " if walk.exists and walk.state.state != "active" else ""


def of_the_event(position: Position, walk: Walk, event: Event) -> list[str]:
    """What is wrong with it by itself."""
    content, found = event.content, []
    if event.hash != chained_hash(event.prev_hash, event.text):
        found.append("its hash does not cover its text: it was altered after it was written")
    elif not columns_of(event).items() <= content.items():
        found.append("its columns are not what its text says: they were altered after it was written")
    if content["rule"] != rule_version():
        found.append(f"it was decided by rule version {content['rule'][:12]}, {rule_version()[:12]} is running")
    if "price" in content["inputs"] and content["outputs"] and event.type != EventType.ANCHOR_SET:
        found.append(by_its_own_inputs(position, walk, content))
    return found


def by_its_own_inputs(position: Position, walk: Walk, content: dict[str, Any]) -> str:
    """Whether the event follows from what it says was known, whatever the replay knew."""
    told, outputs = content["inputs"], content["outputs"]
    try:
        holding = Holding(*(micros(told[name]) for name in Holding._fields))
        sight = sight_in(told, position.symbol, walk.rules)
        again = decided_again(holding, walk.rules, sight, outputs)
        found = outputs_of(holding, walk.rules, sight, again, outputs["gates"])
    except (KeyError, ValueError):
        return "what it says was known cannot be read"
    if found == outputs:
        return "it does follow from what it says was known: what was known differs"
    return f"from what it says was known the running rule decides {found['action']} {found['quantity']}"


def of_the_field(event: Event, field: str, slippage: int) -> list[str]:
    name = field.rsplit(".", 1)[-1]
    if field == "fill.price":
        return [f"the fill slipped otherwise than the {slippage} ppm which the portfolio's paper broker adds"]
    if field in ("fill.notional", "fill.commission", "fill.quantity"):
        return ["it was filled in other parts, or for another fee, than simulated"]
    if field.startswith("settings."):
        return ["other settings were in force, or their version was altered"]
    if field.startswith("outputs.gates."):
        return [f"another gate stood in its way: {name}"]
    if name in SEEN:
        return ["the recorded quote is another one: it was corrected or altered since"]
    if field.endswith(" after it"):
        return [f"it moved {field.removesuffix(' after it')} by another amount than its facts come to"]
    if name in MONEY:
        return [f"the cell came to it with another {name.replace('_', ' ')}"]
    return []

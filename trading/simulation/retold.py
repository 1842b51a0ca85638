"""What an event says was known when it was decided, as the rule is asked."""

from datetime import datetime
from typing import Any

from portfolios.domain.amounts import micros
from portfolios.domain.holding import Holding, Rules
from portfolios.models import Position
from trading.domain.choices import OPEN, Decision, Gates
from trading.domain.decision import decide
from trading.domain.prices import PriceKind
from trading.market.calendars import Phase
from trading.sight import Sight, age_limit


def sight_in(inputs: dict[str, Any], symbol: str, rules: Rules) -> Sight:
    at = datetime.fromisoformat(inputs["quote_at"])
    return Sight(
        symbol=symbol,
        source=inputs["source"],
        at=at,
        price=micros(inputs["price"]),
        kind=PriceKind[inputs["price_kind"].upper()],
        last=micros(inputs["last"]),
        mid=micros(inputs["mid"]) if inputs["mid"] else 0,
        age=int(inputs["age_ms"]),
        stale=int(int(inputs["age_ms"]) > age_limit(symbol, inputs["source"], at, rules)),
    )


def gates_in(values: dict[str, str], sight: Sight, rules: Rules) -> Gates:
    """The gates as they fell, from the words they left; no words where nothing was to be traded."""
    if not values:
        return OPEN
    phase, (sent, _, most) = Phase(values["market_closed"]), values["daily_limit"].split()
    return Gates(
        paused=int(values["paused"] in (Position.Status.PAUSED, Position.Status.CLOSED)),
        quarantined=int(values["quarantined"] == Position.Status.QUARANTINED),
        halted=int(values["halted"] != "no"),
        unreconciled=int(values["unreconciled"] != "no"),
        stale_price=sight.stale,
        market_closed=int(phase is not Phase.REGULAR and not (rules.after_hours and phase is not Phase.CLOSED)),
        order_open=int(values["order_open"] != "no"),
        dup=int(values["dup"] != "no"),
        daily_limit=int(int(sent) >= int(most)),
    )


def decided_again(holding: Holding, rules: Rules, sight: Sight, outputs: dict[str, Any]) -> Decision:
    """What the running rule makes of it, whatever was known besides."""
    return decide(holding, rules, sight.price, gates_in(outputs["gates"], sight, rules))

"""Orders that the robot decides: their key, their limit, their place in an evaluation's transaction."""

from datetime import date, datetime

from portfolios.domain.holding import Rules
from portfolios.models import Position
from portfolios.services.journal import Journal
from trading.domain.choices import Decision, Side
from trading.domain.costs import cash_to_reserve, limit_price, reservation_price
from trading.market.calendars import Phase, calendar_for
from trading.market.selectors import exchange_of
from trading.models import Order
from trading.risk.selectors import HERE
from trading.services.ordering import intend, new_order
from trading.sight import Sight


def robot_key(position: Position, quote_at: datetime, side: Side) -> str:
    """Same cell, same quote, same side: same order, whoever evaluates, however often."""
    return f"{position.public_id}|{quote_at.isoformat()}|{side.name}"


def write_robot_order(
    journal: Journal, position: Position, rules: Rules, sight: Sight, decision: Decision, day: date | None
) -> Order:
    """The order of a decision, inside its evaluation's transaction."""
    reserve = 0
    if decision.side == Side.BUY:
        reserve = cash_to_reserve(rules, decision.quantity, reservation_price(rules, sight.price))
    return intend(journal, robot_order(journal, position, rules, sight, decision, day), reserve)


def robot_order(
    journal: Journal, position: Position, rules: Rules, sight: Sight, decision: Decision, day: date | None
) -> Order:
    """As the rule decided it, not yet written."""
    order = new_order(
        position,
        rules,
        origin=Order.Origin.ROBOT,
        key=robot_key(position, sight.at, decision.side),
        side=decision.side,
        quantity=decision.quantity,
        limit=limit_price(rules, decision.side, sight.price) if has_limit(position, rules, sight) else None,
        reason=decision.reason.name.lower(),
    )
    order.decision_price = sight.price
    order.quote_at = sight.at
    order.decided_at = journal.market_at
    order.market_day = day
    return order


def has_limit(position: Position, rules: Rules, sight: Sight) -> bool:
    """As set; and before and after the session, where brokers take nothing else."""
    if rules.limit_orders or not rules.after_hours or position.portfolio.account.adapter in HERE:
        return bool(rules.limit_orders)
    return calendar_for(exchange_of(position.symbol)).phase(sight.moment) is not Phase.REGULAR

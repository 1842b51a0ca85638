"""Closes a cell: on this floor, because only it knows the open order."""

from django.db import transaction

from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Position
from portfolios.services.journal import Journal
from portfolios.services.positions import refuse_unreasoned
from trading.market.selectors import market_now
from trading.models import Order
from trading.services.proposals import dismiss_all


@transaction.atomic
def close_position(*, position_id: int, actor: str, reason: str) -> Position:
    """The end of a cell; its shares and cash stay where they are, and cash can still be withdrawn.

    Closing a closed cell changes nothing. Raises Refused: order_open (409), quarantined (423), invalid_reason (422).
    """
    position = Position.objects.locked().get(pk=position_id)
    refuse_unreasoned(reason)
    if position.state == Position.Status.CLOSED:
        return position
    if position.state == Position.Status.QUARANTINED:
        raise Refused("quarantined", "this cell is quarantined until somebody has looked", status=423)
    if Order.objects.filter(position=position).open().exists():
        raise Refused("order_open", "this cell has an open order; wait for it or cancel it", status=409)
    dismiss_all([position], "the cell is closed", actor)
    journal = Journal(position, market_at=market_now(position.source), actor=actor)
    journal.add(
        EventType.CLOSED, f"The cell is closed: {reason}", state=Position.Status.CLOSED, inputs={"reason": reason}
    )
    journal.write()
    return position

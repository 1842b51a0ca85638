"""Whose object is it: found for those who may see it, 404 for everybody else, 403 for those who may only look."""

import structlog
from django.db.models import F
from rest_framework.request import Request

from portfolios.api.access import read_only, uuid_or_404
from portfolios.api.problems import not_found
from portfolios.models import ACTING_ROLES, Position
from portfolios.prepared import PreparedRead, Slot
from trading.cards import RELATED
from trading.models import Order
from trading.timeline.why import Found, found, name_in

VISIBLE = PreparedRead(
    lambda: (
        Position.objects.visible_to(Slot("user"))
        .select_related(*RELATED)
        .filter(public_id=Slot("public_id"))
        .annotate(role_of_visitor=F("portfolio__memberships__role"))
    )
)


def position_for(request: Request, public_id: str, *, steer: bool = False) -> Position:
    """Raises Problem: 404 position_not_found, 403 read_only."""
    position = VISIBLE.first(user=request.user.pk, public_id=uuid_or_404(public_id, "position"))
    if position is None:
        raise not_found("position")
    structlog.contextvars.bind_contextvars(position_id=position.pk)
    if steer and position.role_of_visitor not in ACTING_ROLES:  # type: ignore[attr-defined]  # annotated above
        raise read_only()
    return position


def evaluation_for(request: Request, evaluation_id: str) -> Found:
    """Raises Problem: 404 evaluation_not_found, of a stranger's cell just the same."""
    name = name_in(evaluation_id)
    position = VISIBLE.first(user=request.user.pk, public_id=name.cell) if name else None
    asked = found(position, name) if position and name else None
    if asked is None:
        raise not_found("evaluation")
    return asked


def order_for(request: Request, public_id: str, *, steer: bool = False) -> Order:
    """Raises Problem: 404 order_not_found, 403 read_only."""
    visible = Order.objects.visible_to(request.user).select_related("position")
    order = visible.filter(public_id=uuid_or_404(public_id, "order")).first()
    if order is None:
        raise not_found("order")
    structlog.contextvars.bind_contextvars(position_id=order.position_id, order_id=order.pk)
    if steer and not Order.objects.steered_by(request.user).filter(pk=order.pk).exists():
        raise read_only()
    return order

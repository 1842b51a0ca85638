"""Orders: place one, list them, look at one, take it back, fill it on paper."""

import uuid
from functools import partial
from typing import Any

from django.db import transaction
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.authentication import actor_of, user_of
from portfolios.api.requests import NoFields
from portfolios.api.views import ApiView, once, paged, read_body
from portfolios.models import Position
from portfolios.services.idempotency import read_key
from trading.api.access import order_for, position_for
from trading.api.answers import AcceptedAnswer, FillAnswer, OrderAnswer, OrderDetailAnswer, OrderPage, PreviewAnswer
from trading.api.requests import NewFill, NewOrder, OrderQuery
from trading.cards import order_preview
from trading.domain.choices import Side
from trading.models import Order
from trading.services.execution import fill_by_hand
from trading.services.ordering import cancel_order, write_order
from trading.tasks import execute_order, ring

PLACED_OR_PREVIEWED = PolymorphicProxySerializer(
    component_name="PlacedOrPreviewed", serializers=[AcceptedAnswer, PreviewAnswer], resource_type_field_name=None
)


class PositionOrders(ApiView):
    """The same Idempotency-Key with the same body answers 200 with the first answer; with another body, 409.

    With `dry_run` nothing is placed and no key is asked for: 200 says what the order would come to.
    """

    scopes = {"POST": "trade"}
    idempotent = {"POST": "required"}

    @extend_schema(
        operation_id="place_order",
        summary="Place an order",
        request=NewOrder,
        responses={201: AcceptedAnswer, 200: PLACED_OR_PREVIEWED},
    )
    def post(self, request: Request, public_id: str) -> Response:
        position = position_for(request, public_id, steer=True)
        if wants_preview(request):
            return Response(preview(request, position))
        accepted = {"order_id": str(uuid.uuid4()), "accepted": True, "position_id": str(position.public_id)}
        answer = once(
            self,
            portfolio_id=position.portfolio_id,
            subject=str(position.public_id),
            answer=partial(place, request, position, accepted),
            foreseen=accepted,
        )
        return Response(answer.body, status=201 if answer.is_first else 200)


def wants_preview(request: Request) -> bool:
    """Raises Problem for a missing key before one for a body that cannot be read: the contract's order of checks."""
    try:
        body = request.data
    except APIException:
        read_key(request.headers.get("Idempotency-Key"))
        raise
    return isinstance(body, dict) and body.get("dry_run") is True


def preview(request: Request, position: Position) -> dict[str, Any]:
    body = read_body(request, NewOrder)
    would = order_preview(position, Side[body["side"]], body["qty"], body["limit_price"])
    return dict(PreviewAnswer(would).data)


def place(request: Request, position: Position, accepted: dict[str, Any]) -> dict[str, Any]:
    """One order and, once it is committed, its bell."""
    body = read_body(request, NewOrder)
    order = write_order(
        position_id=position.pk,
        side=Side[body["side"]],
        quantity=body["qty"],
        limit=body["limit_price"],
        author=user_of(request),
        actor=actor_of(request),
        key=uuid.uuid4().hex,
        public_id=uuid.UUID(accepted["order_id"]),
    )
    transaction.on_commit(partial(ring, execute_order, order_id=order.pk))
    return accepted


class OrderList(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": OrderQuery}

    @extend_schema(operation_id="list_orders", summary="Your orders and the robot's", responses=OrderPage)
    def get(self, request: Request) -> Response:
        found = Order.objects.visible_to(request.user).select_related("position")
        filters = {"position_id": "position__public_id", "status": "status", "side": "side", "origin": "origin"}
        wanted = {column: self.query[name] for name, column in filters.items() if name in self.query}
        return paged(self, found.filter(**wanted), lambda page: list(OrderAnswer(page, many=True).data))


class OrderDetail(ApiView):
    scopes = {"GET": "read"}

    @extend_schema(operation_id="get_order", summary="One order with its executions", responses=OrderDetailAnswer)
    def get(self, request: Request, public_id: str) -> Response:
        return Response(OrderDetailAnswer(order_for(request, public_id)).data)


class CancelOrder(ApiView):
    scopes = {"POST": "trade"}

    @extend_schema(
        operation_id="cancel_order", summary="Take an order back", request=NoFields, responses=OrderDetailAnswer
    )
    def post(self, request: Request, public_id: str) -> Response:
        order = order_for(request, public_id, steer=True)
        read_body(request, NoFields)
        if cancel_order(order_id=order.pk, actor=actor_of(request)).status == "cancelling":
            ring(execute_order, order_id=order.pk)
        return Response(OrderDetailAnswer(order_for(request, public_id)).data)


class FillOrder(ApiView):
    """For portfolios on paper. Several fills may make up one order."""

    scopes = {"POST": "trade"}
    idempotent = {"POST": "optional"}

    @extend_schema(
        operation_id="fill_order", summary="Say how a paper order was filled", request=NewFill, responses=FillAnswer
    )
    def post(self, request: Request, public_id: str) -> Response:
        order = order_for(request, public_id, steer=True)
        portfolio_id = order.position.portfolio_id
        answer = once(
            self, portfolio_id=portfolio_id, subject=str(order.public_id), answer=partial(fill, request, order)
        )
        return Response(answer.body)


def fill(request: Request, order: Order) -> dict[str, Any]:
    body = read_body(request, NewFill)
    filled = fill_by_hand(
        order_id=order.pk,
        price=body["price"],
        quantity=body["filled_qty"],
        commission=body["commission"],
        actor=actor_of(request),
    )
    position = Position.objects.get(pk=order.position_id)
    result = {
        "order_id": filled.public_id,
        "status": filled.status,
        "position_qty": position.shares,
        "position_cash": position.cash,
    }
    return dict(FillAnswer(result).data)

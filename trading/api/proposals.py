"""Proposals: send one after all, or say no. They are listed among the orders, with `status=proposed`."""

from functools import partial
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import portfolio_for
from portfolios.api.answers import PortfolioAnswer
from portfolios.api.authentication import OWN_ACCOUNT, actor_of
from portfolios.api.portfolios import show_portfolio
from portfolios.api.problems import Problem
from portfolios.api.requests import NoFields
from portfolios.api.serializers import StrictBooleanField, StrictSerializer
from portfolios.api.views import ApiView, once, read_body
from trading.api.access import order_for
from trading.api.answers import OrderDetailAnswer
from trading.api.requests import Reasoned
from trading.models import Order
from trading.services.proposals import approve_proposal, dismiss_proposal, set_approve_first, why_ended
from trading.tasks import execute_order, ring


class ApproveOrder(ApiView):
    """It is looked at again first. 409 `proposal_expired` where its moment has passed: it has ended then.

    Approving twice is approving once, with an Idempotency-Key or without.
    """

    scopes = {"POST": "trade"}
    idempotent = {"POST": "optional"}

    @extend_schema(
        operation_id="approve_order", summary="Send a proposed order", request=NoFields, responses=OrderDetailAnswer
    )
    def post(self, request: Request, public_id: str) -> Response:
        order = order_for(request, public_id, steer=True)
        answer = partial(approved, request, order)
        subject = str(order.public_id)
        shown = once(self, portfolio_id=order.position.portfolio_id, subject=subject, answer=answer).body
        if shown["status"] == "expired":
            raise Problem(409, "proposal_expired", why_ended(order))
        return Response(shown)


def approved(request: Request, order: Order) -> dict[str, Any]:
    read_body(request, NoFields)
    if approve_proposal(order_id=order.pk, actor=actor_of(request)).status == "new":
        transaction.on_commit(partial(ring, execute_order, order_id=order.pk))
    return dict(OrderDetailAnswer(order_for(request, str(order.public_id))).data)


class DismissOrder(ApiView):
    """Saying no twice changes nothing. The robot may propose again at another price."""

    scopes = {"POST": "trade"}

    @extend_schema(
        operation_id="dismiss_order", summary="Dismiss a proposed order", request=Reasoned, responses=OrderDetailAnswer
    )
    def post(self, request: Request, public_id: str) -> Response:
        order = order_for(request, public_id, steer=True)
        reason = read_body(request, Reasoned)["reason"]
        dismiss_proposal(order_id=order.pk, reason=reason, actor=actor_of(request))
        return Response(OrderDetailAnswer(order_for(request, public_id)).data)


class NewApproval(StrictSerializer):
    approve_first = StrictBooleanField()


class PortfolioApproval(ApiView):
    """For a person in his browser: a trading token that leaks must not let the robot off its leash."""

    scopes = {"PUT": OWN_ACCOUNT}

    @extend_schema(
        operation_id="set_approve_first",
        summary="Let the robot propose only, or send by itself; owners only",
        request=NewApproval,
        responses=PortfolioAnswer,
    )
    def put(self, request: Request, public_id: str) -> Response:
        portfolio = portfolio_for(request, public_id, own=True)
        on = read_body(request, NewApproval)["approve_first"]
        set_approve_first(portfolio_id=portfolio.pk, on=on, actor=actor_of(request))
        return Response(show_portfolio(request, portfolio))

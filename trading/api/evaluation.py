"""Ask the robot: what would it do, and let it do one whole cycle."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.authentication import actor_of, scopes_of
from portfolios.api.problems import Problem
from portfolios.api.requests import NoFields
from portfolios.api.views import ApiView, read_body
from portfolios.models import Position
from trading.api.access import position_for
from trading.api.answers import EvaluationAnswer, TickAnswer
from trading.api.requests import EvaluationRequest
from trading.domain.choices import Action
from trading.domain.explanation import reason_name, trims_of
from trading.models import Order
from trading.services.evaluation import Evaluation, evaluate_position, preview_position
from trading.services.execution import execute_order
from trading.services.proposals import needs_approval
from trading.waits import NO_PRICE


class Evaluate(ApiView):
    """Proposes, never trades. Nothing to do is an empty list of proposals with its reason, not an error."""

    scopes = {"POST": "propose"}

    @extend_schema(
        operation_id="evaluate_position",
        summary="What the rule says now, or with dry_run at a price",
        request=EvaluationRequest,
        responses=EvaluationAnswer,
    )
    def post(self, request: Request, public_id: str) -> Response:
        position = position_for(request, public_id, steer=True)
        body = read_body(request, EvaluationRequest)
        if body["dry_run"]:
            evaluation = preview_position(position=position, price=body.get("price"))
        else:
            evaluation = evaluate_position(position_id=position.pk, asked_by=actor_of(request), act=False)
        return Response(show_evaluation(evaluation))


class Tick(ApiView):
    """Evaluates, writes the order that follows and carries it to the broker, as the robot does at each price.

    Where a person approves first, the order is proposed only, and a token with the scope propose will do.
    """

    scopes = {"POST": "propose"}

    @extend_schema(
        operation_id="tick_position",
        summary="One whole trading cycle at the current quote",
        request=NoFields,
        responses=TickAnswer,
    )
    def post(self, request: Request, public_id: str) -> Response:
        position = position_for(request, public_id, steer=True)
        read_body(request, NoFields)
        if "trade" not in scopes_of(request) and not needs_approval(position):
            raise Problem(403, "insufficient_scope", "This needs a token with the scope trade.")
        evaluation = evaluate_position(position_id=position.pk, asked_by=actor_of(request))
        order = evaluation.order or Order.objects.filter(position=position).open().first()
        if order:
            execute_order(order_id=order.pk)
            order = Order.objects.select_related("position").get(pk=order.pk)
        now = Position.objects.get(pk=position.pk)
        cycle = {"evaluation": shown(evaluation), "order": order, "position_qty": now.shares, "position_cash": now.cash}
        return Response(TickAnswer(cycle).data)


def show_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    return dict(EvaluationAnswer(shown(evaluation)).data)


def shown(evaluation: Evaluation) -> dict[str, Any]:
    """Nothing to do is an empty list with its reason, never an error."""
    gates = [
        {"name": name, "open": not getattr(evaluation.gates, name), "value": value}
        for name, value in evaluation.gate_values.items()
    ]
    decision, wait = evaluation.decision, evaluation.wait
    proposals = []
    if decision and evaluation.sight and decision.action in (Action.BUY, Action.SELL):
        proposals.append(
            {
                "side": decision.side.name,
                "qty": decision.quantity,
                "price": evaluation.sight.price,
                "trims": trims_of(decision),
            }
        )
    return {
        "position_id": evaluation.position.public_id,
        "proposals": proposals,
        "gates": gates,
        "reason": reason_name(decision.reason) if decision else wait.reason if wait else NO_PRICE,
    }

"""One evaluation, stored or computed, and what would have had to differ for it to become an order."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.amounts import AmountField
from portfolios.api.serializers import Answer
from portfolios.api.views import ApiView
from portfolios.domain.amounts import as_text
from trading.api.access import evaluation_for
from trading.api.answers import EvaluationRowAnswer
from trading.domain.explanation import reason_name
from trading.domain.whatif import INPUTS, NOWHERE, Change
from trading.timeline.why import Found

WAYS = {1: "up", -1: "down", 0: None}


class InputAnswer(Answer):
    """The nearest value of one input, all else as it was, that brings an order; null where none does.

    Prices and amounts in dollars, triggers and guardrails as fractions; of the gates how many would have to open.
    """

    input = serializers.ChoiceField(choices=INPUTS, source="name")
    direction = serializers.SerializerMethodField(help_text="Null: neither way")
    value = serializers.SerializerMethodField(method_name="get_nearest")
    side = serializers.SerializerMethodField()
    qty = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField(help_text="Of the order it brings")

    @extend_schema_field(serializers.ChoiceField(choices=["up", "down"], allow_null=True))
    def get_direction(self, change: Change) -> str | None:
        return WAYS[change.step]

    def get_nearest(self, change: Change) -> str | None:
        if change.value == NOWHERE:
            return None
        return str(change.value) if change.name in ("max_orders_per_day", "gates") else as_text(change.value)

    def get_side(self, change: Change) -> str | None:
        return change.decision.side.name if change.decision else None

    @extend_schema_field(AmountField(allow_null=True))
    def get_qty(self, change: Change) -> str | None:
        return as_text(change.decision.quantity) if change.decision else None

    def get_reason(self, change: Change) -> str | None:
        return reason_name(change.decision.reason) if change.decision else None


class ShutAnswer(Answer):
    name = serializers.CharField()
    value = serializers.CharField()


class WhyNotAnswer(Answer):
    """`differences` is empty where it traded, or nothing could be decided; `shut` are the gates that stood in the way
    or would have.
    """

    id = serializers.CharField(source="row.id")
    position_id = serializers.UUIDField(source="row.cell")
    at = serializers.DateTimeField(source="row.at", help_text="Market time of the quote")
    price = AmountField(source="case.price")
    action = serializers.CharField(source="row.decision.action.name")
    reason = serializers.CharField(source="row.reason")
    shut = serializers.SerializerMethodField()
    differences = serializers.SerializerMethodField()

    @extend_schema_field(ShutAnswer(many=True))
    def get_shut(self, asked: Found) -> Any:
        return [{"name": name, "value": value} for name, value in asked.shut.items()]

    @extend_schema_field(InputAnswer(many=True))
    def get_differences(self, asked: Found) -> Any:
        return InputAnswer(asked.changes, many=True).data


class EvaluationDetail(ApiView):
    """The timeline gives each evaluation its id; quiet ones were never written and are computed again."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="get_evaluation", summary="One evaluation", responses=EvaluationRowAnswer)
    def get(self, request: Request, evaluation_id: str) -> Response:
        return Response(EvaluationRowAnswer(evaluation_for(request, evaluation_id).row).data)


class WhyNot(ApiView):
    """Each input by itself, asked of the rule: the nearest value that trades, one unit nearer none does."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="get_why_not",
        summary="What would have had to differ for this evaluation to trade",
        responses=WhyNotAnswer,
    )
    def get(self, request: Request, evaluation_id: str) -> Response:
        return Response(WhyNotAnswer(evaluation_for(request, evaluation_id)).data)

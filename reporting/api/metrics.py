"""The metrics as JSON: what may be asked, and how the figures of a period answer."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from portfolios.api.amounts import AmountField
from portfolios.api.problems import not_found
from portfolios.models import Portfolio, Position
from reporting.exports.query import ExportQuery
from reporting.metrics.periods import period_of
from reporting.metrics.reports import Report, cells_seen_by, moments_around, report_of, today_of

DEFINITIONS = "/docs/concepts/metrics"


class MetricsQuery(ExportQuery):
    only = None  # type: ignore[assignment]  # how a serializer lets go of an inherited field
    format = serializers.ChoiceField(["json", "text"], required=False, help_text="Goes before Accept")


class PeriodAnswer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {
            "from": serializers.DateField(source="first", allow_null=True),
            "to": serializers.DateField(source="last"),
        }


class MetricsAnswer(serializers.Serializer[Any]):
    slippage_bps = serializers.FloatField(allow_null=True, help_text="null where nothing could be measured")
    hit_rate = serializers.FloatField(allow_null=True)
    guardrail_time_pct = serializers.FloatField(allow_null=True)
    min_notional_skips = serializers.IntegerField()
    turnover = serializers.FloatField(allow_null=True)
    fee_drag = serializers.FloatField(allow_null=True)
    min_notional_skip_quotes = serializers.IntegerField(source="totals.skip_quotes")
    min_notional_skip_share = serializers.FloatField(allow_null=True)
    time_weighted_return = serializers.FloatField(source="time_weighted", allow_null=True)
    value = AmountField()
    profit = AmountField()
    against_left_alone = AmountField(source="against_alone")
    against_buy_and_hold = AmountField(source="against_held")
    realised = AmountField()
    dividends = AmountField()
    fees = AmountField()
    cells = serializers.IntegerField()
    period = PeriodAnswer()
    definitions = serializers.CharField(help_text="Where each of them is defined")


def asked_report(user: Any, query: dict[str, Any]) -> Report:
    """Raises Problem: 404 position_not_found or portfolio_not_found."""
    positions = asked_cells(user, query.get("portfolio_id"), query.get("position_id"))
    moments = moments_around(positions)
    period = period_of(query.get("preset", ""), query.get("from"), query.get("to"), today_of(moments))
    return report_of(positions, period, moments, whole="position_id" not in query)


def asked_cells(user: Any, portfolio_id: UUID | None, position_id: UUID | None) -> list[Position]:
    found = cells_seen_by(user)
    if portfolio_id:
        if not Portfolio.objects.visible_to(user).filter(public_id=portfolio_id).exists():
            raise not_found("portfolio")
        found = found.filter(portfolio__public_id=portfolio_id)
    if position_id:
        found = found.filter(public_id=position_id)
        if not found:
            raise not_found("position")
    return list(found)


def answer_of(report: Report) -> dict[str, Any]:
    figures = report.total
    names = [str(field.source).partition(".")[0] for field in MetricsAnswer().fields.values()]
    told = {name: getattr(figures, name) for name in names if hasattr(figures, name)}
    beside = {"cells": len(report.lines), "period": report.period, "definitions": DEFINITIONS}
    return dict(MetricsAnswer(told | beside).data)

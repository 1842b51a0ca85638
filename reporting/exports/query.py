"""What may be asked of an export, the same at all three doors: query parameters in, an Export out."""

from datetime import date
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from portfolios.api.problems import Fault, Problem
from portfolios.api.serializers import StrictSerializer, read_query
from reporting.exports.kinds import Export, Kind
from reporting.exports.scope import Span, scope_of
from reporting.metrics.periods import DAYS, PRESETS

SPANS = {name: Span(days=DAYS.get(name)) for name in PRESETS}
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


class ExportQuery(StrictSerializer):
    portfolio_id = serializers.UUIDField(required=False, help_text="Left out: every portfolio you may see")
    position_id = serializers.UUIDField(required=False, help_text="One cell only")
    preset = serializers.ChoiceField(
        choices=list(SPANS), required=False, help_text="Days back from the newest market day; left out: all"
    )
    only = serializers.ChoiceField(choices=["trades"], required=False, help_text="Leave out what was not traded")

    def get_fields(self) -> dict[str, Any]:
        """With `from` and `to`, which Python does not let us write as attributes."""
        bounds = {"from": "First market day", "to": "Last market day, included"}
        days = {name: serializers.DateField(required=False, help_text=meaning) for name, meaning in bounds.items()}
        return super().get_fields() | days

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = attrs.get("from"), attrs.get("to")
        if "preset" in attrs and (first or last):
            raise serializers.ValidationError({"preset": "Either a preset, or days of your own."})
        if first and last and first > last:
            raise serializers.ValidationError({"to": "Ends before it begins."})
        for name in ("from", "to"):
            if name in attrs and not FIRST_DAY <= attrs[name] <= LAST_DAY:
                raise serializers.ValidationError({name: f"Between {FIRST_DAY} and {LAST_DAY}."})
        return attrs


def export_of(kind: Kind, user: Any, parameters: QueryDict) -> Export:
    """Raises Problem: 400 invalid_parameters, 404 portfolio_not_found or position_not_found."""
    query = read_query(parameters, ExportQuery)
    if "only" in query and not kind.narrows:
        fault = Fault("not_applicable", "There are no trades among these rows to choose.", parameter="only")
        raise Problem(400, "invalid_parameters", "Some query parameters cannot be accepted.", faults=[fault])
    span = SPANS[query["preset"]] if "preset" in query else Span(query.get("from"), query.get("to"))
    scope = scope_of(user, span, query.get("portfolio_id"), query.get("position_id"))
    return Export(kind, scope, trades="only" in query)

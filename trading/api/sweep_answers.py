"""What the doors of sweeps say."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portfolios.api.amounts import AmountField
from portfolios.api.answers import PageAnswer
from portfolios.api.serializers import Answer
from trading.api.run_answers import WorkAnswer
from trading.api.settings_answers import ValueField
from trading.simulation.models import Sweep
from trading.simulation.ranking import HeatMap, figure_of, time_left
from trading.simulation.trials import METRICS


class CheckAnswer(Answer):
    name = serializers.CharField()
    passed = serializers.BooleanField()
    figure = serializers.FloatField(allow_null=True, help_text="What was measured; null where it cannot be told")
    sentence = serializers.CharField()


class VerdictAnswer(Answer):
    """Whether these settings may be recommended, in words; definitions: docs/concepts/honesty.md."""

    is_offered = serializers.BooleanField()
    sentence = serializers.CharField()
    checks = CheckAnswer(many=True)


class WalkAnswer(Answer):
    """Sharpe ratios of timing returns, a year."""

    chosen = serializers.ListField(child=serializers.IntegerField(), help_text="Which combination each block tested")
    sharpe = serializers.FloatField(help_text="Of all the blocks that were tested")
    sharpe_before = serializers.FloatField(help_text="Mean, where they were chosen")


class HonestyAnswer(Answer):
    """Of a sweep as a whole. What needs two settings and 252 sessions is left out where there are fewer."""

    trials = serializers.IntegerField()
    trials_before = serializers.IntegerField(help_text="Yours on this symbol, in earlier sweeps")
    sessions = serializers.IntegerField()
    best = serializers.IntegerField(help_text="The combination with the highest timing Sharpe ratio")
    overfit_probability = serializers.FloatField(required=False)
    anchored = WalkAnswer(required=False)
    rolling = WalkAnswer(required=False)
    look_ahead = serializers.BooleanField(help_text="Cutting the future off changed nothing of the past")
    verdict = VerdictAnswer(help_text="On `best`")


class SweepRowAnswer(WorkAnswer):
    settings = serializers.DictField(help_text="What rules where no axis does; what is not given was the default")
    axes = serializers.ListField(child=serializers.DictField())
    done = serializers.IntegerField(help_text="Combinations done, of `total`")
    left_out = serializers.IntegerField(help_text="Combinations that no cell could have")
    seconds_left = serializers.SerializerMethodField(help_text="By the pace so far; null while that is not known")

    def get_seconds_left(self, sweep: Sweep) -> int | None:
        left = time_left(sweep)
        return None if left is None else round(left.total_seconds())


class SweepAnswer(SweepRowAnswer):
    result = HonestyAnswer(allow_null=True, help_text="null until it is done")


class SweepPage(PageAnswer):
    results = SweepRowAnswer(many=True)


class FigureAnswer(Answer):
    """Amounts as text, fractions not per cent; null where a figure cannot be told."""

    value = AmountField(allow_null=True)
    total_return = serializers.FloatField()
    cagr = serializers.FloatField(allow_null=True)
    volatility = serializers.FloatField(allow_null=True)
    sharpe = serializers.FloatField(allow_null=True)
    sortino = serializers.FloatField(allow_null=True)
    max_drawdown = serializers.FloatField()
    calmar = serializers.FloatField(allow_null=True)
    exposure = serializers.FloatField(help_text="Mean stock share at the closes")
    guardrail_time = serializers.FloatField(help_text="Part of the sessions that closed within the guardrails")
    trades = serializers.IntegerField()
    turnover = serializers.FloatField(allow_null=True, help_text="How often a year the mean value was traded")
    fees = AmountField(allow_null=True)
    timing_sharpe = serializers.FloatField(help_text="A year; what buying and selling earned beyond the usual share")


class PlacedAnswer(Answer):
    number = serializers.IntegerField(source="trial.number", help_text="Of the combination, in the grid")
    given = serializers.DictField(source="trial.given", child=ValueField(), help_text="What the axes give it")
    figures = serializers.SerializerMethodField()

    @extend_schema_field(FigureAnswer)
    def get_figures(self, row: Any) -> Any:
        return row.trial.figures


class RankedAnswer(PlacedAnswer):
    rank = serializers.IntegerField(source="number")


class RankedPage(PageAnswer):
    results = RankedAnswer(many=True)


class TrialAnswer(PlacedAnswer):
    settings = serializers.DictField(child=ValueField(), help_text="With the base: as `create_simulation` takes them")
    verdict = VerdictAnswer(allow_null=True, help_text="null until the sweep is done")


class MapAxisAnswer(Answer):
    name = serializers.CharField()
    values = serializers.ListField(child=serializers.CharField())


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string"}], "example": 0.81})
class FigureField(serializers.Field[Any, Any, Any, Any]):
    """A statistic as a number, an amount as decimal text."""

    def to_representation(self, value: Any) -> Any:
        return value


class MapRowAnswer(Answer):
    y = serializers.CharField(allow_null=True)
    figures = serializers.ListField(
        child=FigureField(allow_null=True), help_text="One for each value of x; null: left out or not yet"
    )
    numbers = serializers.ListField(child=serializers.IntegerField(), help_text="Which combination each is")


class MapAnswer(Answer):
    """The best over all other axes, for each pair of values."""

    metric = serializers.ChoiceField(choices=METRICS)
    x = MapAxisAnswer()
    y = MapAxisAnswer(allow_null=True)
    rows = MapRowAnswer(many=True)


def show_map(found: HeatMap) -> dict[str, Any]:
    axes = {name: axis and {"name": axis.name, "values": axis.texts} for name, axis in (("x", found.x), ("y", found.y))}
    texts = found.y.texts if found.y else [None]
    rows = [
        {"y": text, "figures": [figure_of(found.metric, value) for value in figures], "numbers": numbers}
        for text, figures, numbers in zip(texts, found.figures.tolist(), found.numbers.tolist(), strict=True)
    ]
    return dict(MapAnswer({"metric": found.metric, "rows": rows} | axes).data)

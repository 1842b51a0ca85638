"""What the doors of runs say."""

from typing import Any

from rest_framework import serializers

from portfolios.api.amounts import AmountField
from portfolios.api.answers import PageAnswer
from portfolios.api.serializers import Answer
from portfolios.domain.amounts import MICROS, as_text
from trading.bars.resolutions import RESOLUTIONS
from trading.simulation.models import STAGES, Work
from trading.simulation.stage import PATHS

PPM_IN_BPS = 100


class BpsField(AmountField):
    """Basis points outside, ppm inside."""

    default_error_messages = {"too_fine": f"Must be a multiple of {as_text(MICROS // PPM_IN_BPS)}."}

    def to_internal_value(self, data: Any) -> int:
        ppm, rest = divmod(super().to_internal_value(data) * PPM_IN_BPS, MICROS)
        if rest:
            self.fail("too_fine")
        return ppm

    def to_representation(self, value: int) -> str:
        return super().to_representation(value * MICROS // PPM_IN_BPS)


class RunFiguresAnswer(Answer):
    """Fractions, not per cent; null where a figure cannot be told. Definitions: docs/concepts/simulation.md."""

    total_return = serializers.FloatField()
    cagr = serializers.FloatField(allow_null=True)
    volatility = serializers.FloatField(allow_null=True)
    sharpe = serializers.FloatField(allow_null=True)
    sortino = serializers.FloatField(allow_null=True)
    max_drawdown = serializers.FloatField()
    calmar = serializers.FloatField(allow_null=True)


class RunRobotAnswer(RunFiguresAnswer):
    exposure = serializers.FloatField(help_text="Mean stock share at the closes")
    guardrail_time = serializers.FloatField(help_text="Part of the sessions that closed within the guardrails")


class RunBaselinesAnswer(Answer):
    buy_and_hold = RunFiguresAnswer()
    constant_mix = RunFiguresAnswer()
    cash = RunFiguresAnswer()


class RunEndAnswer(Answer):
    path = serializers.ChoiceField(choices=PATHS)
    value = serializers.CharField()
    total_return = serializers.FloatField()
    trades = serializers.IntegerField()


class RunRangeAnswer(Answer):
    """Between which ends it lies, whichever extreme came first inside the bars."""

    worst = RunEndAnswer()
    best = RunEndAnswer()


class RunSummaryAnswer(Answer):
    """As `manage.py simulate --json` has it, without the list of fills."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Declared here because `from` is a word of Python's own."""
        days = {name: serializers.DateField(help_text="Of the bars used") for name in ("from", "to")}
        return super().get_fields() | days

    bars = serializers.IntegerField()
    trades = serializers.IntegerField()
    buys = serializers.IntegerField()
    sells = serializers.IntegerField()
    shares = serializers.CharField()
    cash = serializers.CharField()
    receivable = serializers.CharField()
    anchor = serializers.CharField()
    value = serializers.CharField(help_text="Stock at the last close, cash and receivable")
    fees = serializers.CharField()
    slippage = serializers.CharField(help_text="What the fills cost against the prices decided at")
    dividends_net = serializers.CharField()
    skips = serializers.DictField(child=serializers.IntegerField(), help_text="How often nothing came of it, by reason")
    undecided_bars = serializers.IntegerField(help_text="Bars whose low and high reach both triggers", required=False)
    path_range = RunRangeAnswer(allow_null=True, required=False, help_text="null where it looks at closes only")
    metrics = RunRobotAnswer()
    baselines = RunBaselinesAnswer()


class WorkAnswer(Answer):
    """What a run and a sweep have in common: what was asked of which past, and how far it is."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    symbol = serializers.CharField()
    resolution = serializers.ChoiceField(choices=RESOLUTIONS, help_text="How long a bar lasts")
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    cash = AmountField()
    in_stock = AmountField(help_text="Part of the cash that is stock at the first close")
    slippage_bps = BpsField(source="slippage")
    rule_version = serializers.CharField()
    data_sha256 = serializers.CharField(help_text="Of the bars and corporate actions; empty until they were read")
    status = serializers.ChoiceField(choices=Work.Status.choices)
    total = serializers.IntegerField()
    failure = serializers.CharField(help_text="Why it failed, in a sentence")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class RunRowAnswer(WorkAnswer):
    path = serializers.ChoiceField(choices=PATHS)
    settings = serializers.DictField(help_text="As given; what is not given was the default")
    settings_sha256 = serializers.CharField(help_text="Of all settings, defaults included")
    stage = serializers.ChoiceField(choices=["", *STAGES], help_text="What a worker does about it now")
    done = serializers.IntegerField(help_text="Stages done, of `total`")


class RunAnswer(RunRowAnswer):
    result = RunSummaryAnswer(allow_null=True, help_text="null until it is done")


class RunPage(PageAnswer):
    results = RunRowAnswer(many=True)


class RunFillAnswer(Answer):
    """A trade, and what it left behind."""

    number = serializers.IntegerField(help_text="Among all steps of the run, counted from 1")
    day = serializers.DateField(help_text="On the exchange's own calendar")
    at = serializers.DateTimeField(allow_null=True, help_text="Where its bar begins; null where bars are daily")
    side = serializers.ChoiceField(choices=["BUY", "SELL"])
    reason = serializers.CharField()
    quantity = AmountField()
    decided = AmountField(help_text="The price the rule saw")
    price = AmountField(help_text="The price it filled at")
    notional = AmountField()
    fee = AmountField()
    shares = AmountField()
    cash = AmountField()
    receivable = AmountField()
    anchor = AmountField()


class RunFillPage(PageAnswer):
    results = RunFillAnswer(many=True)


class RunDayAnswer(Answer):
    """A session at its close."""

    number = serializers.IntegerField()
    day = serializers.DateField()
    close = AmountField()
    value = AmountField()
    shares = AmountField()
    cash = AmountField()
    receivable = AmountField()
    anchor = AmountField()
    stock = AmountField(help_text="What the shares are worth at that close")
    buy_and_hold = AmountField(help_text="What the same money was worth all in stock")
    constant_mix = AmountField(help_text="What it was worth at its starting weight")
    low_first = AmountField(allow_null=True, help_text="The cell with the low always first inside a bar")
    high_first = AmountField(allow_null=True, help_text="The cell with the high always first")


class RunDayPage(PageAnswer):
    results = RunDayAnswer(many=True)

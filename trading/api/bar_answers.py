"""What the doors of recorded bars say."""

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from portfolios.api.amounts import AmountField
from portfolios.api.answers import PageAnswer
from portfolios.api.serializers import Answer
from trading.bars.models import BarImport
from trading.bars.resolutions import RESOLUTIONS


class MomentField(serializers.DateTimeField):
    """From seconds of the epoch."""

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(datetime.fromtimestamp(value, UTC))


class SeriesAnswer(Answer):
    ticker = serializers.CharField(source="symbol")
    resolution = serializers.ChoiceField(choices=RESOLUTIONS)
    bars = serializers.IntegerField(source="rows")
    first = MomentField(help_text="Where the first bar begins; of a day midnight UTC of its date")
    last = MomentField()


class SeriesPage(PageAnswer):
    results = SeriesAnswer(many=True)


class StoredBarAnswer(Answer):
    at = MomentField(help_text="Where the bar begins; of a day midnight UTC of its date")
    day = serializers.DateField(help_text="On the exchange's own calendar")
    open = AmountField()
    high = AmountField()
    low = AmountField()
    close = AmountField()
    volume = serializers.IntegerField()
    session = serializers.ChoiceField(choices=["regular", "extended"])


class StoredBarPage(PageAnswer):
    results = StoredBarAnswer(many=True)


class GapAnswer(Answer):
    day = serializers.DateField()
    missing = serializers.IntegerField(help_text="Bars of the regular session; a minute without a trade has none")
    expected = serializers.IntegerField()


class OutlierAnswer(Answer):
    at = MomentField(source="begins")
    what = serializers.CharField()
    price = AmountField()
    change = serializers.FloatField(help_text="As a part of what it is measured against")


class QualityAnswer(Answer):
    ticker = serializers.CharField(source="symbol")
    resolution = serializers.ChoiceField(choices=RESOLUTIONS)
    bars = serializers.IntegerField(source="quality.rows")
    first = MomentField(source="quality.first")
    last = MomentField(source="quality.last")
    sessions = serializers.IntegerField(source="quality.sessions", help_text="From the first bar's to the last one's")
    complete_sessions = serializers.IntegerField(source="quality.complete")
    incomplete_sessions = serializers.IntegerField()
    missing_bars = serializers.IntegerField(source="quality.missing_bars", help_text="Of regular sessions")
    sessions_behind = serializers.IntegerField(source="quality.behind", help_text="Over, and after the last bar")
    extended_bars = serializers.IntegerField(source="quality.extended", help_text="Before and after the session")
    without_volume = serializers.IntegerField(source="quality.without_volume")
    outliers = serializers.IntegerField(source="outlier_count")


class GapPage(PageAnswer):
    results = GapAnswer(many=True)


class OutlierPage(PageAnswer):
    results = OutlierAnswer(many=True)


class ImportAnswer(Answer):
    id = serializers.UUIDField(source="public_id")
    status = serializers.ChoiceField(choices=BarImport.Status.choices)
    ticker = serializers.CharField(source="symbol")
    resolution = serializers.ChoiceField(choices=RESOLUTIONS)
    name = serializers.CharField(help_text="Of the file")
    sha256 = serializers.CharField(help_text="Of the file")
    bars = serializers.IntegerField(source="found.rows")
    first = MomentField(source="found.first")
    last = MomentField(source="found.last")
    new = serializers.IntegerField(source="found.new", help_text="Not recorded before")
    same = serializers.IntegerField(source="found.same", help_text="Recorded alike")
    different = serializers.IntegerField(source="found.different", help_text="Recorded with other values")
    warnings = serializers.ListField(child=serializers.CharField(), source="found.warnings")
    replaced = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    committed_at = serializers.DateTimeField(allow_null=True)


class ImportPage(PageAnswer):
    results = ImportAnswer(many=True)

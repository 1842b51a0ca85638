"""Settings tried on a cell's own history before they are saved; nothing is written."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.amounts import AmountField
from portfolios.api.serializers import Answer, StrictBooleanField, StrictSerializer
from portfolios.api.views import ApiView, read_body
from portfolios.domain.settings import SettingError, overlaid
from portfolios.errors import Refused
from trading.api.access import position_for
from trading.api.settings_answers import Subject, ValueField
from trading.simulation.preview import MOST_LISTED, preview


class SettingsToPreview(StrictSerializer):
    settings = serializers.DictField(help_text="By name, as people write them; see docs/concepts/rule.md")
    patch = StrictBooleanField(
        default=False, help_text="Over what the cell has, as PATCH saves them; else in its place, as PUT does"
    )


class PreviewSideAnswer(Answer):
    value = AmountField(help_text="At the end, dividends not yet paid included")
    orders = serializers.IntegerField()
    turnover = AmountField(help_text="Of all fills")
    guardrail_time = serializers.FloatField(help_text="The part of the sessions that closed within the guardrails")
    fees = AmountField()
    dividends = AmountField(help_text="Net of tax, by ex-date")


class PreviewCountsAnswer(Answer):
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    resized = serializers.IntegerField()
    same = serializers.IntegerField()


class PreviewOrderAnswer(Answer):
    """Matched by quote and side."""

    at = serializers.DateTimeField(help_text="Market time of the quote")
    what = serializers.ChoiceField(choices=["added", "removed", "resized"])
    side = serializers.ChoiceField(choices=["BUY", "SELL"])
    before = AmountField(allow_null=True, help_text="Shares, under the settings in force now")
    after = AmountField(allow_null=True, help_text="Shares, under those previewed")
    price = AmountField(help_text="Of the fill")


class PreviewLogAnswer(Answer):
    """The robot's filled orders as the log has them, beside the side in force now."""

    orders = serializers.IntegerField()
    agrees = serializers.BooleanField(help_text="Every order the same: quote, quantity, amount and fee")
    differs_at = serializers.DateTimeField(allow_null=True, help_text="Market time of the first that is not")
    changes = serializers.IntegerField(help_text="How often its settings changed since the cell was opened")


class SettingsPreviewAnswer(Answer):
    etag = serializers.CharField(help_text="The If-Match with which PUT of `given` saves exactly what was previewed")
    given = serializers.DictField(child=ValueField())
    first = serializers.DateTimeField(help_text="Market time of the first quote")
    last = serializers.DateTimeField()
    quotes = serializers.IntegerField()
    now = PreviewSideAnswer()
    new = PreviewSideAnswer()
    counts = PreviewCountsAnswer()
    changed = PreviewOrderAnswer(many=True, help_text=f"The first {MOST_LISTED}, by time")
    unlisted = serializers.IntegerField(help_text="How many more there are")
    logged = PreviewLogAnswer()


class PositionSettingsPreview(ApiView):
    """Every price the cell was shown, its money in and out, pauses, halts, dividends and splits, through the robot's
    own rule twice from the same opening. Every order is filled at once and whole. Whoever may look may preview."""

    scopes = {"POST": "read"}

    @extend_schema(
        operation_id="preview_position_settings",
        summary="What other settings would have done on the cell's own history",
        request=SettingsToPreview,
        responses=SettingsPreviewAnswer,
    )
    def post(self, request: Request, public_id: str) -> Response:
        position = position_for(request, public_id)
        subject = Subject(position.portfolio, position)
        found = preview(position, given_in(read_body(request, SettingsToPreview), subject))
        told = found._asdict() | {"etag": subject.etag, "unlisted": found.unlisted}
        return Response(SettingsPreviewAnswer(told).data)


def given_in(body: dict[str, Any], subject: Subject) -> dict[str, Any]:
    if not body["patch"]:
        return dict(body["settings"])
    try:
        return overlaid(subject.version.given if subject.version else {}, body["settings"])
    except SettingError as error:
        raise Refused("invalid_setting", error.message, field=f"settings/{error.field}") from error

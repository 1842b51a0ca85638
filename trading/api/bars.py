"""Recorded bars of every resolution, how good they are, and files of them coming in. The same for all; staff import."""

from datetime import timedelta
from typing import Any, NamedTuple

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from portfolios.api.access import uuid_or_404
from portfolios.api.authentication import user_of
from portfolios.api.pagination import PageQuery
from portfolios.api.problems import Fault, Problem, not_found
from portfolios.api.requests import DayRangeQuery
from portfolios.api.serializers import StrictBooleanField, StrictSerializer, StrictTextField
from portfolios.api.views import ApiView, paged, read_body
from trading.api.bar_answers import (
    GapAnswer,
    GapPage,
    ImportAnswer,
    ImportPage,
    OutlierAnswer,
    OutlierPage,
    QualityAnswer,
    SeriesAnswer,
    SeriesPage,
    StoredBarAnswer,
    StoredBarPage,
)
from trading.api.numbered import Numbered
from trading.bars.catalogue import BarsGone, Series, all_series, series_of
from trading.bars.faults import Unfit
from trading.bars.models import BarImport
from trading.bars.quality import Quality
from trading.bars.resolutions import DAILY, RESOLUTIONS
from trading.bars.uploads import MOST_BYTES, commit, preview
from trading.simulation.recorded import ADJUSTMENTS, quality_now, recorded_view

LOOK_BACK = timedelta(days=30)


class NumberQuery(PageQuery):
    ordering = serializers.ChoiceField(choices=["at", "-at"], default="at")


class SeriesQuery(PageQuery):
    ordering = serializers.ChoiceField(choices=["symbol", "-symbol"], default="symbol")


class StoredBarQuery(DayRangeQuery):
    ordering = serializers.ChoiceField(choices=["at", "-at"], default="at")
    adjust = serializers.ChoiceField(
        choices=ADJUSTMENTS, default="none", help_text="Seen from the last bar: by splits, or by all with dividends"
    )


class NewImport(StrictSerializer):
    file = serializers.FileField(help_text="CSV (also gzipped) or Parquet, at most 5 MiB and 200,000 rows")
    symbol = StrictTextField(max_length=12)
    resolution = serializers.ChoiceField(
        choices=RESOLUTIONS, required=False, default="", allow_blank=True, help_text="Left out: found in the file"
    )
    accept_jumps = serializers.BooleanField(default=False, help_text="Jumps without a known split are real")


class CommitImport(StrictSerializer):
    replace = StrictBooleanField(default=False, help_text="Other values than those recorded replace them")


class Row(NamedTuple):
    number: int
    values: Any


def known_series(symbol: str, resolution: str) -> Series:
    """Raises Problem: 404 series_not_found."""
    found = series_of(symbol, resolution)
    if found is None:
        raise not_found("series")
    return found


def gone(error: BarsGone) -> Problem:
    return Problem(503, "bars_gone", f"{error}.", headers={"Retry-After": "60"})


class SeriesList(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": SeriesQuery}

    @extend_schema(operation_id="list_series", summary="Which bars are recorded", responses=SeriesPage)
    def get(self, request: Request) -> Response:
        found = all_series()
        rows = Numbered(range(1, len(found) + 1), lambda number: Row(number, found[number - 1]))
        return paged(self, rows, lambda page: [SeriesAnswer(row.values).data for row in page], key="number")


class StoredBarList(ApiView):
    """Raw as traded unless asked to be adjusted, which is done when read: no adjusted price is kept. Without `from`,
    bars of less than a day are those of the 30 days before `to` or before the last one.
    """

    scopes = {"GET": "read"}
    queries = {"GET": StoredBarQuery}

    @extend_schema(
        operation_id="list_stored_bars", summary="Recorded bars of a symbol and resolution", responses=StoredBarPage
    )
    def get(self, request: Request, symbol: str, resolution: str) -> Response:
        series = known_series(symbol, resolution)
        last = self.query.get("to") or series.last_day
        first = self.query.get("from") or (None if resolution == DAILY else last - LOOK_BACK)
        try:
            view = recorded_view(symbol, resolution, first, last, self.query["adjust"])
        except BarsGone as error:
            raise gone(error) from None
        rows = Numbered(range(1, len(view.begins) + 1), lambda number: Row(number, view.row(number - 1)))
        return paged(self, rows, lambda page: [StoredBarAnswer(row.values).data for row in page], key="number")


class SeriesQuality(ApiView):
    """Beside the exchange's calendar. Its gaps and outliers are lists of their own."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="get_series_quality", summary="How good recorded bars are", responses=QualityAnswer)
    def get(self, request: Request, symbol: str, resolution: str) -> Response:
        quality = quality_for(symbol, resolution)
        told = {"symbol": symbol, "resolution": resolution, "quality": quality}
        counts = {"incomplete_sessions": len(quality.gaps), "outlier_count": len(quality.outliers)}
        return Response(QualityAnswer(told | counts).data)


class SeriesGaps(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": NumberQuery}

    @extend_schema(operation_id="list_series_gaps", summary="Sessions of which bars are missing", responses=GapPage)
    def get(self, request: Request, symbol: str, resolution: str) -> Response:
        gaps = quality_for(symbol, resolution).gaps
        rows = Numbered(range(1, len(gaps) + 1), lambda number: Row(number, gaps[number - 1]))
        return paged(self, rows, lambda page: [GapAnswer(row.values).data for row in page], key="number")


class SeriesOutliers(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": NumberQuery}

    @extend_schema(operation_id="list_series_outliers", summary="Bars that stand out", responses=OutlierPage)
    def get(self, request: Request, symbol: str, resolution: str) -> Response:
        found = quality_for(symbol, resolution).outliers
        rows = Numbered(range(1, len(found) + 1), lambda number: Row(number, found[number - 1]))
        return paged(self, rows, lambda page: [OutlierAnswer(row.values).data for row in page], key="number")


def quality_for(symbol: str, resolution: str) -> Quality:
    """Raises Problem: 404 series_not_found, 503 bars_gone."""
    known_series(symbol, resolution)
    try:
        quality = quality_now(symbol, resolution, timezone.now())
    except BarsGone as error:
        raise gone(error) from None
    if quality is None:
        raise not_found("series")
    return quality


def unfit_file(error: Unfit) -> Problem:
    faults = [Fault("unfit_file", str(fault), pointer="#/file") for fault in error.faults]
    return Problem(422, "unfit_file", "This file cannot be taken in; nothing of it was.", faults=faults)


class ImportList(ApiView):
    """Newest first. Market data is everybody's: only staff import."""

    scopes = {"GET": "admin", "POST": "admin"}
    queries = {"GET": PageQuery}
    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="list_bar_imports", summary="Imports of bars; staff only", responses=ImportPage)
    def get(self, request: Request) -> Response:
        return paged(self, BarImport.objects.all(), lambda page: list(ImportAnswer(page, many=True).data))

    @extend_schema(
        operation_id="preview_bar_import",
        summary="Look a file of bars over; staff only",
        description="Nothing is recorded until it is committed, for which the file is kept for a day. 422 `unfit_file` "
        "names the first 20 errors by line and column; 413 over 5 MiB. Scope: `admin`.",
        request={"multipart/form-data": NewImport},
        responses={201: ImportAnswer},
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, NewImport)
        file = body.pop("file")
        if file.size > MOST_BYTES:
            raise Problem(413, "file_too_large", "A file may have at most 5 MiB.")
        try:
            asked = preview(content=file.chunks(), name=file.name, by=user_of(request), **body)
        except Unfit as error:
            raise unfit_file(error) from None
        except BarsGone as error:
            raise gone(error) from None
        where = reverse("api-bar-import", [str(asked.public_id)], request=request)
        return Response(ImportAnswer(asked).data, status=201, headers={"Location": where})


def import_for(public_id: str) -> BarImport:
    """Raises Problem: 404 import_not_found."""
    found = BarImport.objects.filter(public_id=uuid_or_404(public_id, "import")).first()
    if found is None:
        raise not_found("import")
    return found


class ImportDetail(ApiView):
    scopes = {"GET": "admin"}

    @extend_schema(operation_id="get_bar_import", summary="One import of bars; staff only", responses=ImportAnswer)
    def get(self, request: Request, public_id: str) -> Response:
        return Response(ImportAnswer(import_for(public_id)).data)


class ImportCommit(ApiView):
    """All of its bars or none; twice is once. 409 `bars_differ` where others are recorded for the same times."""

    scopes = {"POST": "admin"}

    @extend_schema(
        operation_id="commit_bar_import",
        summary="Take a file of bars in; staff only",
        request=CommitImport,
        responses=ImportAnswer,
    )
    def post(self, request: Request, public_id: str) -> Response:
        asked = import_for(public_id)
        replace = read_body(request, CommitImport)["replace"]
        try:
            return Response(ImportAnswer(commit(asked=asked, replace=replace)).data)
        except Unfit as error:
            raise unfit_file(error) from None
        except BarsGone as error:
            raise gone(error) from None

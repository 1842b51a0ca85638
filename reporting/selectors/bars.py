"""What the pages of recorded bars show: which series there are, and one beside the exchange's calendar."""

from datetime import datetime
from typing import Any, NamedTuple

from django.core import signing

from reporting.series_chart import Summary, drawn, summary_of
from trading.bars.catalogue import Series, all_series, series_of
from trading.bars.models import BarImport
from trading.bars.quality import Gap, Outlier, Quality
from trading.bars.resolutions import DAILY
from trading.market.selectors import exchange_of
from trading.simulation.recorded import quality_now, recorded_view

PAGE = 50
SALT = "bars"


class Listed(NamedTuple):
    """older: the cursor of the next page, empty at the end; newest: whether this is the first one."""

    rows: list[Series]
    older: str
    newest: bool


class SeriesPage(NamedTuple):
    """gaps, outliers: of this page, newest first. summary: of what the chart shows, on the first page."""

    series: Series
    quality: Quality
    gaps: list[Gap]
    outliers: list[Outlier]
    older: str
    newest: bool
    summary: Summary | None


def listed(cursor: str) -> Listed:
    found = all_series()
    begin = offset(cursor)
    rest = found[begin:]
    return Listed(rest[:PAGE], following(begin, len(rest)), begin == 0)


def page_of(symbol: str, resolution: str, now: datetime, cursor: str, adjust: str) -> SeriesPage | None:
    """None where nothing is recorded. adjust: one of ADJUSTMENTS. Raises BarsGone."""
    series = series_of(symbol, resolution)
    quality = quality_now(symbol, resolution, now) if series else None
    if series is None or quality is None:
        return None
    begin = offset(cursor)
    gaps, outliers = quality.gaps[::-1][begin:], quality.outliers[::-1][begin:]
    older = following(begin, max(len(gaps), len(outliers)))
    summary = summary_of(recorded_view(symbol, resolution, None, None, adjust)) if begin == 0 else None
    return SeriesPage(series, quality, list(gaps[:PAGE]), list(outliers[:PAGE]), older, begin == 0, summary)


def chart_of(symbol: str, resolution: str, adjust: str) -> dict[str, Any] | None:
    """None where nothing is recorded. Raises BarsGone."""
    if series_of(symbol, resolution) is None:
        return None
    bars = recorded_view(symbol, resolution, None, None, adjust)
    return drawn(bars, exchange_of(symbol), is_daily=resolution == DAILY)


def newest_imports() -> list[BarImport]:
    return list(BarImport.objects.select_related("created_by").order_by("-pk")[:10])


def offset(cursor: str) -> int:
    """A cursor that is not ours counts as none."""
    try:
        return int(signing.loads(cursor, salt=SALT)) if cursor else 0
    except signing.BadSignature:
        return 0


def following(begin: int, left: int) -> str:
    return signing.dumps(begin + PAGE, salt=SALT) if left > PAGE else ""

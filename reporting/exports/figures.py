"""The metrics of each cell over the days asked for, one row a cell, as an export."""

from collections.abc import Sequence
from typing import NamedTuple

from portfolios.domain.amounts import MICROS
from reporting.exports.columns import Column, Type
from reporting.exports.scope import Stretch
from reporting.exports.tables import Groups
from reporting.metrics.definitions import MONEY, Figures
from reporting.metrics.periods import Period
from reporting.metrics.reports import report_of
from reporting.selectors.facts import moments_of


class Row(NamedTuple):
    period: Period
    figures: Figures


def day(name: str, end: str) -> Column:
    return Column(name, Type.DAY, lambda row: getattr(row.period, end))


def count(name: str) -> Column:
    return Column(name, Type.COUNT, lambda row: getattr(row.figures, name))


def money(name: str) -> Column:
    return Column(name, Type.AMOUNT, lambda row: getattr(row.figures, name))


def ratio(name: str) -> Column:
    """To six decimals; empty where there was nothing to divide by."""

    def millionths(row: Row) -> int | None:
        value = getattr(row.figures, name)
        return None if value is None else round(value * MICROS)

    return Column(name, Type.AMOUNT, millionths)


METRICS = (
    day("from", "first"),
    day("to", "last"),
    ratio("slippage_bps"),
    ratio("hit_rate"),
    ratio("guardrail_time_pct"),
    count("min_notional_skips"),
    ratio("min_notional_skip_share"),
    ratio("turnover"),
    ratio("fee_drag"),
    ratio("time_weighted"),
    *map(money, MONEY),
)


def read_metrics(columns: Sequence[Column], stretch: Stretch, trades: bool) -> Groups:
    cells = stretch.cells
    if not cells:
        return
    positions = [stream.position for stream in cells.values() if stream.position]
    newest = max(moment.day for moment in moments_of({cell.source for cell in positions}).values())
    period = Period(stretch.span.first, min(stretch.span.last or newest, newest))
    for line in report_of(positions, period, whole=False).lines:
        row = Row(period, line.figures)
        yield cells[line.position.pk], [tuple(column.source(row) for column in columns)]

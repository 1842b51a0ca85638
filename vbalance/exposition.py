"""Numbers as Prometheus reads them: the six of each portfolio one may see; the whole house for its own scraper."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

import redis
from django.core.cache import cache
from django.db.models import Count, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from portfolios.models import FailedTask, Portfolio, Position
from reporting.metrics.definitions import THE_SIX, Figures, Worths, added, definition_of
from reporting.metrics.periods import Period
from reporting.metrics.reports import Line, cells_seen_by, moments_around, report_of, today_of
from trading.market.cache import HEARD
from trading.market.models import Quote
from trading.market.selectors import count_refusals
from trading.models import Order
from vbalance.health import waiting_bells

PERIOD = timedelta(days=90)


class Families:
    """What a registry collects: the families as they are now."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self.families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self.families


def exposition(families: Iterable[Metric], *, process: bool = False) -> bytes:
    registry = CollectorRegistry()
    registry.register(Families(families))
    if process:
        ProcessCollector(registry=registry)
    return generate_latest(registry)


def told_to(user: Any) -> bytes:
    """The caller's own portfolios, each under its id."""
    opened = Order.objects.visible_to(user).open().values_list("position__portfolio__public_id").annotate(Count("pk"))
    lines = lines_of(list(cells_seen_by(user)))
    named = groupby(sorted(lines, key=portfolio_of), key=portfolio_of)
    rows = [((name,), figures_of(list(several))) for name, several in named]
    return exposition(
        [
            *six(rows, ["portfolio"]),
            gauge("vb_open_orders", "Orders that may still fill", opened, ["portfolio"]),
            events_of(user),
        ]
    )


def told_to_the_scraper() -> bytes:
    """Everything, without a name: the six over all cells, and how the house is doing."""
    positions = list(Position.objects.select_related("portfolio").order_by("pk"))
    return exposition([*six([((), figures_of(lines_of(positions)))], []), *house()], process=True)


def events_of(user: Any) -> Metric:
    """Every stream numbers its own events, so that nothing has to be counted."""
    family = CounterMetricFamily("vb_events", "Events in the log", labels=["portfolio"])
    cells = Sum("positions__event_seq", default=0)
    rows = Portfolio.objects.visible_to(user).annotate(cells=cells).values_list("public_id", "event_seq", "cells")
    for name, own, others in rows.order_by("pk"):
        family.add_metric([str(name)], own + others)
    return family


def portfolio_of(line: Line) -> str:
    return str(line.position.portfolio.public_id)


def lines_of(positions: Sequence[Position]) -> list[Line]:
    moments = moments_around(positions)
    today = today_of(moments)
    return report_of(positions, Period(today - PERIOD, today), moments).lines


def figures_of(lines: Sequence[Line]) -> Figures:
    return Figures(added(line.figures.totals for line in lines), Worths(), Worths(), None)


def six(rows: Sequence[tuple[tuple[str, ...], Figures]], labels: Sequence[str]) -> Iterator[Metric]:
    """Over the last 90 market days; what could not be measured is left out."""
    for name in THE_SIX:
        family = GaugeMetricFamily(f"vb_{name}", f"{definition_of(name)} Last 90 days.", labels=labels)
        for label, figures in rows:
            figure = getattr(figures, name)
            if figure is not None:
                family.add_metric(label, figure)
        yield family


def gauge(name: str, meaning: str, rows: Iterable[tuple[Any, Any]], labels: Sequence[str]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for label, value in rows:
        family.add_metric([str(label)] if labels else [], float(value))
    return family


def house() -> Iterator[Metric]:
    states = Position.objects.values_list("state").annotate(Count("pk")).order_by("state")
    events = sum(
        rows.aggregate(Sum("event_seq"))["event_seq__sum"] or 0 for rows in (Position.objects, Portfolio.objects)
    )
    yield gauge("vb_cells", "Cells by state", states, ["state"])
    yield gauge("vb_open_orders", "Orders that may still fill", [("", Order.objects.open().count())], [])
    yield CounterMetricFamily("vb_events", "Events in the log", value=events)
    held = Position.objects.filter(skip_mark__startswith="gap|").count()
    yield gauge(
        "vb_gapped_cells", "Cells whose last word was a gap overnight that nobody had explained", [("", held)], []
    )
    refused = CounterMetricFamily("vb_refused_prices", "Prices that decided nothing", labels=["source", "reason"])
    for (source, reason), count in count_refusals().items():
        refused.add_metric([source, reason], count)
    yield refused
    failed = FailedTask.objects.filter(replayed_at=None).count()
    yield gauge("vb_failed_tasks", "Bells that failed for good and were not rung again", [("", failed)], [])
    newest = Quote.objects.order_by("-pk").first()
    if newest:
        age = max((timezone.now() - newest.received_at).total_seconds(), 0)
        yield gauge("vb_quote_age_seconds", "Since the newest price came in", [("", age)], [])
    if heard_at := cache.get(HEARD):
        age = max((timezone.now() - heard_at).total_seconds(), 0)
        yield gauge("vb_price_stream_age_seconds", "Since the stream of prices told one", [("", age)], [])
    try:
        yield gauge("vb_queue_length", "Bells that wait", waiting_bells().items(), ["queue"])
    except redis.RedisError:
        return  # a queue that cannot be asked has no length

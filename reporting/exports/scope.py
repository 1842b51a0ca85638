"""Whose rows, of which days: the cells somebody may see, and the instants asked for on each one's own clock."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from portfolios.api.problems import not_found
from portfolios.models import Portfolio, Position
from reporting.selectors.facts import EXCHANGE_TIME, moments_of


class Span(NamedTuple):
    """Market days, both included; `days` counts back from the newest one instead. None: no bound."""

    first: date | None = None
    last: date | None = None
    days: int | None = None

    def ending(self, today: date) -> "Span":
        """With the days counted back turned into dates."""
        return Span(today - timedelta(days=self.days - 1), today) if self.days else self


class Stream(NamedTuple):
    """What rows belong to: a cell, or a portfolio with its own log (`position` None)."""

    public_id: UUID
    ticker: str
    portfolio: Portfolio
    position: Position | None

    @property
    def place(self) -> tuple[str, str, str]:
        """As every row of every export ends: portfolio, ticker, position."""
        return self.portfolio.name, self.ticker, str(self.public_id) if self.position else ""


class Stretch(NamedTuple):
    """Streams that share a clock, oldest first, and what is asked of them. Instants bound [since, until)."""

    streams: list[Stream]
    span: Span

    @property
    def cells(self) -> dict[int, Stream]:
        return {stream.position.pk: stream for stream in self.streams if stream.position}

    @property
    def since(self) -> datetime | None:
        return datetime.combine(self.span.first, time(), EXCHANGE_TIME) if self.span.first else None

    @property
    def until(self) -> datetime | None:
        return datetime.combine(self.span.last + timedelta(days=1), time(), EXCHANGE_TIME) if self.span.last else None

    def within(self, field: str) -> dict[str, Any]:
        """The bounds as a filter on a column of instants."""
        bounds = {f"{field}__gte": self.since, f"{field}__lt": self.until}
        return {name: bound for name, bound in bounds.items() if bound}

    def within_days(self, field: str) -> dict[str, Any]:
        bounds = {f"{field}__gte": self.span.first, f"{field}__lte": self.span.last}
        return {name: bound for name, bound in bounds.items() if bound}


class Scope(NamedTuple):
    """name: for the file, in letters that are safe everywhere."""

    name: str
    stretches: list[Stretch]

    @property
    def streams(self) -> list[Stream]:
        return [stream for stretch in self.stretches for stream in stretch.streams]


def scope_of(user: Any, span: Span, portfolio_id: UUID | None = None, position_id: UUID | None = None) -> Scope:
    """All that the user may see (None: the operator, who sees all), one portfolio of it, or one cell.

    Raises Problem 404 for a stranger's as for an unknown one.
    """
    portfolios = Portfolio.objects.order_by("pk")
    positions = Position.objects.order_by("pk").select_related("portfolio__settings_version", "settings_version")
    if user is not None:
        portfolios, positions = portfolios.visible_to(user), positions.visible_to(user)
    if portfolio_id:
        portfolios = portfolios.filter(public_id=portfolio_id)
        positions = positions.filter(portfolio__public_id=portfolio_id)
    if position_id:
        positions = positions.filter(public_id=position_id)
    own = {portfolio.pk: portfolio for portfolio in portfolios}
    if portfolio_id and not own:
        raise not_found("portfolio")
    cells = [Stream(cell.public_id, cell.symbol, cell.portfolio, cell) for cell in positions]
    if position_id and not cells:
        raise not_found("position")
    logs = [] if position_id else [Stream(one.public_id, "", one, None) for one in own.values()]
    return Scope(name_of(cells, portfolio_id, position_id), stretches_of([*logs, *cells], span))


def stretches_of(streams: Iterable[Stream], span: Span) -> list[Stretch]:
    by_source = sorted(streams, key=source_of)
    moments = moments_of({source_of(stream) for stream in by_source}) if span.days else {}
    return [
        Stretch(list(several), span.ending(moments[source].day) if span.days else span)
        for source, several in groupby(by_source, key=source_of)
    ]


def source_of(stream: Stream) -> str:
    return stream.portfolio.source


def name_of(cells: list[Stream], portfolio_id: UUID | None, position_id: UUID | None) -> str:
    if position_id:
        return f"{cells[0].ticker}_{position_id.hex[:8]}"
    return f"portfolio_{portfolio_id.hex[:8]}" if portfolio_id else "all"

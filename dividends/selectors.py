"""Reads of the dividends floor: what is due and has not been done, and what was announced for one's symbols."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Exists, Min, OuterRef, QuerySet

from dividends.models import ActionsAnswer, Dividend, Entitlement, Split, SplitApplication
from portfolios.models import Position
from portfolios.prepared import array_text, execute

Row = TypeVar("Row", Dividend, Split)
PERSON = "user:"
Listing = tuple[str, str]  # symbol and source
AWAITED = """
    SELECT cell.id, min(split.ex_date)
      FROM portfolios_position AS cell
      JOIN dividends_split AS split
        ON split.symbol = cell.symbol AND split.source = cell.source
       AND split.cancelled_at IS NULL AND split.ex_date > cell.opened_on
     WHERE cell.id = ANY($1::bigint[])
       AND NOT EXISTS (SELECT FROM dividends_splitapplication AS done
                        WHERE done.split_id = split.id AND done.position_id = cell.id)
     GROUP BY cell.id
"""


def dividends_due(*, source: str, day: date) -> QuerySet[Dividend]:
    """Dividends gone ex by this market day that some cell holding the symbol since before has not been through."""
    untouched = cells_before().exclude(
        Exists(Entitlement.objects.filter(position=OuterRef("pk"), dividend=OuterRef(OuterRef("pk"))))
    )
    standing = Dividend.objects.filter(source=source, ex_date__lte=day, cancelled_at=None)
    return standing.filter(Exists(untouched)).order_by("ex_date", "pk")


def splits_due(*, source: str, day: date) -> QuerySet[Split]:
    untouched = cells_before().exclude(
        Exists(SplitApplication.objects.filter(position=OuterRef("pk"), split=OuterRef(OuterRef("pk"))))
    )
    standing = Split.objects.filter(source=source, ex_date__lte=day, cancelled_at=None)
    return standing.filter(Exists(untouched)).order_by("ex_date", "pk")


def awaited_splits(positions: Collection[Position]) -> dict[int, date]:
    """By primary key, when the first split goes ex that stands announced and the cell has not been through: from then
    on its shares and prices do not match. One query; cells that await none are left out.
    """
    return dict(execute(AWAITED, [array_text(position.pk for position in positions)]))


def cells_before() -> QuerySet[Position]:
    """Inside a subquery over dividends or splits: cells of the symbol opened before the ex-date."""
    return Position.objects.filter(
        symbol=OuterRef("symbol"), source=OuterRef("source"), opened_on__lt=OuterRef("ex_date")
    ).exclude(state=Position.Status.CLOSED)


def holders_before(row: Dividend | Split) -> QuerySet[Position]:
    """Cells of the symbol opened before the ex-date; the services skip those already done."""
    held = Position.objects.filter(symbol=row.symbol, source=row.source, opened_on__lt=row.ex_date)
    return held.exclude(state=Position.Status.CLOSED).order_by("pk")


def payments_due(*, source: str, day: date) -> QuerySet[Entitlement]:
    """Receivables whose pay-date has come."""
    return Entitlement.objects.filter(
        status=Entitlement.Status.RECEIVABLE, dividend__source=source, dividend__pay_date__lte=day
    ).order_by("pk")


def announced_for(rows: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """Of these dividends or splits, those of symbols in cells the user may see."""
    cells = Position.objects.visible_to(user).filter(symbol=OuterRef("symbol"), source=OuterRef("source"))
    return rows.filter(Exists(cells))


def actions_between(*, source: str, symbol: str, after: date, until: date) -> tuple[list[Split], list[Dividend]]:
    """What stands announced with an ex-date after one day and not after the other, by ex-date."""
    wanted = {"source": source, "symbol": symbol, "ex_date__gt": after, "ex_date__lte": until, "cancelled_at": None}
    splits, dividends = Split.objects.filter(**wanted), Dividend.objects.filter(**wanted)
    return list(splits.order_by("ex_date")), list(dividends.order_by("ex_date"))


def actions_told(*, listings: Iterable[Listing], after: date, until: date) -> tuple[list[Split], list[Dividend]]:
    """The same of many symbols and sources, with what was taken back."""
    symbols, sources = {symbol for symbol, _ in listings}, {source for _, source in listings}
    wanted = {"symbol__in": symbols, "source__in": sources, "ex_date__gt": after, "ex_date__lte": until}
    splits, dividends = Split.objects.filter(**wanted), Dividend.objects.filter(**wanted)
    return list(splits.order_by("ex_date")), list(dividends.order_by("ex_date"))


def answered_listings(days: Mapping[Listing, date]) -> set[Listing]:
    """Those of which somebody who knows has said all about corporate actions up to their day."""
    symbols, sources = {symbol for symbol, _ in days}, {source for _, source in days}
    rows = ActionsAnswer.objects.filter(symbol__in=symbols, source__in=sources, day__gte=min(days.values()))
    told = rows.values_list("symbol", "source", "day")
    return {(symbol, source) for symbol, source, day in told if day >= days.get((symbol, source), date.max)}


def answered_at(*, source: str, symbol: str, day: date) -> datetime | None:
    """When somebody who knows had said all up to that day; None where nobody has."""
    told = ActionsAnswer.objects.filter(source=source, symbol=symbol, day__gte=day)
    return told.aggregate(first=Min("created_at"))["first"]


def known_actions(symbol: str) -> tuple[list[Dividend], list[Split]]:
    """What is known of a symbol, whoever told it, by ex-date: one dividend and one split a day at most.

    A person's word counts before what a feed's source was told, that before the record; of equals the latest. Where the
    word that counts takes it back, there is none.
    """
    return standing(Dividend.objects.filter(symbol=symbol)), standing(Split.objects.filter(symbol=symbol))


def standing(rows: Iterable[Row]) -> list[Row]:
    by_day: dict[date, Row] = {}
    for row in sorted(rows, key=weight):
        by_day[row.ex_date] = row
    return [by_day[day] for day in sorted(by_day) if by_day[day].cancelled_at is None]


def is_said_by_a_person(row: Dividend | Split) -> bool:
    """Only people take back, also those whose names were not written down."""
    return row.told_by.startswith(PERSON) or row.cancelled_at is not None


def weight(row: Dividend | Split) -> tuple[int, Any, str]:
    """The greatest counts."""
    level = 2 if is_said_by_a_person(row) else int(row.source not in settings.RECORDED_SOURCES)
    return level, row.told_at or row.cancelled_at or row.created_at, row.source

"""A split is not carried out at the same instant here and at the broker: until both have, shares differ by it alone."""

from datetime import date, timedelta

from dividends.domain.splits import split_holding
from dividends.models import Split, SplitApplication
from portfolios.domain.amounts import micros
from portfolios.models import Account, Position
from portfolios.selectors import effective_rules
from trading.domain.books import DIFFERS, NOTED, SHARES, Line

AHEAD = timedelta(days=4)  # brokers split the evening before, on a Friday for a Monday
BEHIND = timedelta(days=2)
THERE = "The split of {day} is carried out there, and here once the market opens"
HERE = "The split of {day} is carried out here and not there yet"


def explain_splits(account: Account, lines: list[Line], today: date) -> list[Line]:
    """Lines of shares that differ by an announced split and by nothing else are noted."""
    return [explained_line(account, line, today) for line in lines]


def explained_line(account: Account, line: Line, today: date) -> Line:
    if (line.kind, line.verdict) != (SHARES, DIFFERS):
        return line
    cells = list(Position.objects.filter(portfolio__account=account, symbol=line.subject).select_related("portfolio"))
    near = {"ex_date__gte": today - BEHIND, "ex_date__lte": today + AHEAD, "cancelled_at": None}
    sources = {cell.source for cell in cells}
    for split in Split.objects.filter(symbol=line.subject, source__in=sources, **near).order_by("ex_date", "pk"):
        applied = {row.position_id: row for row in SplitApplication.objects.filter(split=split, position__in=cells)}
        waiting = [cell for cell in cells if cell.pk not in applied and cell.source == split.source]
        more = sum(after_split(cell, split) - cell.shares for cell in waiting)
        less = sum(row.shares_after - row.shares_before for row in applied.values())
        for change, words in ((more, THERE), (-less, HERE)):
            if change and abs(micros(line.difference) - change) <= len(cells):
                return line._replace(verdict=NOTED, note=words.format(day=split.ex_date))
    return line


def after_split(cell: Position, split: Split) -> int:
    lot = effective_rules(cell).rules.lot
    return split_holding(cell.shares, cell.anchor, lot, split.numerator, split.denominator, 0).shares

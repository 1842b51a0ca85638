"""Corporate actions as a feed or a file tells them: what is new is announced, what differs is corrected if wished."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple, cast

from django.db import transaction

from dividends.models import Dividend, Split
from dividends.selectors import is_said_by_a_person
from dividends.services.announcements import announce_dividend, announce_split
from dividends.services.corrections import correct_split
from trading.services.corporate_actions import correct_dividend


class ToldDividend(NamedTuple):
    """dps in micros a share; pay_date None where nobody says."""

    symbol: str
    ex_date: date
    dps: int
    pay_date: date | None


class ToldSplit(NamedTuple):
    symbol: str
    ex_date: date
    numerator: int
    denominator: int


class Told(NamedTuple):
    """Everything a feed or a file says."""

    dividends: tuple[ToldDividend, ...]
    splits: tuple[ToldSplit, ...]


class Taken(NamedTuple):
    """How many were new, known already, corrected; and those known otherwise and left as they were."""

    new: int
    same: int
    corrected: int
    different: tuple[str, ...]


@transaction.atomic
def take_actions(
    *, source: str, told: Told, corrects: bool, market_at: datetime, actor: str, overrules: bool = True
) -> Taken:
    """All of it or nothing; told again, it changes nothing. overrules: corrects also what a person has said.

    Raises Refused: already_applied (a split, 409).
    """
    counts = {"new": 0, "same": 0, "corrected": 0}
    different: list[str] = []
    rows: list[ToldSplit | ToldDividend] = [*told.splits, *told.dividends]
    for row in rows:
        known = known_as(source, row)
        may = corrects and (overrules or known is None or not is_said_by_a_person(known))
        outcome = taken(source, row, known, corrects=may, market_at=market_at, actor=actor)
        if outcome == "different":
            different.append(f"{row.symbol} {row.ex_date}")
        else:
            counts[outcome] += 1
    return Taken(**counts, different=tuple(different))


def known_as(source: str, row: ToldDividend | ToldSplit) -> Dividend | Split | None:
    model = Split if isinstance(row, ToldSplit) else Dividend
    return model.objects.filter(source=source, symbol=row.symbol, ex_date=row.ex_date).first()


def taken(
    source: str,
    row: ToldDividend | ToldSplit,
    known: Dividend | Split | None,
    *,
    corrects: bool,
    market_at: datetime,
    actor: str,
) -> str:
    if isinstance(row, ToldSplit):
        split = cast("Split | None", known)
        if split and (split.numerator, split.denominator, split.cancelled_at) == (row.numerator, row.denominator, None):
            return "same"
        write = correct_split if split and corrects else announce_split
        if not split or corrects:
            write(
                source=source,
                symbol=row.symbol,
                ex_date=row.ex_date,
                numerator=row.numerator,
                denominator=row.denominator,
                by=actor,
            )
        return told_apart(bool(split), corrects)
    dividend = cast("Dividend | None", known)
    if dividend is None:
        announce_dividend(
            source=source, symbol=row.symbol, ex_date=row.ex_date, dps=row.dps, pay_date=row.pay_date, by=actor
        )
    elif is_same(dividend, row):
        return "same"
    elif corrects or is_now_known(dividend, row):
        correct_dividend(
            source=source,
            symbol=row.symbol,
            ex_date=row.ex_date,
            dps=row.dps,
            pay_date=row.pay_date,
            market_at=market_at,
            actor=actor,
        )
        return "corrected"
    return told_apart(dividend is not None, corrects)


def told_apart(known: bool, corrects: bool) -> str:
    if not known:
        return "new"
    return "corrected" if corrects else "different"


def is_same(dividend: Dividend, row: ToldDividend) -> bool:
    pays = row.pay_date is None or (dividend.pay_date == row.pay_date and not dividend.pay_date_assumed)
    return dividend.dps == row.dps and dividend.cancelled_at is None and pays


def is_now_known(dividend: Dividend, row: ToldDividend) -> bool:
    """Only the pay date, which was assumed."""
    return dividend.dps == row.dps and dividend.cancelled_at is None and dividend.pay_date_assumed


def summed(rows: Iterable[ToldDividend]) -> tuple[ToldDividend, ...]:
    """What is paid for one ex-date in parts is one dividend; of the pay dates the last."""
    found: dict[tuple[str, date], ToldDividend] = {}
    for row in rows:
        key = (row.symbol, row.ex_date)
        if key in found:
            before = found[key]
            dates = [day for day in (before.pay_date, row.pay_date) if day]
            row = ToldDividend(*key, before.dps + row.dps, max(dates) if dates else None)
        found[key] = row
    return tuple(sorted(found.values(), key=lambda row: (row.ex_date, row.symbol)))

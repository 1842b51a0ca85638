"""What companies announce: dividends and splits, once each however often they are told; and that there is no more."""

from collections.abc import Iterable
from datetime import date, timedelta

from dividends.models import ActionsAnswer, Dividend, Split

ASSUMED_DELAY = timedelta(days=30)


def announce_dividend(
    *, source: str, symbol: str, ex_date: date, dps: int, pay_date: date | None = None, by: str = ""
) -> Dividend:
    """dps in micros a share; by: who says so, empty for a record. An unknown pay date is assumed 30 days after the
    ex-date, marked so, and corrected here when it becomes known.
    """
    dividend, _ = Dividend.objects.get_or_create(
        source=source,
        symbol=symbol,
        ex_date=ex_date,
        defaults={
            "dps": dps,
            "pay_date": pay_date or ex_date + ASSUMED_DELAY,
            "pay_date_assumed": pay_date is None,
            "told_by": by,
        },
    )
    if pay_date and dividend.pay_date_assumed and dividend.dps == dps:
        assumed = Dividend.objects.filter(pk=dividend.pk, pay_date_assumed=True)
        assumed.update(pay_date=pay_date, pay_date_assumed=False)
        dividend.refresh_from_db()
    return dividend


def announce_split(*, source: str, symbol: str, ex_date: date, numerator: int, denominator: int, by: str = "") -> Split:
    split, _ = Split.objects.get_or_create(
        source=source,
        symbol=symbol,
        ex_date=ex_date,
        defaults={"numerator": numerator, "denominator": denominator, "told_by": by},
    )
    return split


def note_answers(*, source: str, symbols: Iterable[str], day: date, by: str) -> None:
    """All that is known up to this day has been announced. Said again, it is as before."""
    rows = [ActionsAnswer(source=source, symbol=symbol, day=day, by=by) for symbol in sorted(set(symbols))]
    ActionsAnswer.objects.bulk_create(rows, ignore_conflicts=True)

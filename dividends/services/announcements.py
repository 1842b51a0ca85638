"""What companies announce: dividends and splits, once each however often they are told."""

from datetime import date, timedelta

from dividends.models import Dividend, Split

ASSUMED_DELAY = timedelta(days=30)


def announce_dividend(*, source: str, symbol: str, ex_date: date, dps: int, pay_date: date | None = None) -> Dividend:
    """dps in micros a share. An unknown pay date is assumed 30 days after the ex-date, and marked so."""
    dividend, _ = Dividend.objects.get_or_create(
        source=source,
        symbol=symbol,
        ex_date=ex_date,
        defaults={"dps": dps, "pay_date": pay_date or ex_date + ASSUMED_DELAY, "pay_date_assumed": pay_date is None},
    )
    return dividend


def announce_split(*, source: str, symbol: str, ex_date: date, numerator: int, denominator: int) -> Split:
    split, _ = Split.objects.get_or_create(
        source=source, symbol=symbol, ex_date=ex_date, defaults={"numerator": numerator, "denominator": denominator}
    )
    return split

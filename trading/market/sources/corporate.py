"""Dividends and splits as Alpaca tells them: all or an exception, never half an answer."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from portfolios.domain.amounts import MAX_PRICE
from trading.market.base import PriceUnavailable
from trading.market.sources.alpaca import AT_ONCE, Keys, keys_of_the_house
from trading.market.sources.reading import ask_json, micros_in

KINDS = {"cash_dividends": "cash_dividend", "forward_splits": "forward_split", "reverse_splits": "reverse_split"}
MOST_PAGES = 50
FINEST = 10_000  # of the two figures of a ratio
PAID_WITHIN = timedelta(days=200)  # of the ex-date: the vendor goes by the day a dividend is booked, its pay date


class DividendTold(NamedTuple):
    """Micros a share; None: nobody says when."""

    symbol: str
    ex_date: date
    dps: int
    pay_date: date | None


class SplitTold(NamedTuple):
    symbol: str
    ex_date: date
    numerator: int
    denominator: int


class AlpacaActions:
    name = "alpaca"

    def __init__(self, keys: Keys | None = None) -> None:
        self.keys = keys

    def between(self, symbols: Collection[str], first: date, last: date) -> tuple[list[DividendTold], list[SplitTold]]:
        """What is announced with an ex-date of these days. Raises PriceUnavailable: then nothing is known."""
        dividends: list[DividendTold] = []
        splits: list[SplitTold] = []
        ordered = sorted(symbols)
        for begin in range(0, len(ordered), AT_ONCE):
            for told in self.pages(ordered[begin : begin + AT_ONCE], first, last + PAID_WITHIN):
                dividends += [dividend_in(row) for row in rows_in(told, "cash_dividends")]
                for kind in ("forward_splits", "reverse_splits"):
                    splits += [split_in(row) for row in rows_in(told, kind)]
        return (
            [one for one in dividends if first <= one.ex_date <= last],
            [one for one in splits if first <= one.ex_date <= last],
        )

    def pages(self, symbols: list[str], first: date, last: date) -> Iterator[Mapping[str, Any]]:
        """`first` and `last` are days of processing."""
        keys = self.keys or keys_of_the_house()
        params = {
            "symbols": ",".join(symbols),
            "types": ",".join(KINDS.values()),
            "start": first.isoformat(),
            "end": last.isoformat(),
            "limit": "1000",
        }
        for _ in range(MOST_PAGES):
            answer = ask_json(f"{keys.url}/v1/corporate-actions", params, keys.headers)
            told = answer.get("corporate_actions") if isinstance(answer, dict) else None
            if not isinstance(told, dict):
                raise PriceUnavailable("the answer holds no corporate actions")
            yield told
            token = answer.get("next_page_token")
            if not token:
                return
            params["page_token"] = str(token)[:500]
        raise PriceUnavailable("the answer has too many pages")


def rows_in(told: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    rows = told.get(kind) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PriceUnavailable(f"{kind} cannot be read")
    return rows


def dividend_in(row: Mapping[str, Any]) -> DividendTold:
    dps = micros_in(row.get("rate"))
    if dps is None or not 0 < dps <= MAX_PRICE:
        raise unreadable(row, "rate")
    ex_date = day_in(row, "ex_date")
    paid = day_in(row, "payable_date") if row.get("payable_date") else None
    if paid and paid < ex_date:
        raise unreadable(row, "payable_date")
    return DividendTold(symbol_in(row), ex_date, dps, paid)


def split_in(row: Mapping[str, Any]) -> SplitTold:
    """Rates may have digits after the point: 1.5 for 1 is 3 for 2."""
    new, old = micros_in(row.get("new_rate")), micros_in(row.get("old_rate"))
    if not new or not old or new < 0 or old < 0:
        raise unreadable(row, "new_rate")
    ratio = Fraction(new, old)
    if ratio == 1 or max(ratio.numerator, ratio.denominator) > FINEST:
        raise unreadable(row, "new_rate")
    return SplitTold(symbol_in(row), day_in(row, "ex_date"), ratio.numerator, ratio.denominator)


def symbol_in(row: Mapping[str, Any]) -> str:
    symbol = row.get("symbol")
    if not isinstance(symbol, str) or not 0 < len(symbol) <= 12:
        raise unreadable(row, "symbol")
    return symbol


def day_in(row: Mapping[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(str(row.get(name)))
    except ValueError:
        raise unreadable(row, name) from None


def unreadable(row: Mapping[str, Any], name: str) -> PriceUnavailable:
    return PriceUnavailable(f"{str(row.get('symbol'))[:12]}: {name} cannot be read")

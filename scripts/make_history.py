"""Write the history the project ships, from the public domain prices in the PyPI package bokeh_sampledata.

The package is a dev-only requirement and nothing else of the project needs it or this script:

    python3 -m venv /tmp/history && /tmp/history/bin/pip install 'bokeh_sampledata>=2026.1'
    /tmp/history/bin/python scripts/make_history.py

Running it again writes the same bytes; `git diff` shows whether a newer package changed anything.
"""

import argparse
import csv
import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")
HISTORY = Path(__file__).resolve().parent.parent / "trading" / "market" / "history"

SPLIT_ABOVE = Decimal("1.25")
DIVIDEND_ABOVE = Decimal("1.0001")
SPLIT_TOLERANCE = Decimal("0.000001")
MICRO = Decimal("0.000001")
CENT_PLACES = -2
PRICE_PLACES = -6


class Bar(NamedTuple):
    """One recorded session, unadjusted, beside the close as the source adjusted it for later dividends and splits."""

    session: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    adj_close: Decimal


class Dividend(NamedTuple):
    ex_date: str
    amount: Decimal


class Split(NamedTuple):
    ex_date: str
    ratio: int


def derive_events(bars: Sequence[Bar]) -> tuple[list[Dividend], list[Split]]:
    """Read dividends and splits out of the steps of the adjustment factor `adj_close / close`."""
    dividends: list[Dividend] = []
    splits: list[Split] = []
    for before, bar in pairwise(bars):
        # (adj[t]/close[t]) / (adj[t-1]/close[t-1]), with one division only: the least rounding.
        step = (bar.adj_close * before.close) / (bar.close * before.adj_close)
        if step > SPLIT_ABOVE:
            splits.append(Split(bar.session, whole_ratio(step, bar.session)))
        elif step > DIVIDEND_ABOVE:
            # The source adjusts by 1 + dividend / close on the ex-date, so this gives back the amount as it was paid.
            dividends.append(Dividend(bar.session, (bar.close * (step - 1)).quantize(MICRO)))
    return dividends, splits


def whole_ratio(step: Decimal, session: str) -> int:
    """The n of an n:1 split. A step that is no whole number (3:2, a spin-off) needs a person, not a rounding."""
    ratio = round(step)
    if abs(step - ratio) > SPLIT_TOLERANCE:
        raise ValueError(f"{session}: the factor moved by {step}, which is no whole split")
    return ratio


def check_bars(symbol: str, bars: Sequence[Bar]) -> None:
    """Refuse what cannot have happened; a shipped price is never repaired."""
    for before, bar in pairwise(bars):
        if before.session >= bar.session:
            raise ValueError(f"{symbol} {bar.session}: sessions are not in order")
    for bar in bars:
        if not 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high or bar.volume <= 0:
            raise ValueError(f"{symbol} {bar.session}: open, high, low, close and volume contradict each other")


def price_text(price: Decimal) -> str:
    """At least cents, at most millionths, nothing rounded away."""
    places = price.normalize().as_tuple().exponent
    if not isinstance(places, int) or places < PRICE_PLACES:
        raise ValueError(f"{price} has more than six places")
    return f"{price:.{-min(places, CENT_PLACES)}f}"


def read_source() -> dict[str, list[Bar]]:
    """Each symbol's bars; the package holds floats, whose shortest text is the decimal the source wrote."""
    from bokeh_sampledata import stocks  # noqa: PLC0415 - dev-only, and the tests of this script do without it

    return {symbol: list(bars_of(getattr(stocks, symbol))) for symbol in SYMBOLS}


def bars_of(columns: dict[str, list[float]]) -> Iterable[Bar]:
    prices = ([Decimal(repr(price)) for price in columns[name]] for name in ("open", "high", "low", "close"))
    adjusted = [Decimal(repr(price)) for price in columns["adj_close"]]
    return map(Bar, columns["date"], *prices, columns["volume"], adjusted)


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def bar_row(bar: Bar) -> list[object]:
    return [bar.session, *(price_text(price) for price in (bar.open, bar.high, bar.low, bar.close)), bar.volume]


def write_history(history: dict[str, list[Bar]], folder: Path) -> None:
    """Write bars, dividends, splits and checksums; pay dates stay empty, because the source does not know them."""
    folder.mkdir(parents=True, exist_ok=True)
    dividend_rows: list[list[object]] = []
    split_rows: list[list[object]] = []
    for symbol, bars in sorted(history.items()):
        check_bars(symbol, bars)
        dividends, splits = derive_events(bars)
        write_rows(folder / f"{symbol}.csv", ["session", "open", "high", "low", "close", "volume"], map(bar_row, bars))
        dividend_rows += [[symbol, paid.ex_date, price_text(paid.amount), ""] for paid in dividends]
        split_rows += [[symbol, split.ex_date, split.ratio, 1] for split in splits]
        print(f"{symbol}: {len(bars)} bars, {bars[0].session} to {bars[-1].session}", end=", ")
        print(f"{len(dividends)} dividends, {len(splits)} splits")
    write_rows(folder / "dividends.csv", ["symbol", "ex_date", "amount", "pay_date"], dividend_rows)
    write_rows(folder / "splits.csv", ["symbol", "ex_date", "numerator", "denominator"], split_rows)
    write_checksums(folder)


def write_checksums(folder: Path) -> None:
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.glob("*.csv"))]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="ascii")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=HISTORY, help="folder to write (default: the shipped one)")
    write_history(read_source(), parser.parse_args().into)


if __name__ == "__main__":
    main()

"""What the charts and the table of months show of a run. Pure; dollars and per cent, for eyes only."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from portfolios.domain.holding import Rules
from reporting.figures import ppm
from reporting.reading import percent
from reporting.tearsheet import fills_of
from trading.simulation.archive import NOTHING, SECONDS_A_DAY, Series
from trading.simulation.bars import Split, day_number
from trading.simulation.engine import EX, FILL, SPLIT
from trading.simulation.metrics import daily_returns, drawdowns

STEPS_OF_HEAT = (0.01, 0.03, 0.06, 0.10)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Month(NamedTuple):
    """heat: -5 to 5, how far from nothing; the text says the same."""

    name: str
    text: str
    heat: str


class Year(NamedTuple):
    number: int
    months: list[Month]
    total: Month


def months_of(days: np.ndarray, values: np.ndarray, start: np.ndarray = NOTHING) -> list[Year]:
    """Returns from close to close of the months; the first counts from the start, where that is not the first close.
    The newest year first.
    """
    first = start[:1] if len(start) else values[:1]
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    last = np.append(np.flatnonzero(months[1:] != months[:-1]), len(months) - 1)
    returns = daily_returns(np.append(first, values[last]).astype(np.float64))
    found = dict(zip(months[last].tolist(), returns.tolist(), strict=False))
    years = sorted({month // 12 for month in found}, reverse=True)
    return [year_of(year, {month % 12: found[month] for month in found if month // 12 == year}) for year in years]


def year_of(year: int, found: Mapping[int, float]) -> Year:
    total = float(np.prod([1 + value for value in found.values()]) - 1)
    months = [month_of(name, found.get(index)) for index, name in enumerate(MONTHS)]
    return Year(year + 1970, months, month_of("Year", total))


def month_of(name: str, value: float | None) -> Month:
    if value is None:
        return Month(name, "", "")
    steps = sum(abs(value) >= step for step in STEPS_OF_HEAT) + (abs(value) >= 0.0005)
    sign = "gain" if value > 0 else "loss"
    text = percent(ppm(value)).removesuffix("\u00a0%")
    return Month(name, f"+{text}" if value >= 0.0005 else text, f"heat {sign}-{steps}" if steps else "heat")


def split_adjusted(series: Series, splits: Iterable[Split]) -> np.ndarray:
    """Closes (dollars) in shares of the last day, so that a split is no cliff."""
    closes = series.closes / 1e6
    for split in splits:
        closes[series.days < day_number(split.ex_date)] *= split.denominator / split.numerator
    return closes


def in_dollars(amounts: np.ndarray) -> list[float]:
    found: list[float] = np.round(amounts / 1e6, 2).tolist()
    return found


def splits_in(series: Series) -> list[tuple[int, str]]:
    """The day of each split (days of the epoch), and new shares for old ones."""
    rows = series.steps[:, 1] == SPLIT
    steps = zip(series.days_of_steps[rows].tolist(), series.steps[rows][:, 3:5].tolist(), strict=True)
    return [(day, f"{new} for {old}") for day, (new, old) in steps]


def falls(values: np.ndarray, start: np.ndarray) -> list[float]:
    """Below the highest value since the start, in per cent, at each close."""
    worth = np.append(start, values).astype(np.float64)
    found: list[float] = np.round(100 * drawdowns(worth)[len(start) :], 2).tolist()
    return found


def thinned(places: list[int], sides: list[bool]) -> list[tuple[int, bool]]:
    """Of the trades of a session one mark for each side is all that can be told apart."""
    return list(dict.fromkeys(zip(places, sides, strict=True)))


def drawn(series: Series, rules: Rules, splits: Iterable[Split]) -> dict[str, Any]:
    """All that the charts draw, by session: dollars, per cent, days since 1970."""
    worth = {"values": series.daily[:, 0], "held": series.buy_and_hold, "mixed": series.constant_mix}
    value = np.where(series.daily[:, 0] > 0, series.daily[:, 0], 1)
    fills = fills_of(series)
    days = series.days_of_steps

    def places(found: np.ndarray) -> list[int]:
        place: list[int] = np.searchsorted(series.days, found).tolist()
        return place

    return {
        "days": series.days.tolist(),
        **{name: in_dollars(amounts) for name, amounts in worth.items()},
        "fall": falls(series.daily[:, 0], series.start[:1]),
        "held_fall": falls(series.buy_and_hold, series.start[1:2]),
        "shares": np.round(100 * series.daily[:, 5] / value, 2).tolist(),
        "low": rules.guardrail_low / 10_000,
        "high": rules.guardrail_high / 10_000,
        "prices": np.round(split_adjusted(series, splits), 4).tolist(),
        "low_first": in_dollars(series.low_first),
        "high_first": in_dollars(series.high_first),
        "splits": [
            {"at": at, "ratio": ratio}
            for at, (_, ratio) in zip(places(days[series.steps[:, 1] == SPLIT]), splits_in(series), strict=True)
        ],
        "dividends": places(days[series.steps[:, 1] == EX]),
        "undecided": places(series.undecided // SECONDS_A_DAY),
        "trade_count": len(fills),
        "trades": [
            {"at": at, "side": "BUY" if is_buy else "SELL"}
            for at, is_buy in thinned(places(days[series.steps[:, 1] == FILL]), (fills[:, 3] > 0).tolist())
        ],
    }

"""What the charts and the table of months show of a run. Pure; dollars and per cent, for eyes only."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from portfolios.domain.holding import Rules
from reporting.figures import ppm
from reporting.reading import percent
from reporting.tearsheet import fills_of
from trading.simulation.archive import Series
from trading.simulation.bars import Split, day_number
from trading.simulation.engine import EX, FILL, SPLIT
from trading.simulation.kept import SECONDS_A_DAY
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


def months_of(days: np.ndarray, values: np.ndarray) -> list[Year]:
    """Returns from close to close of the months; the first counts from the first close. The newest year first."""
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    last = np.append(np.flatnonzero(months[1:] != months[:-1]), len(months) - 1)
    returns = daily_returns(np.append(values[:1], values[last]).astype(np.float64))
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
    """The moment of each split, and new shares for old ones."""
    rows = series.steps[:, 1] == SPLIT
    steps = zip(series.at[rows].tolist(), series.steps[rows][:, 3:5].tolist(), strict=True)
    return [(at, f"{new} for {old}") for at, (new, old) in steps]


def drawn(series: Series, rules: Rules, splits: Iterable[Split]) -> dict[str, Any]:
    """All that the charts draw, by session: dollars, per cent, days since 1970."""
    worth = {"values": series.daily[:, 0], "held": series.buy_and_hold, "mixed": series.constant_mix}
    value = np.where(series.daily[:, 0] > 0, series.daily[:, 0], 1)
    fills = fills_of(series)
    days = series.at[series.steps[:, 1] == FILL] // SECONDS_A_DAY

    def place(at: int) -> int:
        return int(np.searchsorted(series.days, at // SECONDS_A_DAY))

    return {
        "days": series.days.tolist(),
        **{name: in_dollars(amounts) for name, amounts in worth.items()},
        "fall": np.round(100 * drawdowns(series.daily[:, 0].astype(np.float64)), 2).tolist(),
        "held_fall": np.round(100 * drawdowns(series.buy_and_hold.astype(np.float64)), 2).tolist(),
        "shares": np.round(100 * series.daily[:, 5] / value, 2).tolist(),
        "low": rules.guardrail_low / 10_000,
        "high": rules.guardrail_high / 10_000,
        "prices": np.round(split_adjusted(series, splits), 4).tolist(),
        "low_first": in_dollars(series.low_first),
        "high_first": in_dollars(series.high_first),
        "splits": [{"at": place(at), "ratio": ratio} for at, ratio in splits_in(series)],
        "dividends": [place(at) for at in series.at[series.steps[:, 1] == EX].tolist()],
        "undecided": [place(at) for at in series.undecided.tolist()],
        "trades": [
            {"at": at, "side": "BUY" if quantity > 0 else "SELL"}
            for at, quantity in zip(np.searchsorted(series.days, days).tolist(), fills[:, 3].tolist(), strict=True)
        ],
    }

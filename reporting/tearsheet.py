"""What came of a run, as people read it: the verdict, figures beside the baselines, skips, trades. Pure.

Money in micros. The verdict begins with what the robot lost or fell behind with; nothing is left out for looking bad.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from portfolios.domain.amounts import micros
from reporting.figures import number, ppm
from reporting.reading import money, percent, signed_percent, tone
from reporting.wording import reason_in_words
from trading.domain.choices import Reason, Side
from trading.simulation.archive import Series
from trading.simulation.engine import FILL
from trading.simulation.metrics import CALENDAR_YEAR

BESIDE = {"buy_and_hold": "buying and holding", "constant_mix": "a constant mix"}
COLUMNS = {"robot": "Robot", "buy_and_hold": "Buy and hold", "constant_mix": "Constant mix", "cash": "Cash"}
MOSTLY_STOCK = 0.9


class Verdict(NamedTuple):
    title: str
    sentence: str
    aside: str
    is_behind: bool


class Row(NamedTuple):
    """One figure of all courses beside each other."""

    title: str
    definition: str
    cells: list[tuple[str, str, str]]


class Fact(NamedTuple):
    """One figure of the robot alone."""

    title: str
    text: str
    definition: str


class Trade(NamedTuple):
    """at: where its bar begins, None where bars are daily."""

    day: Any
    at: datetime | None
    side: str
    reason: str
    quantity: int
    price: int
    fee: int
    shares: int
    cash: int


def ends_of(series: Series, cash: int) -> dict[str, int]:
    """What each course was worth at the last close."""
    held, mixed = int(series.buy_and_hold[-1]), int(series.constant_mix[-1])
    return {"robot": int(series.daily[-1, 0]), "buy_and_hold": held, "constant_mix": mixed, "cash": cash}


def years_of(series: Series) -> float:
    return float(series.days[-1] - series.days[0]) / CALENDAR_YEAR


def verdict_of(result: Mapping[str, Any], series: Series, cash: int) -> Verdict:
    ends = ends_of(series, cash)
    gaps = sorted((ends["robot"] - ends[name], name) for name in BESIDE)
    return Verdict(
        title_of(ends["robot"] - cash, gaps),
        f"{money(cash)} became {money(ends['robot'])} in {span_told(years_of(series))}: "
        + ", ".join(gap_told(gap, BESIDE[name], ends[name]) for gap, name in gaps)
        + f". {depth_told(result)}",
        share_told(result),
        gaps[0][0] < 0 or ends["robot"] < cash,
    )


def title_of(gain: int, gaps: Sequence[tuple[int, str]]) -> str:
    behind = [BESIDE[name] for gap, name in gaps if gap < 0]
    ahead = [BESIDE[name] for gap, name in gaps if gap > 0]
    lost = "The robot lost money and ended" if gain < 0 else "The robot ended"
    parts = [f"behind {' and '.join(behind)}"] if behind else []
    parts += [f"ahead of {' and '.join(ahead)}"] if ahead else []
    return f"{lost} {', '.join(parts) or 'where the others did'}"


def gap_told(gap: int, name: str, end: int) -> str:
    if not gap:
        return f"exactly as much as {name}"
    return f"{money(abs(gap))} {'less' if gap < 0 else 'more'} than {name} ({money(end)})"


def depth_told(result: Mapping[str, Any]) -> str:
    own, held = (fall_told(figures) for figures in (result["metrics"], result["baselines"]["buy_and_hold"]))
    return f"At its worst it stood {own} below its highest value, buying and holding {held}."


def fall_told(figures: Mapping[str, Any]) -> str:
    return percent(ppm(-figures["max_drawdown"]))


def share_told(result: Mapping[str, Any]) -> str:
    share = result["metrics"]["exposure"]
    costs = f"Fees took {money(micros(result['fees']))} and slippage {money(micros(result['slippage']))}."
    if share >= MOSTLY_STOCK:
        return costs
    return (
        f"On average {percent(ppm(share), 0)} of it was stock: less risk than holding, and less of every rise. {costs}"
    )


def span_told(years: float) -> str:
    if years < 1:
        return f"{max(round(years * 12), 1)} month{'s' if round(years * 12) > 1 else ''}"
    return f"{years:.1f} years"


def figures_of(result: Mapping[str, Any], series: Series, cash: int) -> list[Row]:
    """Each with the same figure of the baselines; definitions as in `trading.simulation.metrics`."""
    courses = {"robot": result["metrics"], **result["baselines"]}
    ends = ends_of(series, cash)
    rows = [Row("Worth at the end", WORTH, [(COLUMNS[name], money(ends[name]), "") for name in COLUMNS])]
    for name, title, kind, definition in FIGURES:
        cells = [(COLUMNS[course], *cell_of(courses[course][name], kind)) for course in COLUMNS]
        rows.append(Row(title, definition, cells))
    return rows


def cell_of(value: float | None, kind: str) -> tuple[str, str]:
    """The text and its tone."""
    if kind == "ratio":
        return number(value, 2), ""
    if kind == "rate":
        return signed_percent(ppm(value)), tone(ppm(value))
    return percent(ppm(value)), ""


OTHERS = {
    "Buy and hold": "All of the money in stock at the first close; each dividend buys more on the day it is paid, with "
    "the same commission and slippage.",
    "Constant mix": "Back to the starting stock share at every close, however small the trade, under the same costs.",
    "Cash": "The money left alone, without interest.",
}
WORTH = "Stock at the last close, cash, and dividends on their way."
FIGURES = (
    (
        "total_return",
        "Total return",
        "rate",
        "What it was worth at the last close, divided by what it began with, less one.",
    ),
    ("cagr", "A year", "rate", "The steady yearly return that comes to the same: years of 365.25 days."),
    ("max_drawdown", "Maximum drawdown", "plain", "The deepest fall below the highest value before it, by closes."),
    (
        "volatility",
        "Volatility a year",
        "plain",
        "Sample standard deviation of daily returns, times the root of 252.",
    ),
    (
        "sharpe",
        "Sharpe ratio",
        "ratio",
        "Mean daily return over its sample deviation, times the root of 252; risk-free 0.",
    ),
    (
        "sortino",
        "Sortino ratio",
        "ratio",
        "Mean daily return times 252 over the downside deviation, the root of the mean of squared losses a year.",
    ),
    ("calmar", "Calmar ratio", "ratio", "Return a year over the maximum drawdown."),
)


def facts_of(result: Mapping[str, Any], series: Series) -> list[Fact]:
    """How it traded and what that cost."""
    fills = fills_of(series)
    years, mean = max(years_of(series), 1 / CALENDAR_YEAR), float(np.mean(series.daily[:, 0].astype(np.float64)))
    traded, fees = sum(fills[:, 5].tolist()), micros(result["fees"])
    counted = f"{result['trades']:,}: {result['buys']:,} buys, {result['sells']:,} sales"
    own = result["metrics"]
    turnover = traded / mean / years if mean else None
    return [
        Fact("Trades", counted, "Orders filled, each at the price it was decided at plus slippage."),
        Fact("Average stock share", percent(ppm(own["exposure"])), "Mean of the stock share at each session's close."),
        Fact(
            "Within the guardrails",
            percent(ppm(own["guardrail_time"])),
            "Sessions that closed with the stock share between the guardrails, of all sessions.",
        ),
        Fact("Turnover a year", number(turnover, 2, "times"), "Money traded, over the mean value, a year."),
        Fact("Fees", money(fees), "Commission of all trades; the first purchase is free."),
        Fact(
            "Fee drag a year",
            percent(ppm(fees / mean / years) if mean else None, 3),
            "Fees over the mean value, a year: about what they took from the yearly return.",
        ),
        Fact("Slippage", money(micros(result["slippage"])), "What the fills cost against the prices decided at."),
        Fact("Dividends", money(micros(result["dividends_net"])), "After tax, booked on the ex-date, cash when paid."),
    ]


def skips_told(result: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The most frequent first."""
    rows = (
        (NOT_SENT if name == "not_sent" else reason_in_words(name), count) for name, count in result["skips"].items()
    )
    return sorted(rows, key=lambda row: -row[1])


class End(NamedTuple):
    """The worst or the best of the orders inside the bars."""

    title: str
    order: str
    value: int
    total_return: float
    trades: int


def ends_told(result: Mapping[str, Any]) -> list[End]:
    """Empty for a run that looked at closes only."""
    found = result.get("path_range") or {}
    return [
        End(f"{name.capitalize()} case", ORDERS[end["path"]], micros(end["value"]), end["total_return"], end["trades"])
        for name, end in found.items()
    ]


ORDERS = {
    "path": "the nearer extreme first",
    "low-first": "the low always first",
    "high-first": "the high always first",
}
NOT_SENT = "with its reserve it would cost more than the cash there is, so it was not sent"


def fills_of(series: Series) -> np.ndarray:
    return series.steps[series.steps[:, 1] == FILL]


def trades_of(series: Series, begin: int, most: int) -> list[Trade]:
    """The newest first."""
    newest = np.flatnonzero(series.steps[:, 1] == FILL)[::-1][begin : begin + most]
    columns = (series.steps, series.days_of_steps, series.at)
    rows = zip(*(column[newest].tolist() for column in columns), strict=True)
    return [
        Trade(
            np.datetime64(day, "D").item(),
            datetime.fromtimestamp(moment, UTC) if len(series.step_days) else None,
            (Side.BUY if row[3] > 0 else Side.SELL).name,
            reason_in_words(Reason(row[2])),
            abs(row[3]),
            row[4],
            row[6],
            row[7],
            row[8],
        )
        for row, day, moment in rows
    ]

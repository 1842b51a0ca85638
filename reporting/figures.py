"""How the figures of a period read on pages: titles, units, a dash for what cannot be measured. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from portfolios.domain.amounts import PPM
from reporting.metrics.definitions import Figures, Point, definition_of
from reporting.reading import MINUS, SPACE, money, percent, signed_money, signed_percent, tone

ROWS, POINTS = 12, 200


class Reading(NamedTuple):
    name: str
    title: str
    read: Callable[[Figures], str]
    has_tone: bool = False


class Told(NamedTuple):
    """One figure as a page shows it."""

    title: str
    text: str
    tone: str
    definition: str = ""


def amount(name: str, title: str, *, signed: bool = False) -> Reading:
    show = signed_money if signed else money
    return Reading(name, title, lambda figures: show(getattr(figures, name)), signed)


def number(value: float | None, places: int, unit: str = "") -> str:
    if value is None:
        return "–"
    text = f"{value:,.{places}f}".replace("-", MINUS)
    return f"{text}{SPACE}{unit}" if unit else text


def ppm(value: float | None) -> int | None:
    return None if value is None else round(value * PPM)


def skips(figures: Figures) -> str:
    """Spans, with the quotes in them and their share of fired triggers where there were any."""
    if not figures.min_notional_skips:
        return "0"
    share = percent(ppm(figures.min_notional_skip_share), 0)
    return f"{figures.min_notional_skips} ({figures.totals.skip_quotes} quotes, {share} of triggers)"


MONEY_READINGS = (
    amount("value", "Value"),
    amount("profit", "Profit", signed=True),
    Reading("time_weighted", "Return", lambda figures: signed_percent(ppm(figures.time_weighted)), has_tone=True),
    amount("against_held", "Against buy-and-hold", signed=True),
    amount("against_alone", "Against left alone", signed=True),
    amount("realised", "Realised", signed=True),
    amount("dividends", "Dividends"),
    amount("fees", "Fees"),
)
TRADE_READINGS = (
    Reading("slippage_bps", "Slippage", lambda figures: number(figures.slippage_bps, 2, "bps")),
    Reading("hit_rate", "Hit rate", lambda figures: percent(ppm(figures.hit_rate))),
    Reading("guardrail_time_pct", "Guardrail time", lambda figures: number(figures.guardrail_time_pct, 1, "%")),
    Reading("min_notional_skips", "Skipped as too small", skips),
    Reading("turnover", "Turnover a year", lambda figures: number(figures.turnover, 2, "times")),
    Reading("fee_drag", "Fee drag a year", lambda figures: percent(ppm(figures.fee_drag), 3)),
)


def told(readings: Sequence[Reading], figures: Figures, *, defined: bool = False) -> list[Told]:
    return [
        Told(
            reading.title,
            reading.read(figures),
            tone(round((getattr(figures, reading.name) or 0) * PPM)) if reading.has_tone else "",
            definition_of(reading.name).replace("`", "") if defined else "",
        )
        for reading in readings
    ]


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """Every nth, so that the newest stays and there are at most so many."""
    every = max(-(-len(points) // most), 1)
    return list(points[::-1][::every])[::-1]

"""The past that a run or a sweep is about, read while somebody asks whether it is still wanted."""

from collections.abc import Callable
from typing import NamedTuple

from trading.bars.catalogue import BarsGone
from trading.simulation.archive import fingerprint_of
from trading.simulation.attending import attended
from trading.simulation.bars import Bars, Dividend, Split
from trading.simulation.models import Work
from trading.simulation.recorded import recorded_actions, recorded_to_read
from trading.simulation.runs import CannotRun
from trading.simulation.stage import CLOSE, Stage, stage_of


class Past(NamedTuple):
    """sha256: of all of it, and of how long a bar lasts."""

    bars: Bars
    dividends: list[Dividend]
    splits: list[Split]
    stage: Stage
    sha256: str


def past_of(work: Work, wanted: Callable[[], None], path: str = CLOSE) -> Past:
    """What `wanted` raises ends the reading. Raises CannotRun where the bars are not there any more."""
    try:
        read = recorded_to_read(work.symbol, work.first_day, work.last_day, work.resolution)
        dividends, splits = recorded_actions(work.symbol)
        return attended(lambda: staged(read(), dividends, splits, work.resolution, path), wanted)
    except BarsGone as error:
        raise CannotRun(f"{error}.") from error


def staged(bars: Bars, dividends: list[Dividend], splits: list[Split], resolution: str, path: str) -> Past:
    if len(bars.at) < 2:
        raise CannotRun("Fewer than two bars are recorded for these days now.")
    sha256 = fingerprint_of(bars, dividends, splits, resolution)
    return Past(bars, dividends, splits, stage_of(bars, dividends, splits, path), sha256)

"""What is odd about a file and yet no error: said before anything is taken in."""

from typing import TYPE_CHECKING

from trading.bars.engine import first_row
from trading.bars.jumps import LONG, Jumps
from trading.bars.keeping import Comparison
from trading.bars.resolutions import DAILY, DAY
from trading.bars.rows import day_number
from trading.bars.staging import Shape
from trading.market.calendars import FIRST_DAY

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Engine

SHOWN = 5


def warnings_of(
    duck: "Engine",
    shape: Shape,
    resolution: str,
    jumps: Jumps,
    found: Comparison,
) -> tuple[str, ...]:
    said = []
    if shape.unread:
        said.append(f"not read: {', '.join(name[:40] for name in shape.unread[:SHOWN])}")
    if resolution != DAILY and first_row(duck, "SELECT count(*) FROM bars") == (1,):
        said.append(f"one bar alone does not say how long it lasts: {resolution} is taken")
    if not shape.has_volume:
        said.append("there is no volume; 0 is recorded")
    said += counted_warnings(duck, resolution)
    if jumps.real:
        said.append(f"jumps taken for real: {jumps.real:,}")
    if jumps.long:
        said.append(f"far from the bar recorded more than {LONG} days before or after: {jumps.long:,}")
    if found.different:
        said.append(f"recorded with other values: {found.different:,} bars, the first at {found.first_different}")
    return tuple(said)


def counted_warnings(duck: "Engine", resolution: str) -> list[str]:
    told = {
        "session <> market": "bars are marked with another session than the calendar knows, which is believed",
        "volume = 0": "bars without volume",
    }
    if resolution == DAILY:
        old = day_number(FIRST_DAY) * DAY
        told[f"begins < {old}"] = (
            f"days before {FIRST_DAY}: no calendar is known for them, only weekends were looked for"
        )
    said: list[str] = []
    for condition, words in told.items():
        (count,) = first_row(duck, f"SELECT count(*) FROM bars WHERE {condition}")  # noqa: S608 - ours
        if count and (condition != "volume = 0" or said != ["there is no volume; 0 is recorded"]):
            said.append(f"{count:,} {words}")
    return said

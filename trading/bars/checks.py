"""What a series of bars must be beside each bar for itself: in order, in sessions, and over.

Works on the table `staged`; its rows' numbers are those of the file. Makes the table `bars`, where each has its
exchange day and whether the regular session was open.
"""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trading.bars.engine import first_row
from trading.bars.faults import MOST_TOLD
from trading.bars.resolutions import DAILY, DAY, INTRADAY, Resolution, seconds_of
from trading.bars.rows import day_number
from trading.market.calendars import FIRST_DAY, LAST_DAY, POST_LASTS, PRE_OPENS, calendar_for

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Engine

IN_SESSIONS = """
    CREATE OR REPLACE TABLE bars AS
    SELECT staged.rowid AS number, staged.*, sessions.day AS day, sessions.closes AS closes,
           if(begins + {step} > sessions.opens AND begins < sessions.closes, 0, 1)::UTINYINT AS market,
           begins <= sessions.ends AS is_in
      FROM staged ASOF LEFT JOIN sessions ON staged.begins >= sessions.begin
"""
ON_DAYS = """
    CREATE OR REPLACE TABLE bars AS
    SELECT staged.rowid AS number, staged.*, (begins // 86400)::INTEGER AS day, sessions.closes AS closes,
           0::UTINYINT AS market, sessions.day IS NOT NULL AS is_in
      FROM staged LEFT JOIN sessions ON staged.begins // 86400 = sessions.day
"""
NEXT_TO = "SELECT number, begins, lag(begins) OVER (ORDER BY number) AS before FROM bars"


class Found(NamedTuple):
    """The bar by its number in the file, the column and what is wrong."""

    number: int
    column: str
    message: str


def resolution_of(engine: "Engine", is_daily: bool) -> str:
    """The coarsest on whose times all bars begin, of one bar alone the finest; empty where there is none."""
    if is_daily:
        return DAILY
    if first_row(engine, "SELECT count(*) FROM staged") == (1,):
        return next((each.name for each in INTRADAY.values() if fits(engine, each)), "")
    for resolution in reversed(INTRADAY.values()):
        if fits(engine, resolution):
            return resolution.name
    return ""


def fits(engine: "Engine", resolution: Resolution) -> bool:
    return not first_row(engine, f"SELECT 1 FROM staged WHERE begins % {resolution.seconds} <> 0 LIMIT 1")  # noqa: S608


def put_into_sessions(engine: "Engine", resolution: str, exchange: str) -> None:
    engine.register("sessions_given", session_columns(exchange))
    engine.execute("CREATE OR REPLACE TABLE sessions AS SELECT * FROM sessions_given ORDER BY begin")
    engine.unregister("sessions_given")
    engine.execute(ON_DAYS if resolution == DAILY else IN_SESSIONS.format(step=seconds_of(resolution)))


def session_columns(exchange: str) -> dict[str, np.ndarray]:
    """Of each session its day and, in seconds of the epoch, pre-market's begin, opening, close, post-market's end."""
    calendar = calendar_for(exchange)
    sessions = calendar.sessions_between(FIRST_DAY, LAST_DAY)
    begins = [datetime.combine(each.day, PRE_OPENS, calendar.timezone) for each in sessions]
    instants = {
        "begin": begins,
        "opens": [each.open for each in sessions],
        "closes": [each.close for each in sessions],
        "ends": [each.close + POST_LASTS for each in sessions],
    }
    columns = {name: np.array([int(at.timestamp()) for at in times], np.int64) for name, times in instants.items()}
    return columns | {"day": np.array([day_number(each.day) for each in sessions], np.int32)}


def faults_of(engine: "Engine", resolution: str, now: datetime) -> list[Found]:
    """The first 20 by their place in the file."""
    found = out_of_order(engine, resolution) + off_the_grid(engine, resolution)
    found += out_of_session(engine, resolution) + not_over(engine, resolution, now)
    return sorted(found)[:MOST_TOLD]


def column_of(resolution: str) -> str:
    return "date" if resolution == DAILY else "timestamp"


def out_of_order(engine: "Engine", resolution: str) -> list[Found]:
    rows = engine.execute(
        f"SELECT number, begins = before FROM ({NEXT_TO}) WHERE begins <= before ORDER BY number LIMIT {MOST_TOLD}"  # noqa: S608
    ).fetchall()
    said = ("must be later than in the line before", "is given twice")
    return [Found(number, column_of(resolution), said[is_same]) for number, is_same in rows]


def off_the_grid(engine: "Engine", resolution: str) -> list[Found]:
    rows = first_where(engine, f"begins % {seconds_of(resolution)} <> 0")
    return [Found(number, column_of(resolution), f"a bar of {resolution} cannot begin then") for number, _ in rows]


def out_of_session(engine: "Engine", resolution: str) -> list[Found]:
    """Days before the calendar are only looked at for weekends."""
    too_old = f"{day_number(FIRST_DAY) * DAY}"
    weekend = "((begins // 86400) % 7 + 10) % 7 > 4"  # the epoch began on a Thursday; before it the rest is negative
    if resolution == DAILY:
        rows = first_where(engine, f"CASE WHEN begins < {too_old} THEN {weekend} ELSE NOT is_in END")
        return [Found(number, "date", f"the exchange does not trade on {day_of(begins)}") for number, begins in rows]
    rows = first_where(engine, "is_in IS NOT TRUE")
    return [Found(number, "timestamp", closed_then(begins, int(too_old))) for number, begins in rows]


def closed_then(begins: int, too_old: int) -> str:
    if begins < too_old + DAY:
        return f"no sessions are known before {FIRST_DAY}"
    return "the exchange is closed then, also before and after its session"


def not_over(engine: "Engine", resolution: str, now: datetime) -> list[Found]:
    at = int(now.timestamp())
    if resolution == DAILY:
        rows = first_where(engine, f"begins > {at} OR closes > {at}")
        return [Found(number, "date", f"the session of {day_of(begins)} is not over yet") for number, begins in rows]
    rows = first_where(engine, f"begins + {seconds_of(resolution)} > {at}")
    return [Found(number, "timestamp", "this bar is not over yet") for number, _ in rows]


def first_where(engine: "Engine", condition: str) -> list[tuple[int, int]]:
    """Number and begin of the first bars of which it is true."""
    sql = f"SELECT number, begins FROM bars WHERE {condition} ORDER BY number LIMIT {MOST_TOLD}"  # noqa: S608 - ours
    return engine.execute(sql).fetchall()


def day_of(begins: int) -> date:
    return datetime.fromtimestamp(begins, UTC).date()

"""One line of a file as one bar: what each of its values may be."""

from datetime import date, datetime
from typing import NamedTuple

from portfolios.domain.amounts import MICROS
from trading.bars.lines import Line

SESSIONS = {"regular": 0, "pre": 1, "post": 1}
PRICES = ("open", "high", "low", "close")
COLUMNS = (("timestamp", "date"), *((name,) for name in PRICES))
EPOCH = date(1970, 1, 1)
DAY = 86_400


class Row(NamedTuple):
    """begins: seconds of the epoch, for a day midnight of the date (UTC). Prices in micros, volume in shares.

    session: 0 regular, 1 before or after it; None where the file does not say.
    """

    begins: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    session: int | None


def row_of(line: Line) -> Row:
    """Raises BadFile."""
    moment, _ = moment_of(line)
    opened, high, low, close = prices_of(line)
    return Row(moment, opened, high, low, close, volume_of(line), session_of(line))


def day_number(day: date) -> int:
    return (day - EPOCH).days


def is_of_days(line: Line) -> bool:
    return "timestamp" not in line.values


def moment_of(line: Line) -> tuple[int, int]:
    """Seconds of the epoch, and the exchange date as written."""
    if is_of_days(line):
        day = day_number(line.date("date"))
        return day * DAY, day
    text = line.text("timestamp")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise line.bad("timestamp", "must be ISO 8601 with an offset") from None
    if moment.tzinfo is None:
        raise line.bad("timestamp", "must name its offset from UTC, such as 2014-06-09T09:30:00-04:00")
    if moment.microsecond:
        raise line.bad("timestamp", "must be of whole seconds")
    return int(moment.timestamp()), day_number(moment.date())


def prices_of(line: Line) -> list[int]:
    """Open, high, low, close in micros."""
    bar = [line.price(name) for name in PRICES]
    if not bar[2] <= min(bar[0], bar[3]) or not bar[1] >= max(bar[0], bar[3]):
        raise line.bad("high, low", "must enclose open and close")
    return bar


def volume_of(line: Line) -> int:
    """In whole shares; 0 where the file does not say."""
    if line.given("volume") is None:
        return 0
    volume, rest = divmod(line.amount("volume"), MICROS)
    if volume < 0 or rest:
        raise line.bad("volume", "must be a whole number of shares, 0 or more")
    return volume


def session_of(line: Line) -> int | None:
    session = line.given("session")
    if session is not None and session not in SESSIONS:
        raise line.bad("session", f"must be one of {', '.join(SESSIONS)}")
    return None if session is None else SESSIONS[session]

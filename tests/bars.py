"""Files of bars in few words: minutes of real sessions, days, and whatever somebody does to them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from trading.bars.models import BarImport
from trading.bars.services import Findings, Wish, import_file
from trading.market.calendars import calendar_for

HEADER = "timestamp,open,high,low,close,volume"
DAYS = "date,open,high,low,close,volume"
OPENING = datetime(2014, 6, 5, 13, 30, tzinfo=UTC)  # a Thursday, 09:30 in New York


def minutes(count: int = 5, begins: datetime = OPENING, price: int = 100) -> list[str]:
    """Lines of one-minute bars, each a cent above the one before."""
    return [bar_at(begins + timedelta(minutes=number), price + number / 100) for number in range(count)]


def bar_at(at: datetime, price: float, volume: int = 100) -> str:
    return f"{at.isoformat()},{price:.2f},{price + 0.05:.2f},{price - 0.05:.2f},{price:.2f},{volume}"


def days(count: int = 5, begins: date = date(2014, 6, 2), price: int = 100) -> list[str]:
    """Lines of sessions, each a cent above the one before."""
    sessions = calendar_for().sessions_between(begins, begins + timedelta(days=2 * count + 10))[:count]
    lines = []
    for number, session in enumerate(sessions):
        close = price + number / 100
        lines.append(f"{session.day},{close:.2f},{close + 1:.2f},{close - 1:.2f},{close:.2f},1000")
    return lines


def written(path: Path, lines: Iterable[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def taken_in(path: Path, symbol: str = "IBM", *, replace: bool = False, **wishes: object) -> Findings:
    return import_file(Wish(path, path.name, symbol, **wishes), replace=replace)  # type: ignore[arg-type]


def make_import(**traits: Any) -> BarImport:
    """One that came in long ago, without its file."""
    found = {"symbol": "IBM", "resolution": "1day", "rows": 2, "first": 0, "last": 86_400, "new": 2, "same": 0}
    found |= {"different": 0, "warnings": []}
    usual = {"symbol": "IBM", "resolution": "1day", "name": "a.csv", "sha256": "0" * 64, "status": "committed"}
    return BarImport.objects.create(**usual | {"found": found} | traits)

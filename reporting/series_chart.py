"""What the chart of a recorded series shows: so few candles that a browser draws them at once, and no extreme lost."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from trading.bars.catalogue import StoredBars
from trading.market.calendars import calendar_for

MOST = 1_500


class Extreme(NamedTuple):
    """Micros, and where its bar begins (seconds of the epoch)."""

    price: int
    begins: int


class Summary(NamedTuple):
    """What the chart says, in figures. change: from the first open to the last close, as a part."""

    first: Extreme
    last: Extreme
    highest: Extreme
    lowest: Extreme
    change: float | None
    closes: list[float]


def candles_of(bars: StoredBars, most: int = MOST) -> tuple[StoredBars, int]:
    """Of each so many bars in turn one: from the first open to the last close, with the highest and the lowest between
    and all that was traded; and how many bars one is.
    """
    each = max(-(-len(bars.begins) // most), 1)
    if each == 1:
        return bars, 1
    starts = np.arange(0, len(bars.begins), each)
    ends = np.append(starts[1:], len(bars.begins)) - 1
    opened, high, low, close = bars.prices.T
    prices = [opened[starts], np.maximum.reduceat(high, starts), np.minimum.reduceat(low, starts), close[ends]]
    volumes = np.add.reduceat(bars.volumes, starts)
    return StoredBars(
        bars.begins[starts], bars.days[starts], np.column_stack(prices), volumes, bars.market[starts]
    ), each


def summary_of(bars: StoredBars) -> Summary:
    high, low = int(np.argmax(bars.prices[:, 1])), int(np.argmin(bars.prices[:, 2]))
    first, last = int(bars.prices[0, 0]), int(bars.prices[-1, 3])
    thin, _ = candles_of(bars)
    return Summary(
        Extreme(first, int(bars.begins[0])),
        Extreme(last, int(bars.begins[-1])),
        Extreme(int(bars.prices[high, 1]), int(bars.begins[high])),
        Extreme(int(bars.prices[low, 2]), int(bars.begins[low])),
        last / first - 1 if first else None,
        (thin.prices[:, 3] / 1e6).tolist(),
    )


def drawn(bars: StoredBars, exchange: str, *, is_daily: bool) -> dict[str, Any]:
    """Dollars, for eyes only. times: seconds as the exchange's own clock shows them, which is what the axis says."""
    thin, each = candles_of(bars)
    times = thin.begins.tolist()
    if not is_daily:
        zone = calendar_for(exchange).timezone
        times = [int(datetime.fromtimestamp(at, zone).replace(tzinfo=UTC).timestamp()) for at in times]
    columns = zip(("open", "high", "low", "close"), thin.prices.T, strict=True)
    prices = {name: np.round(values / 1e6, 4).tolist() for name, values in columns}
    return {"times": times, **prices, "volumes": thin.volumes.tolist(), "each": each, "is_daily": is_daily}

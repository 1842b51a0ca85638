"""The drawing of a report: value, left alone and buy-and-hold as three lines the server draws."""

from collections.abc import Sequence

from django import template

from reporting.figures import POINTS, ROWS, thinned
from reporting.metrics.definitions import Point

register = template.Library()
WIDTH, HEIGHT, MARGIN = 600, 180, 6


@register.inclusion_tag("reporting/_worths.html")
def worths_chart(points: Sequence[Point]) -> dict[str, object]:
    """One scale for all, with the figures of some days in the table beside it."""
    drawn = thinned(points, POINTS)
    every = [amount for point in drawn for amount in point.worths]
    low, high = min(every), max(every)
    lines = {
        name: " ".join(places([getattr(point.worths, name) for point in drawn], low, high))
        for name in ("value", "alone", "held")
    }
    rows = thinned(points, ROWS)[::-1]
    return {"lines": lines, "low": low, "high": high, "first": points[0], "last": points[-1], "rows": rows}


def places(amounts: Sequence[int], low: int, high: int) -> list[str]:
    span, step = max(high - low, 1), WIDTH / max(len(amounts) - 1, 1)
    heights = (HEIGHT - MARGIN - (amount - low) * (HEIGHT - 2 * MARGIN) / span for amount in amounts)
    return [f"{index * step:.1f},{height:.1f}" for index, height in enumerate(heights)]

"""The drawing of a rehearsal: what the cell was worth beside buying and holding, as two lines the server draws."""

from collections.abc import Sequence
from typing import TypeVar

from django import template

from reporting.rehearsal import Rehearsal
from trading.simulation.preview import Preview

register = template.Library()
WIDTH, HEIGHT, MARGIN, POINTS = 600, 180, 6, 150
Level = TypeVar("Level", bound=float)


@register.inclusion_tag("reporting/_course.html")
def course_chart(rehearsal: Rehearsal) -> dict[str, object]:
    """Both lines on one scale, thinned to what a screen can show; the table beside it has the figures."""
    cell, held = thinned(rehearsal.cell.values), thinned(rehearsal.held.values)
    low, high = min(*cell, *held), max(*cell, *held)
    return {
        "rehearsal": rehearsal,
        "cell": line(cell, low, high),
        "held": line(held, low, high),
        "low": low,
        "high": high,
        "first": rehearsal.days[0],
        "last": rehearsal.days[-1],
    }


@register.inclusion_tag("reporting/_preview_course.html")
def preview_chart(found: Preview) -> dict[str, object]:
    """What the cell was worth under the settings in force now and under those typed, on one scale."""
    now, new = (thinned(worths) for worths in found.worths)
    low, high = min(*now, *new), max(*now, *new)
    return {
        "now": line(now, low, high),
        "new": line(new, low, high),
        "now_end": now[-1],
        "new_end": new[-1],
        "low": low,
        "high": high,
        "first": found.days[0],
        "last": found.days[-1],
    }


def thinned(values: list[Level]) -> list[Level]:
    """At most POINTS of them, evenly; two at least, so that there is a line; the last one always."""
    step = -(-len(values) // POINTS)
    return [*(values[:-1:step] or values), values[-1]]


def line(values: Sequence[float], low: float, high: float) -> str:
    span, step = max(high - low, 1), WIDTH / (len(values) - 1)
    heights = (HEIGHT - MARGIN - (value - low) * (HEIGHT - 2 * MARGIN) / span for value in values)
    return " ".join(f"{index * step:.1f},{height:.1f}" for index, height in enumerate(heights))

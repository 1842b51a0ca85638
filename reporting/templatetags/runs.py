"""How the status and the returns of simulations read, and their drawings for those without scripts."""

from collections.abc import Sequence
from datetime import timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from reporting.figures import ppm
from reporting.reading import signed_percent, tone
from reporting.templatetags.courses import line, thinned

register = template.Library()
NAMES = ("robot", "held", "mixed")


@register.filter
def rate(fraction: float | None) -> SafeString:
    """A signed per cent in the colour of its sign."""
    return format_html('<span class="{}">{}</span>', tone(ppm(fraction)), signed_percent(ppm(fraction)))


@register.filter
def run_badge(status: str) -> SafeString:
    return format_html('<span class="badge{}">{}</span>', " warn" if status == "failed" else "", status)


@register.filter
def about(left: timedelta) -> str:
    """A time that is guessed, in its largest unit."""
    seconds = max(round(left.total_seconds()), 1)
    if seconds < 100:
        return f"{seconds} s"
    return f"{round(seconds / 60)} min" if seconds < 5_400 else f"{round(seconds / 3_600)} h"


@register.inclusion_tag("reporting/_run_lines.html")
def run_lines(*courses: Sequence[float], levels: Sequence[float] = ()) -> dict[str, object]:
    """Courses on one scale, the first on top; levels go straight across."""
    drawn = [thinned(list(course)) for course in courses]
    every = [*levels, *(value for course in drawn for value in course)]
    low, high = min(every), max(every)
    lines = [(name, line(course, low, high)) for name, course in zip(NAMES, drawn, strict=False)]
    return {"lines": lines[::-1], "levels": [line([level, level], low, high) for level in levels]}

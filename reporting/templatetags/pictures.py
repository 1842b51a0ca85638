"""Small drawings the server makes itself: icons from the sprite, sparklines, rulers with their needles."""

from collections.abc import Sequence

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portfolios.domain.holding import Rules
from reporting.live import live_market
from reporting.standing import Standing
from trading.domain.ladder import Rung

register = template.Library()
WIDTH, HEIGHT, MARGIN = 120, 32, 3


register.simple_tag(live_market)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Decoration only: the words beside it say what it means."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name)


@register.inclusion_tag("reporting/_spark.html")
def sparkline(prices: Sequence[int], anchor: int = 0) -> dict[str, object]:
    """A line of prices over its full width and height, with the anchor as a level where it falls inside."""
    if len(prices) < 2:
        return {"points": ""}
    low, high = min(prices), max(prices)
    span = max(high - low, 1)
    step = WIDTH / (len(prices) - 1)

    def height_of(price: int) -> float:
        return round(HEIGHT - MARGIN - (price - low) * (HEIGHT - 2 * MARGIN) / span, 1)

    points = " ".join(f"{index * step:.1f},{height_of(price)}" for index, price in enumerate(prices))
    level = height_of(anchor) if low <= anchor <= high else None
    return {"points": points, "level": level, "first": prices[0], "last": prices[-1], "sessions": len(prices)}


@register.inclusion_tag("reporting/_band.html")
def band(standing: Standing, anchor: int, buy: Rung | None, sell: Rung | None) -> dict[str, object]:
    """The price on its way between the buy and the sell trigger, with the anchor where it stands between them."""
    edges = standing.edges
    if edges is None or buy is None or sell is None:
        return {}
    span = max(edges.sell - edges.buy, 1)
    return {
        "needle": clamped((standing.price - edges.buy) * 100 / span),
        "anchor": clamped((anchor - edges.buy) * 100 / span),
        "buy": buy,
        "sell": sell,
    }


@register.inclusion_tag("reporting/_share.html")
def stock_share(standing: Standing, rules: Rules) -> dict[str, object]:
    """The stock share between its guardrails, on a scale from nothing to everything."""
    return {
        "needle": clamped(standing.stock_share / 10_000),
        "low": rules.guardrail_low / 10_000,
        "width": (rules.guardrail_high - rules.guardrail_low) / 10_000,
        "high": rules.guardrail_high / 10_000,
        "share": standing.stock_share,
        "rules": rules,
    }


@register.inclusion_tag("reporting/_meter.html")
def share_meter(standing: Standing, rules: Rules, buy: Rung | None, sell: Rung | None) -> dict[str, object]:
    """The same, large, with the place each next order would take it to."""
    places = [
        (rung.side.name.lower(), clamped(rung.stock_share_after / 10_000), rung.stock_share_after)
        for rung in (buy, sell)
        if rung and rung.decision.quantity
    ]
    return stock_share(standing, rules) | {"places": places}


@register.inclusion_tag("reporting/_rung_share.html")
def rung_share(share: int, rules: Rules) -> dict[str, object]:
    """A stock share (ppm) between the guardrails, small enough for a table."""
    return {
        "needle": min(clamped(share / 10_000), 98),
        "low": rules.guardrail_low / 10_000,
        "width": (rules.guardrail_high - rules.guardrail_low) / 10_000,
        "share": share,
    }


def clamped(place: float) -> float:
    """Kept on the scale, so that a needle at its end is still seen."""
    return round(min(max(place, 0.0), 100.0), 2)

"""What a page was asked for: numbers from its address, and rows the visitor may see."""

from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from portfolios.models import Portfolio, Position


def number_from(request: HttpRequest, name: str) -> int | None:
    """A positive number from the address; anything else counts as not given."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def visible_position(request: HttpRequest, public_id: UUID) -> Position:
    """Raises Http404 for a stranger as for an unknown id."""
    related = ("portfolio__settings_version", "settings_version")
    return get_object_or_404(Position.objects.visible_to(request.user).select_related(*related), public_id=public_id)


def visible_portfolio(request: HttpRequest, public_id: UUID) -> Portfolio:
    """Raises Http404 for a stranger as for an unknown id."""
    visible = Portfolio.objects.visible_to(request.user).select_related("settings_version", "owner")
    return get_object_or_404(visible, public_id=public_id)

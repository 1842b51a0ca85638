"""What a page was asked for: numbers from its address, and rows the visitor may see."""

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

from django.db.models import F
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from portfolios.models import Portfolio, Position, User


def visitor(request: HttpRequest) -> User:
    """Whoever has signed in: behind login_required nobody else comes."""
    return cast(User, request.user)


def number_from(request: HttpRequest, name: str) -> int | None:
    """A positive number from the address; anything else counts as not given."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def visible_position(request: HttpRequest, public_id: UUID, **also: Any) -> Position:
    """With the visitor's `role` in its portfolio, and `also` by name. Raises Http404 for a stranger as for an unknown
    id.
    """
    related = ("portfolio__settings_version", "settings_version")
    visible = Position.objects.visible_to(request.user).select_related(*related)
    return get_object_or_404(visible.annotate(role=F("portfolio__memberships__role"), **also), public_id=public_id)


def visible_portfolio(request: HttpRequest, public_id: UUID) -> Portfolio:
    """Raises Http404 for a stranger as for an unknown id."""
    visible = Portfolio.objects.visible_to(request.user).select_related("settings_version", "owner")
    return get_object_or_404(visible, public_id=public_id)


def chosen(request: HttpRequest, name: str, allowed: Collection[str]) -> str:
    """One of a fixed set, or nothing."""
    given = request.GET.get(name, "")
    return given if given in allowed else ""


def without_cursor(request: HttpRequest) -> str:
    """The filters of this address, to be followed by `before=`."""
    query = request.GET.copy()
    query.pop("before", None)
    return f"{query.urlencode()}&" if query else ""


def id_from(request: HttpRequest, name: str) -> UUID | None:
    """Raises Http404 for what is no id: there is nothing of that name to see."""
    text = request.GET.get(name, "")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404 from None

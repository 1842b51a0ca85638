"""Who sends a form, and what he may act on: 404 for what is not there for him, 403 for what he may only look at."""

from typing import cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from portfolios.models import Portfolio, Position, User
from trading.cards import RELATED


def visitor(request: HttpRequest) -> User:
    """Whoever has signed in: behind login_required nobody else comes."""
    return cast(User, request.user)


def actor_of(request: HttpRequest) -> str:
    return f"user:{request.user.get_username()}"


def steered_portfolio(request: HttpRequest, public_id: UUID | str) -> Portfolio:
    """Raises Http404 and PermissionDenied."""
    visible = Portfolio.objects.visible_to(request.user).select_related("settings_version")
    portfolio = visible.filter(public_id=read_id(public_id)).first()
    if portfolio is None:
        raise Http404
    if not Portfolio.objects.steered_by(request.user).filter(pk=portfolio.pk).exists():
        raise PermissionDenied
    return portfolio


def steered_position(request: HttpRequest, public_id: UUID | str) -> Position:
    """Raises Http404 and PermissionDenied."""
    visible = Position.objects.visible_to(request.user).select_related(*RELATED)
    position = visible.filter(public_id=read_id(public_id)).first()
    if position is None:
        raise Http404
    if not Position.objects.steered_by(request.user).filter(pk=position.pk).exists():
        raise PermissionDenied
    return position


def read_id(public_id: UUID | str) -> UUID:
    try:
        return public_id if isinstance(public_id, UUID) else UUID(public_id)
    except ValueError:
        raise Http404 from None

"""Who sends a form, what he may act on (404 for what is not there for him, 403 for what he may only look at), and
the page he sees again when it does not fit.
"""

from collections.abc import Mapping
from typing import cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import resolve
from django.utils.http import urlencode

from portfolios.errors import Refused
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


def shown_again(request: HttpRequest, address: str, typed: Mapping[str, str]) -> HttpResponse:
    """422 with the page of this address as if it had been asked for with what was typed: nothing of it is lost.

    By address, because pages are made one floor above.
    """
    request.GET, request.method = QueryDict(urlencode(typed)), "GET"
    view, args, kwargs = resolve(address)
    answer: HttpResponse = view(request, *args, **kwargs)
    answer.status_code = 422
    return answer


def sentence_of(refused: Refused) -> str:
    """What is wrong, with the field it is wrong with: "the reason must be one line"."""
    at = f"the {refused.field.replace('_', ' ')} " if refused.field and refused.message.startswith("must") else ""
    return f"{at}{refused.message}"

"""What only an owner does: a POST that ends on a page of the portfolio, with what was done or why it was not."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from portfolios.errors import Refused
from portfolios.models import Portfolio


def deed_of_owner(deed: Callable[..., str], *, page: str) -> Callable[..., HttpResponse]:
    """The view that does it and says so in the deed's own sentence; page: the name of its route."""

    @login_required
    @require_POST
    @wraps(deed)
    def answer(request: HttpRequest, public_id: UUID, **named: Any) -> HttpResponse:
        portfolio = visible(request, public_id)
        if not Portfolio.objects.owned_by(request.user).filter(pk=portfolio.pk).exists():
            raise PermissionDenied
        return told(request, portfolio, lambda: deed(request, portfolio, **named), page)

    return answer


def told(request: HttpRequest, portfolio: Portfolio, deed: Callable[[], str], page: str) -> HttpResponseRedirect:
    try:
        messages.success(request, deed())
    except Refused as refusal:
        messages.error(request, sentence(refusal))
    return redirect(page, public_id=portfolio.public_id)


def sentence(refusal: Refused) -> str:
    return f"{refusal.message[:1].upper()}{refusal.message[1:]}."


def visible(request: HttpRequest, public_id: UUID) -> Portfolio:
    """Raises Http404 for a stranger as for an unknown id."""
    return get_object_or_404(Portfolio.objects.visible_to(request.user), public_id=public_id)

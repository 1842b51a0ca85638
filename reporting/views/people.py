"""The pages about people: signing in, the profile, the members of a portfolio."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portfolios.identity.provider import is_configured
from reporting.selectors.people import members_of, profile_of
from reporting.views.asked import visible_portfolio

SCOPE_WORDS = {
    "read": "look at everything you can see",
    "simulate": "run simulations",
    "propose": "propose orders for somebody to approve",
    "trade": "open cells, place orders, move money on paper",
    "admin": "what staff may do; nothing for anybody else",
}


class SignIn(LoginView):
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"single_sign_on": settings.OIDC_NAME if is_configured() else ""}


@login_required
@require_safe
@never_cache
def profile(request: HttpRequest) -> HttpResponse:
    context = {"profile": profile_of(request.user), "scopes": SCOPE_WORDS, "session_key": request.session.session_key}
    return render(request, "reporting/profile.html", context)


@login_required
@require_safe
def members(request: HttpRequest, public_id: UUID) -> HttpResponse:
    portfolio = visible_portfolio(request, public_id)
    return render(request, "reporting/members.html", {"members": members_of(portfolio, request.user)})

"""The page of one portfolio."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reporting.context import clocks_for
from reporting.selectors.portfolio import portfolio_page
from reporting.views.asked import number_from, visible_portfolio


@login_required
@require_safe
def portfolio(request: HttpRequest, public_id: UUID) -> HttpResponse:
    page = portfolio_page(
        visible_portfolio(request, public_id),
        request.user,
        clocks_for(request),
        number_from(request, "page") or 1,
        storm="storm" in request.GET,
    )
    return render(request, "reporting/portfolio.html", {"page": page})

"""The pages on which portfolios and cells begin: everything typed is in the address, so nothing needs JavaScript."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portfolios.presets import PRESETS
from reporting.selectors.opening import new_cell
from reporting.views.asked import visitor
from trading.forms import SOURCE, NewPortfolioForm


@login_required
@require_safe
@never_cache
def new_cell_page(request: HttpRequest) -> HttpResponse:
    return render(request, "reporting/new_cell.html", {"page": new_cell(visitor(request), request.GET)})


@login_required
@require_safe
@never_cache
def new_cell_preview(request: HttpRequest) -> HttpResponse:
    """The part that moves while somebody types."""
    page = new_cell(visitor(request), request.GET)
    return render(request, "reporting/_new_cell.html", {"page": page, "oob": True})


@login_required
@require_safe
def new_portfolio_page(request: HttpRequest) -> HttpResponse:
    typed = {"preset": "balanced", "source": SOURCE} | request.GET.dict()
    form = NewPortfolioForm(typed)
    shown = {"form": form, "presets": PRESETS, "wrong": "name" in request.GET and not form.is_valid()}
    return render(request, "reporting/new_portfolio.html", shown)

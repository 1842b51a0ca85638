"""The page of dividends: what comes, what is owed, what was received."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reporting.selectors.dividends import calendar_of, paid_to


@login_required
@require_safe
def dividends(request: HttpRequest) -> HttpResponse:
    page = paid_to(request.user, request.GET.get("before", ""))
    context = {"calendar": calendar_of(request.user), "page": page, "query": ""}
    return render(request, "reporting/dividends.html", context)

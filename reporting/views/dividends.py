"""The page of dividends: what comes, what is owed, what was received."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reporting.context import clocks_for
from reporting.selectors.dividends import calendar_of, ground_of, paid_to
from reporting.selectors.forecast import forecast_of
from reporting.views.fresh import fresh_page


@fresh_page
def dividends(request: HttpRequest) -> HttpResponse:
    before, owed_after = request.GET.get("before", ""), request.GET.get("owed", "")
    page = paid_to(request.user, before)
    ground = ground_of(request.user, clocks_for(request))
    context = {
        "calendar": calendar_of(request.user, ground, owed_after),
        "forecast": forecast_of(request.user, ground),
        "page": page,
        "query": f"{urlencode({'owed': owed_after})}&" if owed_after else "",
        "paid_query": f"{urlencode({'before': before})}&" if before else "",
        "may_announce": getattr(request.user, "is_staff", False),
    }
    return render(request, "reporting/dividends.html", context)

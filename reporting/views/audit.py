"""The page of all events, by filter."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portfolios.models import Portfolio
from reporting.selectors.audit import ACTORS, KINDS, Sought, audit_of, entries_of
from reporting.views.asked import chosen, id_from, visible_portfolio, visible_position, without_cursor
from reporting.views.fresh import fresh_page


@fresh_page
def audit(request: HttpRequest) -> HttpResponse:
    sought = sought_by(request)
    page = audit_of(request.user, sought, request.GET.get("before", ""))
    context = {
        "page": page,
        "entries": entries_of(page.rows),
        "sought": sought,
        "filtered": any(sought),
        "kinds": KINDS,
        "actors": ACTORS,
        "portfolios": Portfolio.objects.visible_to(request.user).order_by("name", "pk"),
        "query": without_cursor(request),
    }
    return render(request, "reporting/audit.html", context)


def sought_by(request: HttpRequest) -> Sought:
    portfolio, cell = id_from(request, "portfolio"), id_from(request, "cell")
    return Sought(
        chosen(request, "kind", KINDS),
        chosen(request, "actor", ACTORS),
        visible_portfolio(request, portfolio) if portfolio else None,
        visible_position(request, cell) if cell else None,
        day_from(request, "since"),
        day_from(request, "until"),
    )


def day_from(request: HttpRequest, name: str) -> date | None:
    """A day of this era; anything else counts as not given."""
    try:
        day = date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        return None
    return day if 1900 <= day.year <= 2200 else None

"""The reports: figures of a period for all cells or one portfolio's, with the definition of each."""

from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portfolios.models import Portfolio
from reporting.context import clocks_for
from reporting.figures import MONEY_READINGS, TRADE_READINGS, told
from reporting.metrics.periods import PRESETS, Period, period_of
from reporting.metrics.reports import Line, cells_seen_by, moments_around, report_of, today_of
from reporting.views.asked import chosen, number_from, visitor

PAGE = 50
UNREADABLE = "A day is written like 2008-01-31, and the first comes before the last."


@login_required
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    portfolios = list(Portfolio.objects.visible_to(visitor(request)).order_by("name", "pk"))
    portfolio = chosen(request, "portfolio", [str(each.public_id) for each in portfolios])
    cells = [
        cell for cell in cells_seen_by(visitor(request)) if not portfolio or str(cell.portfolio.public_id) == portfolio
    ]
    moments = moments_around(cells, clocks_for(request))
    period, faults = asked_period(request, today_of(moments))
    report = report_of(cells, period, moments)
    pages = max(-(-len(report.lines) // PAGE), 1)
    page = min(number_from(request, "page") or 1, pages)
    context = {
        "report": report,
        "money": told(MONEY_READINGS, report.total, defined=True),
        "trades": told(TRADE_READINGS, report.total, defined=True),
        "lines": [shown(line) for line in report.lines[(page - 1) * PAGE : page * PAGE]],
        "portfolios": portfolios,
        "chosen": {"portfolio": portfolio, "preset": request.GET.get("preset", ""), "page": page, "pages": pages},
        "presets": PRESETS,
        "query": query_without_page(request),
        "faults": faults,
    }
    return render(request, "reporting/reports.html", context, status=400 if faults else 200)


def asked_period(request: HttpRequest, today: date) -> tuple[Period, list[str]]:
    """Days of one's own before a preset; nothing asked is the last 90 days."""
    first, last = request.GET.get("from", ""), request.GET.get("to", "")
    preset = chosen(request, "preset", PRESETS) or "90"
    if not first and not last:
        return period_of(preset, None, None, today), []
    try:
        days = [date.fromisoformat(text) if text else None for text in (first, last)]
    except ValueError:
        return period_of(preset, None, None, today), [UNREADABLE]
    if days[0] and days[0] > (days[1] or today):
        return period_of(preset, None, None, today), [UNREADABLE]
    return period_of("", days[0], days[1], today), []


def shown(line: Line) -> dict[str, Any]:
    return {
        "position": line.position,
        "money": told(MONEY_READINGS, line.figures),
        "trades": told(TRADE_READINGS, line.figures),
    }


def query_without_page(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("page", None)
    return f"{query.urlencode()}&" if query else ""

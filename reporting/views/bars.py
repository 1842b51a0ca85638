"""The pages of recorded bars: which there are, and how good each series is."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reporting.selectors import bars as selected
from reporting.selectors.refusals import FILTERS, refused_for
from reporting.views.asked import visitor
from trading.bars.catalogue import BarsGone

VIEWS = {"none": "Raw", "splits": "Splits", "all": "Splits and dividends"}  # of trading.simulation.recorded.ADJUSTMENTS


@login_required
@require_safe
@never_cache
def data(request: HttpRequest) -> HttpResponse:
    """Everybody sees the bars, staff sees who imported them."""
    imports = selected.newest_imports() if visitor(request).is_staff else []
    page = selected.listed(request.GET.get("before", ""))
    return render(request, "reporting/data.html", {"page": page, "imports": imports, "query": ""})


@login_required
@require_safe
@never_cache
def refused_prices(request: HttpRequest) -> HttpResponse:
    """Of the stocks of one's own cells: who holds what is nobody else's business."""
    chosen = {name: request.GET[name].strip()[:20] for name in FILTERS if request.GET.get(name, "").strip()}
    if "symbol" in chosen:
        chosen["symbol"] = chosen["symbol"].upper()
    refusals = refused_for(request.user, chosen, request.GET.get("before", ""))
    query = f"{urlencode(chosen)}&" if chosen else ""
    return render(request, "reporting/refused.html", {"refusals": refusals, "chosen": chosen, "query": query})


@login_required
@require_safe
@never_cache
def series(request: HttpRequest, symbol: str, resolution: str) -> HttpResponse:
    """Raises Http404 for what is not recorded."""
    adjust = adjusted_as(request)
    try:
        page = selected.page_of(symbol, resolution, timezone.now(), request.GET.get("before", ""), adjust)
    except BarsGone as error:
        return render(request, "reporting/series_gone.html", {"why": error, "symbol": symbol}, status=503)
    if page is None:
        raise Http404
    shown = {"page": page, "query": "", "resolution": resolution, "adjust": adjust, "views": VIEWS}
    return render(request, "reporting/series.html", shown)


@login_required
@require_safe
@never_cache
def series_chart(request: HttpRequest, symbol: str, resolution: str) -> HttpResponse:
    """Raises Http404 for what is not recorded."""
    try:
        told = selected.chart_of(symbol, resolution, adjusted_as(request))
    except BarsGone as error:
        return JsonResponse({"detail": str(error)}, status=503)
    if told is None:
        raise Http404
    return JsonResponse(told)


def adjusted_as(request: HttpRequest) -> str:
    """What is none of the views counts as raw."""
    asked = request.GET.get("adjust", "")
    return asked if asked in VIEWS else "none"

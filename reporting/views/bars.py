"""The pages of recorded bars: which there are, and how good each series is."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reporting.selectors import bars as selected
from reporting.views.asked import visitor
from trading.bars.catalogue import BarsGone


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
def series(request: HttpRequest, symbol: str, resolution: str) -> HttpResponse:
    """Raises Http404 for what is not recorded."""
    try:
        page = selected.page_of(symbol, resolution, timezone.now(), request.GET.get("before", ""))
    except BarsGone as error:
        return render(request, "reporting/series_gone.html", {"why": error, "symbol": symbol}, status=503)
    if page is None:
        raise Http404
    return render(request, "reporting/series.html", {"page": page, "query": "", "resolution": resolution})

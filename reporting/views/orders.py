"""The pages of orders: the list by filter, and one order with its whole life."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from reporting.selectors import orders as selected
from reporting.selectors.orders import ORIGINS, SIDES, STATUSES, Wanted
from reporting.selectors.proposals import weighed
from reporting.views.asked import chosen, id_from, visible_position, without_cursor
from reporting.views.fresh import fresh_page
from trading.domain.order_life import CANCELLABLE, OPEN_STATES
from trading.models import Order


@fresh_page
def orders(request: HttpRequest) -> HttpResponse:
    wanted = wanted_by(request)
    page = selected.orders_of(request.user, wanted, request.GET.get("before", ""))
    context = {
        "page": page,
        "lines": [selected.line_of(order) for order in page.rows],
        "wanted": wanted,
        "filtered": any(wanted),
        "statuses": STATUSES,
        "query": without_cursor(request),
    }
    return render(request, "reporting/orders.html", context)


def wanted_by(request: HttpRequest) -> Wanted:
    cell = id_from(request, "cell")
    return Wanted(
        chosen(request, "status", STATUSES),
        chosen(request, "side", SIDES),
        chosen(request, "origin", ORIGINS),
        request.GET.get("ticker", "").strip().upper()[:12],
        visible_position(request, cell) if cell else None,
    )


@fresh_page
def order(request: HttpRequest, public_id: UUID) -> HttpResponse:
    related = ("position__portfolio__account", "author")
    found = get_object_or_404(Order.objects.visible_to(request.user).select_related(*related), public_id=public_id)
    context = {
        "told": selected.told(request.user, found),
        "order": found,
        "remaining": max(found.quantity - found.filled_quantity, 0),
        "open_states": OPEN_STATES,
        "cancellable": [state for state in CANCELLABLE if state != "proposed"],
        "weighed": weighed(found) if found.status == "proposed" else None,
        "typed_reason": request.GET.get("reason", ""),
        "reason_wrong": "reason" in request.GET,
    }
    return render(request, "reporting/order.html", context)

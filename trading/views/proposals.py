"""Answering proposals from the pages, and the switch that makes the robot propose."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from portfolios.errors import Refused
from portfolios.models import Portfolio
from trading.models import Order
from trading.services.proposals import approve_proposal, dismiss_proposal, set_approve_first, why_ended
from trading.tasks import execute_order, ring
from trading.views.visitor import actor_of, sentence_of, shown_again


def steered_order(request: HttpRequest, public_id: UUID) -> Order:
    """Raises Http404 and PermissionDenied."""
    order = get_object_or_404(Order.objects.visible_to(request.user), public_id=public_id)
    if not Order.objects.steered_by(request.user).filter(pk=order.pk).exists():
        raise PermissionDenied
    return order


@login_required
@require_POST
def approve(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Twice is once, and the second time calmly says so. Where the moment has passed the page says why."""
    order = steered_order(request, public_id)
    waited = order.status == "proposed"
    try:
        after = approve_proposal(order_id=order.pk, actor=actor_of(request))
    except Refused as refused:
        messages.error(request, f"Not approved: {refused.message}.")
        return redirect("order", public_id)
    if after.status == "expired":
        messages.error(request, f"Not approved: {why_ended(after)}")
    elif not waited:
        messages.success(request, "It was approved already. Nothing goes out a second time.")
    else:
        ring(execute_order, order_id=after.pk)
        messages.success(request, "Approved. The order goes out.")
    return redirect("order", public_id)


@login_required
@require_POST
def dismiss(request: HttpRequest, public_id: UUID) -> HttpResponse:
    order = steered_order(request, public_id)
    reason = request.POST.get("reason", "")
    try:
        dismiss_proposal(order_id=order.pk, reason=reason, actor=actor_of(request))
    except Refused as refused:
        messages.error(request, f"Not dismissed: {sentence_of(refused)}.")
        return shown_again(request, reverse("order", args=[public_id]), {"reason": reason[:400]})
    messages.success(request, "Dismissed. The robot may propose again at another price.")
    return redirect("order", public_id)


@login_required
@require_POST
def switch(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The owner's alone: whoever may only trade does not take the leash off."""
    portfolio = get_object_or_404(Portfolio.objects.visible_to(request.user), public_id=public_id)
    if not Portfolio.objects.owned_by(request.user).filter(pk=portfolio.pk).exists():
        raise PermissionDenied
    on = request.POST.get("approve_first") == "1"
    set_approve_first(portfolio_id=portfolio.pk, on=on, actor=actor_of(request))
    words = "From now on the robot proposes, and a person sends." if on else "The robot sends its orders by itself now."
    messages.success(request, words)
    return redirect("portfolio-settings", public_id)

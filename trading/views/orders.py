"""Taking an order back."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from portfolios.errors import Refused
from trading.models import Order
from trading.services import ordering
from trading.tasks import execute_order, ring


@login_required
@require_POST
def cancel_order(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Its confirmation is on the order's page. Asking twice takes it back once and says the same."""
    order = get_object_or_404(Order.objects.visible_to(request.user), public_id=public_id)
    if not Order.objects.steered_by(request.user).filter(pk=order.pk).exists():
        raise PermissionDenied
    try:
        after = ordering.cancel_order(order_id=order.pk, actor=f"user:{request.user.get_username()}")
        if after.status == "cancelling":
            ring(execute_order, order_id=order.pk)
            messages.info(request, "The broker is asked to take it back. It may still fill until it answers.")
        else:
            messages.success(request, "The order is cancelled. What it had reserved is free again.")
    except Refused as refused:
        order.refresh_from_db()
        messages.error(request, f"Not cancelled: {refused.message}.")
    return redirect("order", public_id)

"""Pulling the plug and arming again, from the console."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from portfolios.errors import Refused
from portfolios.models import Account
from trading.forms import HaltForm
from trading.risk.models import Halt
from trading.services import halts
from trading.tasks import ring_for_halt
from trading.views.visitor import actor_of, read_id, shown_again, steered_portfolio, steered_position, visitor


@login_required
@require_POST
def halt(request: HttpRequest) -> HttpResponse:
    """One step, because every second counts. Halting what is halted already says so."""
    form = HaltForm(request.POST)
    if not form.is_valid():
        typed = {name: request.POST.get(name, "") for name in form.base_fields}
        return shown_again(request, reverse("console"), typed | {"tried": "halt"})
    scope, _, public_id = form.cleaned_data["over"].partition(":")
    known = halts.halt(
        scope=scope,
        target_id=target_for(request, scope, public_id),
        reason=form.cleaned_data["reason"],
        actor=actor_of(request),
        cancels=form.cleaned_data["cancels"],
    )
    ring_for_halt(known)
    messages.success(request, f"Trading is halted over {known.over}. Nothing leaves until somebody arms it again.")
    return redirect("console")


def target_for(request: HttpRequest, scope: str, public_id: str) -> int | None:
    """Raises Http404 and PermissionDenied."""
    if scope == Halt.Scope.PORTFOLIO:
        return steered_portfolio(request, public_id).pk
    if scope == Halt.Scope.POSITION:
        return steered_position(request, public_id).pk
    if scope == Halt.Scope.ACCOUNT:
        return get_object_or_404(Account, owner=visitor(request), public_id=read_id(public_id)).pk
    if not visitor(request).is_superuser:
        raise PermissionDenied
    return None


@login_required
@require_POST
def rearm(request: HttpRequest, public_id: UUID) -> HttpResponse:
    known = Halt.objects.visible_to(request.user).filter(public_id=public_id).first()
    if known is None:
        raise Http404
    if not Halt.objects.steered_by(request.user).filter(pk=known.pk).exists():
        raise PermissionDenied
    reason = request.POST.get("reason", "").strip()
    try:
        lifted = halts.rearm(halt_id=known.pk, reason=reason, actor=actor_of(request))
    except Refused:
        typed = {"tried": str(known.public_id), "why": reason}
        return shown_again(request, reverse("console"), typed)
    messages.success(request, f"Trading is armed again over {lifted.over}, unless another halt reaches it.")
    return redirect("console")

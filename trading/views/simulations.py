"""Asking the past, stopping that, throwing it away: the POST actions of the pages of simulations."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from portfolios.domain.settings import SETTINGS
from portfolios.errors import Refused
from portfolios.services.idempotency import fingerprint_of, read_key
from trading.run_form import RunForm
from trading.simulation.models import SimulationRun
from trading.simulation.selectors import over_soon, runs_of
from trading.simulation.services import Asked, ask_once, cancel_work, create_run, delete_work
from trading.tasks import ring, run_simulation
from trading.views.visitor import actor_of, sentence_of, shown_again, visitor

BEGINNINGS = {"preset", "position"}


@login_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    if BEGINNINGS & set(request.POST):
        return begun_from(request)
    form = RunForm(request.POST)
    if not form.is_right:
        return again(request, "see below what does not fit")
    try:
        asked = asked_once(request, form)
    except Refused as refused:
        return again(request, sentence_of(refused))
    if asked.is_first and ring(run_simulation, run_id=asked.run.pk):
        over_soon(asked.run.pk)
    return redirect("simulation", asked.run.public_id)


def asked_once(request: HttpRequest, form: RunForm) -> Asked:
    """A second click finds the run of the first; the same form with something else typed is another question."""
    ask = partial(create_run, owner=visitor(request), **form.asked())
    if "key" not in request.POST:
        return Asked(ask(), is_first=True)
    key = read_key(request.POST["key"])
    fingerprint = fingerprint_of(method="POST", route="simulate", subject="", body=form.typed)
    return ask_once(owner=visitor(request), key=f"form:{key}:{fingerprint}", fingerprint=fingerprint, ask=ask)


def again(request: HttpRequest, why: str) -> HttpResponse:
    """The form with all that was typed, where each field says what it takes."""
    messages.error(request, f"Nothing is simulated yet: {why}.")
    return shown_again(request, reverse("simulation-new"), typed(request))


def begun_from(request: HttpRequest) -> HttpResponse:
    """The form again with what was typed, and over it what the pressed preset or cell has."""
    chosen = {name: request.POST[name][:200] for name in BEGINNINGS if name in request.POST}
    return redirect(f"{reverse('simulation-new')}?{urlencode(typed(request) | chosen)}")


def typed(request: HttpRequest) -> dict[str, str]:
    names = [name for name in SETTINGS if request.POST.get(name)] + [
        name for name in (*RunForm.base_fields, "resolution") if name in request.POST
    ]
    return {name: request.POST[name][:200] for name in names} | {"typed": "1"}


@login_required
@require_POST
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        cancel_work(work=owned(request, public_id), actor=actor_of(request))
    except Refused as refused:
        messages.error(request, f"Not cancelled: {refused.message}.")
    else:
        messages.success(request, "Cancelled. Nothing of it is kept but what was asked.")
    return redirect("simulation", public_id)


@login_required
@require_POST
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    run = owned(request, public_id)
    delete_work(work=run)
    messages.success(request, f"The simulation {run} is deleted.")
    return redirect("simulations")


def owned(request: HttpRequest, public_id: UUID) -> SimulationRun:
    """Raises Http404 for a stranger as for an unknown id."""
    return get_object_or_404(runs_of(visitor(request)), public_id=public_id)

"""Sweeping, stopping that, throwing it away, and what is done with one setting: the POST actions of sweeps' pages."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from portfolios.domain.settings import written
from portfolios.errors import Refused
from portfolios.models import SettingsPreset
from portfolios.services.presets import save_preset
from trading.market.selectors import market_now
from trading.simulation.applying import use_settings
from trading.simulation.grid import Grid
from trading.simulation.models import Sweep
from trading.simulation.ranking import grid_of, sweeps_of
from trading.simulation.services import cancel_work, create_run, delete_work
from trading.simulation.stage import CLOSE
from trading.simulation.sweeps import create_sweep
from trading.sweep_form import SweepForm
from trading.tasks import ring, ring_sweep, run_simulation
from trading.views.visitor import actor_of, sentence_of, shown_again, steered_position, visitor

SAME = ("symbol", "resolution", "cash", "in_stock", "slippage", "first_day", "last_day")


@login_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    own = {f"own-{preset.pk}": preset for preset in SettingsPreset.objects.filter(owner=visitor(request))}
    form = SweepForm(request.POST, own)
    if not form.is_right:
        return again(request, "see below what does not fit")
    try:
        sweep = create_sweep(owner=visitor(request), **form.wished())
    except Refused as refused:
        return again(request, sentence_of(refused))
    ring_sweep(sweep.pk)
    return redirect("sweep", sweep.public_id)


def again(request: HttpRequest, why: str) -> HttpResponse:
    messages.error(request, f"Nothing is swept yet: {why}.")
    typed = {name: request.POST[name][:200] for name in request.POST if name != "csrfmiddlewaretoken"}
    return shown_again(request, reverse("sweep-new"), typed | {"typed": "1"})


@login_required
@require_POST
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    try:
        cancel_work(work=owned(request, public_id), actor=actor_of(request))
    except Refused as refused:
        messages.error(request, f"Not cancelled: {refused.message}.")
    else:
        messages.success(request, "Cancelled. What was tried so far can be looked at.")
    return redirect("sweep", public_id)


@login_required
@require_POST
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    sweep = owned(request, public_id)
    delete_work(work=sweep)
    messages.success(request, f"The sweep {sweep} is deleted.")
    return redirect("sweeps")


@login_required
@require_POST
def open_run(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """One combination as a run of its own, to the last digit."""
    sweep = owned(request, public_id)
    grid = combination(sweep, number)
    same = {name: getattr(sweep, name) for name in SAME}
    try:
        run = create_run(
            owner=visitor(request),
            settings=written(grid.settings(number)),
            path=CLOSE,
            name=f"{sweep}, setting {number}"[:120],
            **same,
        )
    except Refused as refused:
        messages.error(request, f"Not simulated: {refused.message}.")
        return back(sweep, number)
    ring(run_simulation, run_id=run.pk)
    return redirect("simulation", run.public_id)


@login_required
@require_POST
def use(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    sweep = owned(request, public_id)
    position = steered_position(request, request.POST.get("position", ""))
    try:
        version = use_settings(
            sweep=sweep,
            number=number,
            position=position,
            author=visitor(request),
            actor=actor_of(request),
            market_at=market_now(position.portfolio.source),
            override=request.POST.get("override", ""),
        )
    except Refused as refused:
        messages.error(request, f"{position.symbol} keeps its settings: {sentence_of(refused)}")
        return back(sweep, number)
    messages.success(request, f"{position.symbol} lives by these settings now: version {version.number}.")
    return redirect("cockpit", position.public_id)


@login_required
@require_POST
def keep(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """The base with this combination over it, under a name of his own."""
    sweep = owned(request, public_id)
    given = written(combination(sweep, number).settings(number))
    try:
        preset = save_preset(owner=visitor(request), name=request.POST.get("preset_name", ""), given=given)
    except Refused as refused:
        messages.error(request, f"The preset is not kept: {refused.field or 'it'} {refused.message}.")
    else:
        messages.success(request, f"The preset {preset.name} is kept. No cell was changed.")
    return back(sweep, number)


def combination(sweep: Sweep, number: int) -> Grid:
    """Raises Http404 for one that is not in the grid, or that no cell could have."""
    grid = grid_of(sweep)
    if number >= grid.size or grid.merged(number) is None:
        raise Http404
    return grid


def back(sweep: Sweep, number: int) -> HttpResponse:
    return redirect(f"{reverse('sweep', args=[sweep.public_id])}?{urlencode({'trial': number})}#trial")


def owned(request: HttpRequest, public_id: UUID) -> Sweep:
    """Raises Http404 for a stranger as for an unknown id."""
    return get_object_or_404(sweeps_of(visitor(request)), public_id=public_id)

"""The pages of simulations: the list, the form, and one run from waiting to its tear sheet."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portfolios.domain.amounts import as_text
from portfolios.presets import PRESETS
from reporting.exports.runs import RUN_FORMATS, RUN_KINDS
from reporting.selectors import simulations as selected
from reporting.tearsheet import OTHERS
from reporting.views.asked import id_from, number_from, visible_position, visitor
from trading.run_form import PATHS_TOLD
from trading.simulation.models import SimulationRun

SOON = timedelta(seconds=10)


@login_required
@require_safe
@never_cache
def simulations(request: HttpRequest) -> HttpResponse:
    page = selected.list_of(visitor(request), request.GET.get("before", ""))
    return render(
        request, "reporting/simulations.html", {"page": page, "busy": any(not run.is_over for run in page.rows)}
    )


@login_required
@require_safe
@never_cache
def new_simulation(request: HttpRequest) -> HttpResponse:
    return shown(request, "reporting/new_simulation.html")


@login_required
@require_safe
@never_cache
def simulation_effect(request: HttpRequest) -> HttpResponse:
    """The part that moves while somebody types."""
    return shown(request, "reporting/_run_effect.html")


def shown(request: HttpRequest, template: str) -> HttpResponse:
    """`?position=` or `?run=` fill the form; only with what the visitor may see."""
    position, run = id_from(request, "position"), id_from(request, "run")
    page = selected.new_run(
        visitor(request),
        request.GET.dict(),
        visible_position(request, position) if position else None,
        selected.run_seen_by(visitor(request), run) if run else None,
    )
    return render(request, template, {"page": page, "presets": PRESETS, "paths": PATHS_TOLD, "key": uuid4().hex})


@login_required
@require_safe
@never_cache
def simulation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    run = selected.run_seen_by(visitor(request), public_id)
    sheet = selected.sheet_of(run, number_from(request, "trades") or 1) if run.status == run.Status.DONE else None
    shown = {
        "run": run,
        "sheet": sheet,
        "settings": selected.settings_told(run),
        "slippage": as_text(run.slippage * 10_000),
        "path": PATHS_TOLD[run.path],
        "kinds": {name: kind.title for name, kind in RUN_KINDS.items()},
        "forms": list(RUN_FORMATS),
        "others": OTHERS,
        "pace": pace_of(run),
    }
    return render(request, "reporting/simulation.html", shown)


def pace_of(run: SimulationRun) -> str:
    """How often the page of a run that is not over asks again: often at first, a tenth as often once it has to wait."""
    return "250ms" if timezone.now() - run.created_at < SOON else "2500ms"


@login_required
@require_safe
@never_cache
def simulation_chart(request: HttpRequest, public_id: UUID) -> HttpResponse:
    run = selected.run_seen_by(visitor(request), public_id)
    if run.status != run.Status.DONE:
        raise Http404
    return JsonResponse(selected.drawn(run))

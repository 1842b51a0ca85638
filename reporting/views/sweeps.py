"""The pages of sweeps: the list, the form, and one from waiting to its verdict, map and ranking."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portfolios.models import SettingsPreset
from portfolios.presets import PRESETS
from reporting.selectors import sweeps as selected
from reporting.views.asked import visitor
from trading.simulation.ranking import time_left
from trading.sweep_form import NAMES, SweepForm


@login_required
@require_safe
@never_cache
def sweeps(request: HttpRequest) -> HttpResponse:
    page = selected.list_of(visitor(request), request.GET.get("before", ""))
    return render(request, "reporting/sweeps.html", {"page": page})


@login_required
@require_safe
@never_cache
def new_sweep(request: HttpRequest) -> HttpResponse:
    own = {
        f"own-{preset.pk}": preset for preset in SettingsPreset.objects.filter(owner=visitor(request)).order_by("name")
    }
    form = SweepForm(request.GET.dict(), own)
    form.is_bound = "typed" in request.GET  # a form nobody has filled in yet complains of nothing
    return render(request, "reporting/new_sweep.html", {"form": form, "names": NAMES, "presets": PRESETS, "own": own})


@login_required
@require_safe
@never_cache
def sweep(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found = selected.sweep_seen_by(visitor(request), public_id)
    shown = selected.shown_of(visitor(request), found, request.GET.dict())
    told = {"sweep": found, "shown": shown, "left": time_left(found), "metrics": selected.METRIC_WORDS}
    return render(request, "reporting/sweep.html", told)

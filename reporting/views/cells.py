"""The pages of cells: overview, cockpit, timeline. Live parts answer 304 while nothing has moved."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from portfolios.models import ACTING_ROLES, Position
from reporting.context import clocks_for, halts_for
from reporting.selectors.chart import chart_of
from reporting.selectors.cockpit import cockpit_of
from reporting.selectors.overview import overview_of
from reporting.selectors.portfolio import portfolios_of
from reporting.selectors.pulse import pulse_of_cell, pulse_of_user
from reporting.selectors.refusals import refused_page, was_refused
from reporting.selectors.timeline import FILTERS, timeline_of
from reporting.selectors.why import asked_why
from reporting.views.asked import chosen, number_from, visible_position
from reporting.views.past import past_page, past_timeline


def overview_etag(request: HttpRequest) -> str:
    return pulse_of_user(request.user, clocks_for(request), request.get_full_path(), halts_for(request))


def cell_etag(request: HttpRequest, public_id: UUID) -> str:
    return pulse_of_cell(request.user, public_id, clocks_for(request), request.get_full_path(), halts_for(request))


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    context = overview_context(request) | {"portfolios": portfolios_of(request.user)}
    return render(request, "reporting/overview.html", context)


@login_required
@require_safe
@cache_control(private=True, no_cache=True)
@condition(etag_func=overview_etag)
def overview_live(request: HttpRequest) -> HttpResponse:
    return render(request, "reporting/_overview.html", overview_context(request) | {"oob": True})


def overview_context(request: HttpRequest) -> dict[str, Any]:
    return {"overview": overview_of(request.user, clocks_for(request), page=number_from(request, "page") or 1)}


@login_required
@require_safe
def cockpit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    position = visible_position(request, public_id)
    if "as_of" in request.GET:
        return past_page(request, position)
    return render(request, "reporting/cockpit.html", cockpit_context(request, position) | {"position": position})


@login_required
@require_safe
@cache_control(private=True, no_cache=True)
@condition(etag_func=cell_etag)
def cockpit_live(request: HttpRequest, public_id: UUID) -> HttpResponse:
    position = visible_position(request, public_id)
    return render(request, "reporting/_cockpit.html", cockpit_context(request, position) | {"oob": True})


def cockpit_context(request: HttpRequest, position: Position) -> dict[str, Any]:
    """Who may only look sees no buttons."""
    return {
        "cockpit": cockpit_of(position, clocks_for(request)),
        "steered": getattr(position, "role", "") in ACTING_ROLES,
        "halted": next((halt for halt in halts_for(request) if halt.stops(position)), None),
    }


@login_required
@require_safe
@cache_control(private=True, no_cache=True)
@condition(etag_func=cell_etag)
def chart(request: HttpRequest, public_id: UUID) -> HttpResponse:
    drawn = chart_of(visible_position(request, public_id), clocks_for(request), last_days=number_from(request, "days"))
    return JsonResponse(drawn)


@login_required
@require_safe
def timeline(request: HttpRequest, public_id: UUID) -> HttpResponse:
    position = visible_position(request, public_id, was_refused=was_refused())
    before = number_from(request, "before")
    context = {"position": position, "filters": FILTERS, "chosen": chosen(request, "show", FILTERS) or "all"}
    context["before"] = before
    if "as_of" in request.GET:
        return past_timeline(request, context, before)
    context["timeline"] = timeline_of(position, str(context["chosen"]), before=before)
    context["why"] = asked_why(position, request.GET.get("why", ""))
    refused_before = number_from(request, "refused_before")
    if refused_before is not None or vars(position)["was_refused"]:
        context["refused"] = refused_page(position, refused_before)
    return render(request, "reporting/timeline.html", context)

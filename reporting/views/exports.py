"""The page on which one chooses what to take away; the same address then answers with the file."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portfolios.api.problems import Problem
from portfolios.errors import Refused
from portfolios.models import Portfolio, Position
from portfolios.views.visitor import visitor
from reporting.exports.files import FORMATS, Format, answer
from reporting.exports.kinds import KINDS, Export
from reporting.exports.query import export_of
from reporting.exports.quota import seconds_to_wait
from reporting.metrics.periods import PRESETS

FORMAT_TITLES = {"csv": "CSV", "xlsx": "XLSX for Excel", "parquet": "Parquet"}


@login_required
@require_safe
def exports(request: HttpRequest) -> HttpResponseBase:
    """With a kind: the file, or the form again with what is wrong. An empty field is one left out."""
    filled = [(name, value) for name, values in request.GET.lists() for value in values if value]
    given = QueryDict(urlencode(filled), mutable=True)
    if "kind" not in given:
        return form(request)
    kind, name = KINDS.get(given.pop("kind")[-1]), given.pop("format", ["csv"])[-1]
    if kind is None or name not in FORMATS:
        return form(request, ["Choose what to export, and as which kind of file."])
    try:
        return sent(request, export_of(kind, request.user, given), FORMATS[name])
    except Problem as problem:
        if problem.status_code == 404:
            raise Http404 from None
        return form(request, [fault.detail for fault in problem.faults])
    except Refused as refused:
        return form(request, [f"{refused.message[:1].upper()}{refused.message[1:]}."])


def sent(request: HttpRequest, export: Export, form_of_file: Format) -> HttpResponseBase:
    """The file, unless this visitor took too many within a minute."""
    head = request.method == "HEAD"
    if head or not (wait := seconds_to_wait(visitor(request).pk)):
        return answer(export, form_of_file, head=head)
    refused = form(request, [f"Those were many exports. The next one can be had in {wait} seconds."], status=429)
    refused["Retry-After"] = str(wait)
    return refused


def form(request: HttpRequest, faults: Sequence[str] = (), *, status: int = 400) -> HttpResponse:
    cells = Position.objects.visible_to(request.user).select_related("portfolio").order_by("portfolio", "symbol", "pk")
    choices = {
        "kinds": KINDS.values(),
        "formats": FORMAT_TITLES,
        "presets": PRESETS,
        "portfolios": Portfolio.objects.visible_to(request.user).order_by("name", "pk"),
        "cells": cells,
    }
    context = {"choices": choices, "chosen": request.GET.dict(), "faults": faults}
    return render(request, "reporting/exports.html", context, status=status if faults else 200)

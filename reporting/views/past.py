"""A cell as it was: cockpit and timeline of a past instant, from which nothing can be done."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime

from portfolios.errors import Refused
from portfolios.models import Event, Position
from reporting.reading import NEW_YORK, market_time
from reporting.selectors.timeline import timeline_of, with_causes
from reporting.selectors.why import asked_why
from trading.past import Past, last_event_at, past_of

LATEST = 6
INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+\+00:00) market time")
Then = Callable[[Position, datetime], dict[str, Any]]
UNREADABLE = "must be a day and a time, such as 2008-01-03T10:00 (New York), or with an offset, from 1900 to 2200"


def past_page(request: HttpRequest, position: Position) -> HttpResponse:
    return page_then(request, "reporting/past.html", {"position": position}, cockpit_then)


def past_timeline(request: HttpRequest, context: dict[str, Any], before: int | None) -> HttpResponse:
    def timeline_then(position: Position, at: datetime) -> dict[str, Any]:
        last = last_event_at(position, at)
        rows = timeline_of(position, context["chosen"], before=before, last=last)
        return {"at": at, "last": last, "timeline": rows, "why": asked_why(position, request.GET.get("why", ""), at)}

    return page_then(request, "reporting/timeline.html", context, timeline_then)


def page_then(request: HttpRequest, template: str, context: dict[str, Any], then: Then) -> HttpResponse:
    """422 with the form kept where there is nothing to show at that instant."""
    given = request.GET.get("as_of", "")
    context = context | {"given": given, "asked": given}
    try:
        instant = instant_in(given)
        context["given"] = typed(instant)
        shown = then(context["position"], instant)
    except Refused as refused:
        return render(request, template, context | {"wrong": in_new_york(refused.message)}, status=422)
    return render(request, template, context | shown)


def cockpit_then(position: Position, at: datetime) -> dict[str, Any]:
    past = past_of(position, at)
    return {"at": at, "last": past.last, "past": past, "events": latest_of(past)}


def in_new_york(message: str) -> str:
    """The sentence of a refusal with its instants as pages show them."""
    return INSTANT.sub(lambda found: f"{market_time(datetime.fromisoformat(found[1]))} New York", message)


def typed(instant: datetime) -> str:
    """As a date-time field has it: New York's time, without an offset."""
    return instant.astimezone(NEW_YORK).replace(tzinfo=None).isoformat(timespec="minutes")


def instant_in(text: str) -> datetime:
    """Without an offset it is New York's time, as pages show it. Raises Refused."""
    try:
        instant = parse_datetime(text)
    except ValueError:
        instant = None
    if instant is None or not 1900 <= instant.year <= 2200:
        raise Refused("invalid_parameters", UNREADABLE, field="as_of")
    return instant if instant.tzinfo else instant.replace(tzinfo=NEW_YORK)


def latest_of(past: Past) -> list[Any]:
    """The newest events of then, each beside its cause."""
    log = Event.objects.of(past.position).filter(seq__lte=past.last.seq)
    return with_causes(past.position, list(log.order_by("-seq")[:LATEST]))

"""A cell as it was: the cockpit of a past instant, from which nothing can be done."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime

from portfolios.errors import Refused
from portfolios.models import Event, Position
from reporting.reading import NEW_YORK
from reporting.selectors.timeline import with_causes
from trading.past import Past, past_of

LATEST = 6
UNREADABLE = "must be a day and a time, such as 2008-01-03T10:00 (New York), or with an offset, from 1900 to 2200"


def past_page(request: HttpRequest, position: Position) -> HttpResponse:
    """422 with the form kept where there is nothing to show at that instant."""
    given = request.GET.get("as_of", "")
    context: dict[str, Any] = {"position": position, "given": given}
    try:
        instant = instant_in(given)
        context["given"] = typed(instant)
        past = past_of(position, instant)
    except Refused as refused:
        return render(request, "reporting/past.html", context | {"wrong": refused.message}, status=422)
    return render(request, "reporting/past.html", context | {"past": past, "events": latest_of(past)})


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

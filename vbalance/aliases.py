"""Addresses of the first architecture, without /v1: they still answer, and say where to go."""

from functools import wraps
from typing import Any, Protocol
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.vary import vary_on_headers

from reporting.views.cells import cockpit
from trading.api.callback import OrderCallback
from trading.api.evaluation import Evaluate
from trading.api.events import Events
from trading.api.positions import PositionDetail
from vbalance.metrics import Metrics

DEPRECATED_SINCE = "@1795132800"  # 2026-11-20, as RFC 9745 writes it


class View(Protocol):
    def __call__(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase: ...


def deprecated(view: View, successor: str) -> View:
    """The same door under its old address, with the headers that name the new one."""

    @csrf_exempt  # the door behind it checks, as it does under its own address
    @wraps(view, updated=())  # without its attributes the schema leaves the old address out
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        response = view(request, **kwargs)
        response["Deprecation"] = DEPRECATED_SINCE
        response["Link"] = f'<{successor.format(**kwargs)}>; rel="successor-version"'
        return response

    return answer


events = deprecated(Events.as_view(), "/v1/events")
metrics = deprecated(Metrics.as_view(), "/v1/metrics")
evaluate = deprecated(Evaluate.as_view(), "/v1/positions/{public_id}/evaluate")
callback = deprecated(OrderCallback.as_view(), "/v1/orders/callback")
position_json = deprecated(PositionDetail.as_view(), "/v1/positions/{public_id}")


@vary_on_headers("Accept", "Authorization")
def position(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """One address, two readers: the page for people, JSON for who asks for it or comes with a token."""
    if asks_for_json(request):
        return position_json(request, public_id=str(public_id))
    return cockpit(request, public_id)


def asks_for_json(request: HttpRequest) -> bool:
    with_token = "Authorization" in request.headers and request.accepts("application/json")
    return with_token or request.get_preferred_type(["text/html", "application/json"]) == "application/json"

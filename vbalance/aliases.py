"""Addresses of the first architecture, without /v1: they still answer, and say where to go."""

from functools import wraps
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from trading.api.evaluation import Evaluate
from trading.api.events import Events
from trading.api.positions import PositionDetail

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
evaluate = deprecated(Evaluate.as_view(), "/v1/positions/{public_id}/evaluate")
position_json = deprecated(PositionDetail.as_view(), "/v1/positions/{public_id}")

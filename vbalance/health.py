"""Is it alive, is it ready, which build is it: doors for load balancers, containers and people in a hurry."""

import time
from collections.abc import Callable
from functools import wraps
from typing import NamedTuple

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from portfolios.api.problems import Problem, as_response
from portfolios.services.guards import log_guards_missing
from trading.market.models import MarketClock, Quote

BEAT_NOTE = "beat-note"
BEAT_LATE_AFTER = 30.0
QUOTE_LATE_AFTER = 60.0
QUEUES = ("price-events", "orders", "dividends", "simulation", "default")


class Part(NamedTuple):
    ok: bool
    detail: str


Door = Callable[[HttpRequest], HttpResponse]


def only_to_look(view: Door) -> Door:
    """Anything but GET and HEAD is a 405: nothing is written here, so nobody needs a CSRF token to be told."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return view(request)
        words = f'Method "{request.method}" not allowed.'
        return as_response(Problem(405, "method_not_allowed", words, headers={"Allow": "GET, HEAD"}))

    return answer


@only_to_look
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@only_to_look
@never_cache
def healthz_v1(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok", "version": "v1"})


@only_to_look
def version(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"version": "v1", "build": settings.BUILD})


@only_to_look
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    parts = examined()
    ready = all(part.ok for part in parts.values())
    body = {
        "status": "ready" if ready else "not ready",
        "parts": {name: part._asdict() for name, part in parts.items()},
    }
    return JsonResponse(body, status=200 if ready else 503)


def examined() -> dict[str, Part]:
    return {name: examine() for name, examine in PARTS.items()}


def queues() -> dict[str, int]:
    """How many bells wait in each queue; nothing while they do not answer."""
    try:
        return waiting_bells()
    except redis.RedisError:
        return {}


def database_part() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return Part(False, _reason(error))
    return Part(True, "answers")


def log_part() -> Part:
    """Whether nobody can change what was written. What is missing is for the runner of the house: it is in his log."""
    try:
        missing = log_guards_missing()
    except DatabaseError as error:
        return Part(False, _reason(error))
    return Part(not missing, f"{len(missing)} guards are missing" if missing else "append-only")


def broker_part() -> Part:
    """How many bells wait: many mean that the workers are behind."""
    try:
        return Part(True, f"{sum(waiting_bells().values())} waiting")
    except redis.RedisError as error:
        return Part(False, _reason(error))


def waiting_bells() -> dict[str, int]:
    """By queue. Raises RedisError when the broker does not answer."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        return {queue: int(client.llen(f"{settings.KEY_PREFIX}{queue}")) for queue in QUEUES}


def beat_part() -> Part:
    """Beat rings, a worker notes it: an old note means that one of the two is gone."""
    try:
        noted = cache.get(BEAT_NOTE)
    except redis.RedisError as error:
        return Part(False, _reason(error))
    if noted is None:
        return Part(False, "has not met a worker yet")
    age = max(0.0, time.time() - float(noted))
    return Part(age <= BEAT_LATE_AFTER, f"{age:.0f} s ago")


def quotes_part() -> Part:
    """How long ago the newest price came in; a market that rests owes us none."""
    try:
        clocks = list(MarketClock.objects.all())
        newest = Quote.objects.order_by("-pk").first()
    except DatabaseError as error:
        return Part(False, _reason(error))
    if clocks and not any(clock.running and not clock.ended for clock in clocks):
        return Part(True, "the replay rests")
    if newest is None:
        return Part(False, "no quote yet")
    age = max(0.0, (timezone.now() - newest.received_at).total_seconds())
    return Part(age <= QUOTE_LATE_AFTER, f"{age:.0f} s ago")


def _reason(error: Exception) -> str:
    """What kind of failure; addresses and user names stay in the log."""
    return f"does not answer ({type(error).__name__})"


PARTS: dict[str, Callable[[], Part]] = {
    "database": database_part,
    "log": log_part,
    "broker": broker_part,
    "beat": beat_part,
    "quotes": quotes_part,
}

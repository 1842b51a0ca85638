"""How much one token or user may ask: reads and writes counted apart, a repeat of an idempotent request as a read."""

import hashlib
import time
from functools import cache
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from redis import Redis, RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from portfolios.models import ApiToken

SAFE = ("GET", "HEAD", "OPTIONS")
KEY_KEPT = 86_400
log = structlog.get_logger("portfolios.throttling")

# Counts one request in one step: as a write, or as a read if it is one or if its key was seen before.
COUNT = """
local counter = 1
if ARGV[1] == 'write' and (not KEYS[3] or redis.call('SET', KEYS[3], 1, 'NX', 'EX', ARGV[4])) then counter = 2 end
local count = redis.call('INCR', KEYS[counter])
if count == 1 then redis.call('EXPIRE', KEYS[counter], ARGV[counter + 1]) end
return {counter, count}
"""


class Count(NamedTuple):
    """What a request was counted as, and the how manieth of its window it is."""

    is_write: bool
    number: int


class WindowThrottle(SimpleRateThrottle):
    """One counter per caller and window of the wall clock. A dead cache lets everybody in rather than nobody."""

    counts_writes: bool
    num_requests: int
    duration: int

    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            count = counted(request, view)
        except RedisError as error:
            log.warning("throttle_out_of_order", error=type(error).__name__)
            return True
        return count.is_write != self.counts_writes or count.number <= self.num_requests

    def wait(self) -> float:
        """Seconds until the next window, never less than one."""
        return max(self.duration - time.time() % self.duration, 1.0)


class ReadThrottle(WindowThrottle):
    scope = "read"
    counts_writes = False


class WriteThrottle(WindowThrottle):
    scope = "write"
    counts_writes = True


class DeliveryThrottle(WriteThrottle):
    """For brokers, who come in bursts; each address for itself, so that nobody uses up what is another's."""

    scope = "delivery"


def counted(request: Request, view: Any) -> Count:
    """Counted once, whichever throttle asks first."""
    if not hasattr(request, "_counted"):
        request._counted = count(request, view)  # type: ignore[attr-defined]
    found: Count = request._counted  # type: ignore[attr-defined]
    return found


def count(request: Request, view: Any) -> Count:
    now, throttles = time.time(), (ReadThrottle(), WriteThrottle())
    windows = [f"{caller(request)}:{now // throttle.duration:.0f}" for throttle in throttles]
    keys = [named(f"{throttle.scope}:{window}") for throttle, window in zip(throttles, windows, strict=True)]
    kind = "read" if request.method in SAFE else "write"
    lives = [throttle.duration + 5 for throttle in throttles]
    counter, number = counting()(keys=keys + keys_of(request, view), args=[kind, *lives, KEY_KEPT])
    return Count(counter == 2, number)


@cache
def counting() -> Any:
    """The script, with this process's connections."""
    return Redis.from_url(settings.REDIS_URL).register_script(COUNT)


def named(key: str) -> str:
    return f"{settings.KEY_PREFIX}throttle:{key}"


def caller(request: Request) -> str:
    if isinstance(request.auth, ApiToken):
        return f"token-{request.auth.pk}"
    return f"user-{request.user.pk}" if request.user.is_authenticated else f"ip-{request.META.get('REMOTE_ADDR')}"


def keys_of(request: Request, view: Any) -> list[str]:
    """None, or that by which a repeat of this request is known."""
    key = request.headers.get("Idempotency-Key", "")
    if not key or request.method not in getattr(view, "idempotent", ()):
        return []
    return [named(f"key:{hashlib.sha256(f'{caller(request)} {request.path} {key}'.encode()).hexdigest()}")]

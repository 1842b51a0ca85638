"""How much one token or user may ask: reads and writes counted apart, a repeat of an idempotent request as a read."""

import hashlib
import time
from typing import Any

import structlog
from django.core.cache import cache
from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from portfolios.models import ApiToken

SAFE = ("GET", "HEAD", "OPTIONS")
log = structlog.get_logger("portfolios.throttling")


class WindowThrottle(SimpleRateThrottle):
    """One counter per caller and window of the wall clock. A dead cache lets everybody in rather than nobody."""

    counts_writes: bool
    num_requests: int
    duration: int

    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            if is_write(request, view) != self.counts_writes:
                return True
            return self.count(caller(request)) <= self.num_requests
        except RedisError as error:
            log.warning("throttle_out_of_order", error=type(error).__name__)
            return True

    def count(self, who: str) -> int:
        key = f"throttle:{self.scope}:{who}:{time.time() // self.duration:.0f}"
        cache.add(key, 0, timeout=self.duration + 5)
        try:
            return int(cache.incr(key))
        except ValueError:  # it ran out, or the cache was emptied, between the two calls
            return 1

    def wait(self) -> float:
        """Seconds until the next window, never less than one."""
        return max(self.duration - time.time() % self.duration, 1.0)


class ReadThrottle(WindowThrottle):
    scope = "read"
    counts_writes = False


class WriteThrottle(WindowThrottle):
    scope = "write"
    counts_writes = True


def caller(request: Request) -> str:
    if isinstance(request.auth, ApiToken):
        return f"token-{request.auth.pk}"
    return f"user-{request.user.pk}" if request.user.is_authenticated else f"ip-{request.META.get('REMOTE_ADDR')}"


def is_write(request: Request, view: Any) -> bool:
    """Decided once per request: a key seen before is a repeat, which writes nothing."""
    if request.method in SAFE:
        return False
    if not hasattr(request, "_is_repeat"):
        request._is_repeat = is_repeat(request, view)  # type: ignore[attr-defined]
    return not request._is_repeat  # type: ignore[attr-defined]


def is_repeat(request: Request, view: Any) -> bool:
    key = request.headers.get("Idempotency-Key", "")
    if not key or request.method not in getattr(view, "idempotent", ()):
        return False
    digest = hashlib.sha256(f"{caller(request)} {request.path} {key}".encode()).hexdigest()
    return not cache.add(f"throttle:key:{digest}", 1, timeout=86_400)

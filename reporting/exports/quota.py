"""Exports are heavy: each person gets so many a minute, on the page and through the API together."""

import math
import time

import structlog
from django.conf import settings
from django.core.cache import cache
from redis import RedisError

WINDOW = 60
log = structlog.get_logger("reporting.exports")


def seconds_to_wait(user_id: int) -> int:
    """Counts one export; 0 for who may have it. A dead cache lets everybody have his."""
    now = time.time()
    key = f"exports:{user_id}:{now // WINDOW:.0f}"
    try:
        cache.add(key, 0, timeout=WINDOW + 5)
        count = cache.incr(key)
    except ValueError:  # it ran out between the two calls
        return 0
    except RedisError as error:
        log.warning("quota_out_of_order", error=type(error).__name__)
        return 0
    return 0 if count <= settings.EXPORTS_A_MINUTE else math.ceil(WINDOW - now % WINDOW)

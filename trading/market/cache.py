"""The newest price of each symbol in the fast store, so that who only looks need not ask the database.

It decides nothing: the robot reads the table, within its transaction. What nobody confirmed for a while is not given
out, and a store that is empty or away is no loss: `trading.market.selectors.latest_quote` then asks the table.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import structlog
from django.conf import settings
from redis import Redis, RedisError

from trading.market.models import Quote
from trading.market.phases import instant, number

GOOD_FOR = 60_000_000  # microseconds since it was put there: a writer may have died between table and cache
KEPT = 2 * 86_400  # seconds after the last price of a source
PATIENCE = 0.5  # seconds
HEARD = "price_stream_heard_at"  # in the house's cache: when the stream of prices last told one
log = structlog.get_logger(__name__)

# Put there only what is newer by market time; the same price again counts as confirmed. One step, whoever is faster.
REMEMBER = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
    local at, told = string.match(known, '^(-?%d+)|[^|]*|(.*)$')
    if tonumber(at) > tonumber(ARGV[2]) then return 0 end
    if tonumber(at) == tonumber(ARGV[2]) and told ~= ARGV[4] then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '|' .. ARGV[3] .. '|' .. ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""


def remember_newest(quote: Quote) -> bool:
    """Whether it is the newest now. Call it when the quote is committed; a store that is away is only logged."""
    told = "|".join(str(value or 0) for value in (quote.last, quote.bid, quote.ask, number(quote.received_at)))
    values = [quote.symbol, number(quote.at), number(datetime.now(UTC)), told, KEPT]
    try:
        return bool(remembering()(keys=[key_of(quote.source)], args=values))
    except RedisError as error:
        log.warning("newest_quote_not_kept", symbol=quote.symbol, source=quote.source, error=type(error).__name__)
        return False


def newest(source: str, symbol: str) -> Quote | None:
    """As it was put there, by the table's own values (no primary key). None: ask the table."""
    try:
        found: Any = store().hget(key_of(source), symbol)
    except RedisError as error:
        log.warning("newest_quote_unknown", symbol=symbol, source=source, error=type(error).__name__)
        return None
    return quote_in(found.decode(), source, symbol) if found else None


def quote_in(text: str, source: str, symbol: str) -> Quote | None:
    at, put, last, bid, ask, received = map(int, text.split("|"))
    if not 0 <= number(datetime.now(UTC)) - put <= GOOD_FOR:
        return None
    return Quote(
        symbol=symbol,
        source=source,
        at=instant(at),
        last=last,
        bid=bid or None,
        ask=ask or None,
        received_at=instant(received),
    )


def forget_all() -> None:
    """What the table no longer has is not to be given out: each price to come is written anew."""
    for key in store().scan_iter(match=key_of("*")):
        store().delete(key)


def key_of(source: str) -> str:
    return f"{settings.KEY_PREFIX}newest:{source}"


@cache
def store() -> Redis:
    """With this process's connections."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


@cache
def remembering() -> Any:
    return store().register_script(REMEMBER)

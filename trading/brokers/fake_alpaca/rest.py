"""The fake's answers over HTTP about orders and fills, and what its doors do before: keys, faults, refusals."""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from aiohttp import web

from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.faults import Faults
from trading.brokers.fake_alpaca.orders import BAD_REQUEST, NOT_FOUND, Order, Problem, stamp

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BOOK: web.AppKey[Book] = web.AppKey("book", Book)
FAULTS: web.AppKey[Faults] = web.AppKey("faults", Faults)
KEYS: web.AppKey[tuple[str, str]] = web.AppKey("keys", tuple)
HANG: web.AppKey[list[float]] = web.AppKey("hang", list)
ASKED: web.AppKey[list[str]] = web.AppKey("asked", list)
LIMIT = 200  # questions a minute, as the headers say
UNGUARDED = ("/stream", "/v2/iex", "/v2/sip", "/v2/test")  # their keys come in a message


def answer(body: Any, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body), status=status, content_type="application/json")


@web.middleware
async def doors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keys, then the fault that is scripted, then the answer, a refusal in the vendor's words."""
    if request.path in UNGUARDED:
        return await handler(request)
    given = tuple(request.headers.get(f"APCA-API-{name}", "") for name in ("KEY-ID", "SECRET-KEY"))
    if given != request.app[KEYS]:
        return limited(answer({"message": "forbidden."}, 403))
    request.app[ASKED].append(f"{request.method} {request.path}")
    fault = request.app[FAULTS].draw(f"{request.method} {request.path}")
    return limited(await faulty(fault, request, handler) if fault else await plain(request, handler))


async def plain(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        return answer({"code": problem.code, "message": problem.message}, problem.status)
    except web.HTTPNotFound:
        return answer({"code": NOT_FOUND, "message": "endpoint not found."}, 404)


async def faulty(fault: str, request: web.Request, handler: Handler) -> web.StreamResponse:
    """`after`: it is done, and nobody is told; `before`: nothing is done."""
    kind, _, when = fault.partition(" ")
    if kind == "429":
        return answer({"code": 42910000, "message": "rate limit exceeded"}, 429)
    done = await plain(request, handler) if when != "before" and kind != "500" else None
    if kind == "timeout":
        await asyncio.sleep(request.app[HANG][0])
        return answer({}, 504)
    if kind in ("504", "500", "html"):
        page = "<html><body>Gateway Time-out</body></html>"
        return web.Response(text=page, status=403 if kind == "html" else int(kind), content_type="text/html")
    if kind == "cut":
        return await cut_off(request)
    if kind in ("drip", "flood"):
        return await without_end(request, kind, request.app[HANG][0])
    if kind == "garbage" and isinstance(done, web.Response):
        return web.Response(text=(done.text or "")[:20] + '"NaN', content_type="application/json")
    return web.Response(text="", content_type="application/json")


async def cut_off(request: web.Request) -> web.StreamResponse:
    """More is promised than comes."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"id": "')
    if request.transport:
        request.transport.close()
    return response


async def without_end(request: web.Request, kind: str, seconds: float) -> web.StreamResponse:
    """Byte by byte so that there is always another one, or as much as the line takes; cut off at last."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    until = asyncio.get_running_loop().time() + seconds * 3
    with contextlib.suppress(ConnectionError):
        while asyncio.get_running_loop().time() < until:
            await response.write(b" " if kind == "drip" else b" " * 65_536)
            await asyncio.sleep(0.05 if kind == "drip" else 0)
    return response


def limited(response: web.StreamResponse) -> web.StreamResponse:
    if response.prepared:
        return response
    left = 0 if response.status == 429 else LIMIT - 1
    response.headers.update({"X-RateLimit-Limit": str(LIMIT), "X-RateLimit-Remaining": str(left)})
    response.headers["X-RateLimit-Reset"] = str(int(time.time()) + 1)
    return response


async def body_of(request: web.Request) -> Any:
    try:
        return json.loads(await request.read() or b"{}", parse_float=Decimal)
    except ValueError:
        raise Problem(400, 40_010_000, "request body format is invalid") from None


async def post_order(request: web.Request) -> web.Response:
    """The answer shows it as it was entered; what becomes of it is told later."""
    book = request.app[BOOK]
    order = book.submit(await body_of(request))
    told = book.wire(order)
    asyncio.get_running_loop().call_soon(book.live, order)
    return answer(told)


async def list_orders(request: web.Request) -> web.Response:
    book, query = request.app[BOOK], request.query
    wanted = {"open": True, "closed": False}.get(query.get("status", "open"))
    found = [one for one in book.orders.values() if wanted is None or one.works == wanted]
    if symbols := query.get("symbols"):
        found = [one for one in found if one.symbol in symbols.split(",")]
    after, until = moment(query.get("after")), moment(query.get("until"))
    found = [
        one for one in found if (not after or one.submitted_at > after) and (not until or one.submitted_at < until)
    ]
    found.sort(key=lambda one: one.submitted_at, reverse=query.get("direction", "desc") == "desc")
    return answer([book.wire(one) for one in found[: int(query.get("limit", "50"))]])


async def named_order(request: web.Request) -> web.Response:
    book = request.app[BOOK]
    return answer(book.wire(book.named(request.query.get("client_order_id", ""))))


def order_of(request: web.Request) -> tuple[Book, Order]:
    book = request.app[BOOK]
    return book, book.with_id(request.match_info["order_id"])


async def get_order(request: web.Request) -> web.Response:
    book, order = order_of(request)
    return answer(book.wire(order))


async def cancel_order(request: web.Request) -> web.Response:
    book, order = order_of(request)
    book.cancel(order)
    return web.Response(status=204)


async def cancel_all(request: web.Request) -> web.Response:
    book = request.app[BOOK]
    working = [one for one in book.orders.values() if one.works]
    for order in working:
        book.cancel(order)
    return answer([{"id": one.id, "status": 200} for one in working], 207)


async def replace_order(request: web.Request) -> web.Response:
    book, order = order_of(request)
    return answer(book.wire(book.replace(order, await body_of(request))))


def whole_number(request: web.Request, name: str, otherwise: int) -> int:
    text = request.query.get(name) or str(otherwise)
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Problem(400, 40_010_001, f"invalid {name}")
    return int(text)


def day_in(request: web.Request, name: str, otherwise: date) -> date:
    try:
        return date.fromisoformat((request.query.get(name) or otherwise.isoformat())[:10])
    except ValueError:
        raise Problem(422, BAD_REQUEST, f"{name} is no day") from None


def moment(text: str | None) -> str:
    """An instant as our stamps word it, so that they compare; a day is its beginning."""
    if not text:
        return ""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(422, 40_010_001, f"{text} is no time") from None
    return stamp(found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC))


ROUTES = (
    web.post("/v2/orders", post_order),
    web.get("/v2/orders", list_orders),
    web.delete("/v2/orders", cancel_all),
    web.get("/v2/orders:by_client_order_id", named_order),
    web.get("/v2/orders/{order_id}", get_order),
    web.delete("/v2/orders/{order_id}", cancel_order),
    web.patch("/v2/orders/{order_id}", replace_order),
)

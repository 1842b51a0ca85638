"""Corporate actions of the fake: announced over HTTP, and carried out in its own book on their days."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from aiohttp import web

from trading.brokers.fake_alpaca.activities import CENT, book_activity, charge_fees, day_of
from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.days import market_day
from trading.brokers.fake_alpaca.entries import DIVIDEND, PLURALS, Action
from trading.brokers.fake_alpaca.orders import BAD_REQUEST, ZERO, Order, Problem, said
from trading.brokers.fake_alpaca.rest import BOOK, answer, day_in, whole_number

GRAIN = Decimal("1e-9")  # of a share
REASON = "CORPORATE_ACTION"


def carry_out(book: Book) -> None:
    """What is due by today in New York: entitlements first, then splits, then payments; yesterday's fees last."""
    today = market_day(book.wall())
    text = today.isoformat()
    for action in book.actions:
        if action.kind == DIVIDEND and action.entitled is None and action.ex_date <= text:
            action.entitled = held_before(book, action)
            book.save()
    for action in book.actions:
        if not action.done and action.process_date <= text:
            action.done = True
            (pay if action.kind == DIVIDEND else split)(book, action)
            book.save()
    charge_fees(book, today)


def held_before(book: Book, action: Action) -> Decimal:
    """Shares at the close before the ex-date: a minute after midnight some may have been traded."""
    since = [row for row in book.activities if row["activity_type"] == "FILL" and row["symbol"] == action.symbol]
    later = (row for row in since if day_of(row) >= action.ex_date)
    traded = sum((Decimal(row["qty"]) * (1 if row["side"] == "buy" else -1) for row in later), ZERO)
    return book.held.get(action.symbol, ZERO) - traded


def pay(book: Book, action: Action) -> None:
    """In cents, as money is paid; the tax that is kept is a line of its own, and none below a cent."""
    held, day = action.entitled or ZERO, date.fromisoformat(action.payable_date)
    gross = (held * action.rate).quantize(CENT, ROUND_HALF_UP)
    if not gross:
        return
    words = f"Cash DIV @ {said(action.rate)}, Pos QTY: {said(held)}, Rec Date: {action.ex_date}"
    more: dict[str, Any] = {"activity_sub_type": "CDIV", "per_share_amount": said(action.rate), "description": words}
    book_activity(book, "DIV", amount=gross, day=day, symbol=action.symbol, **more)
    tax = (gross * action.withheld).quantize(CENT, ROUND_HALF_UP)
    if tax:
        words = f"DIV tax withholding on ${said(gross)} at {said(action.withheld * 100)}%"
        book_activity(book, "DIVNRA", amount=-tax, day=day, symbol=action.symbol, description=words)


def split(book: Book, action: Action) -> None:
    """Shares, their cost, a scripted price, and open orders. What cannot be held in parts is paid out."""
    ratio, symbol, day = action.new_rate / action.old_rate, action.symbol, date.fromisoformat(action.ex_date)
    if symbol in book.prices.told:
        book.prices.told[symbol] /= ratio
    if symbol in book.cost:
        book.cost[symbol] /= ratio
    change_orders(book, symbol, ratio)
    before = held_before(book, action)
    if not before:
        return
    after = (before * ratio).quantize(GRAIN)
    kept = after if book.assets.wire(symbol)["fractionable"] else after // 1
    name = "FSPLIT" if action.kind == "forward_split" else "RSPLIT"
    words = f"From QTY:-{said(before)}, To QTY:{said(kept)}"
    for verb, shares in (("REMOVE", -before), ("ADD", kept)):
        text = f"{verb}, {words}"
        book_activity(book, "SPLIT", day=day, symbol=symbol, shares=shares, activity_sub_type=name, description=text)
    if after > kept:
        paid = ((after - kept) * book.prices.price(symbol)).quantize(CENT, ROUND_HALF_UP)
        book_activity(book, "CIL", amount=paid, day=day, symbol=symbol, description="Cash in lieu of a fraction")


def change_orders(book: Book, symbol: str, ratio: Decimal) -> None:
    """Those until cancelled: a reverse split cancels them, a forward one restates limits to buy, and no other."""
    for order in list(book.orders.values()):
        if not (order.works and order.symbol == symbol and order.time_in_force == "gtc"):
            continue
        if ratio < 1:
            book.become(order, "canceled", reason=REASON)
        elif order.side == "buy" and order.limit_price:
            restate(book, order, ratio)


def restate(book: Book, order: Order, ratio: Decimal) -> None:
    assert order.limit_price
    order.qty, order.filled_qty = order.qty * ratio, order.filled_qty * ratio
    order.limit_price = (order.limit_price / ratio).quantize(CENT)
    book.tell(order, "restated")


async def list_actions(request: web.Request) -> web.Response:
    """Between two days of processing, both included; today where none is given. Pages count rows of all kinds."""
    book, query = request.app[BOOK], request.query
    today = market_day(book.wall())
    first, last = day_in(request, "start", today), day_in(request, "end", today)
    symbols = {name for name in query.get("symbols", "").split(",") if name}
    kinds = {name for name in query.get("types", "").split(",") if name} or set(PLURALS)
    if first > last or last - first > timedelta(days=40_000):
        raise Problem(400, BAD_REQUEST, "end should not be before start")
    rows = [
        action
        for action in sorted(book.actions, key=lambda one: (one.process_date, one.symbol, one.id))
        if first.isoformat() <= action.process_date <= last.isoformat()
        and action.kind in kinds
        and (not symbols or action.symbol in symbols)
    ]
    rows = rows[::-1] if query.get("sort") == "desc" else rows
    begin = whole_number(request, "page_token", 0)
    end = begin + min(max(whole_number(request, "limit", 100), 1), 1000)
    told: dict[str, list[dict[str, Any]]] = {}
    for action in rows[begin:end]:
        told.setdefault(PLURALS[action.kind], []).append(action.wire())
    return answer({"corporate_actions": told, "next_page_token": str(end) if end < len(rows) else None})


ROUTES = (web.get("/v1/corporate-actions", list_actions),)

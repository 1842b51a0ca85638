"""What moves money or shares at the fake besides orders: dividends, fees, deposits, splits, each on the list."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from aiohttp import web

from trading.brokers.fake_alpaca.book import Book
from trading.brokers.fake_alpaca.days import market_day
from trading.brokers.fake_alpaca.orders import BAD_REQUEST, SYMBOL, ZERO, Problem, said, stamp
from trading.brokers.fake_alpaca.rest import BOOK, answer, moment

CENT = Decimal("0.01")
TYPES = (
    "FEE",
    "CFEE",
    "CSD",
    "CSW",
    "DIV",
    "DIVNRA",
    "DIVWH",
    "INT",
    "JNLC",
    "SPLIT",
    "CIL",
    "MA",
    "SPIN",
    "NC",
    "PTC",
)
GROUPS = {"TRANS": ("CSD", "CSW"), "trade_activity": ("FILL",)}


def book_activity(
    book: Book,
    kind: str,
    *,
    amount: Decimal = ZERO,
    day: date | None = None,
    symbol: str = "",
    shares: Decimal = ZERO,
    **more: Any,
) -> None:
    """One line of the list, and what it does to cash and shares. Its id begins with its day, not with the instant."""
    at = book.now()
    day = day or market_day(at)
    book.cash += amount
    if shares:
        book.held[symbol] = book.held.get(symbol, ZERO) + shares
        if not book.held[symbol]:
            del book.held[symbol]
    book.activities.append(
        {
            "id": f"{day:%Y%m%d}000000000::{uuid.uuid4()}",
            "account_id": book.account_id,
            "activity_type": kind,
            "date": day.isoformat(),
            "created_at": stamp(at),
            "net_amount": said(amount),
            "description": "",
            "status": "executed",
            "currency": "USD",
            **({"symbol": symbol} if symbol else {}),
            **({"qty": said(shares)} if shares else {}),
            **more,
        }
    )
    book.save()


def read_activities(book: Book, lines: Any) -> None:
    """What a script has happen at once. Raises ValueError, TypeError, ArithmeticError."""
    for line in lines:
        known = {"type", "sub_type", "net_amount", "date", "symbol", "qty", "description"}
        if not isinstance(line, Mapping) or set(line) - known or line.get("type") not in TYPES:
            raise ValueError(f"an activity has {', '.join(sorted(known))}, and a type of {', '.join(TYPES)}")
        amount, shares = Decimal(line.get("net_amount", "0")), Decimal(line.get("qty", "0"))
        symbol = line.get("symbol", "")
        if not (amount.is_finite() and shares.is_finite()) or (symbol and not SYMBOL.fullmatch(symbol)):
            raise ValueError("an activity of no sense")
        if shares and not symbol:
            raise ValueError("shares of nothing")
        more = {"activity_sub_type": line["sub_type"]} if line.get("sub_type") else {}
        day = date.fromisoformat(line["date"]) if line.get("date") else None
        words = str(line.get("description", ""))
        kind = line["type"]
        book_activity(book, kind, amount=amount, day=day, symbol=symbol, shares=shares, description=words, **more)


def charge_fees(book: Book, today: date) -> None:
    """Of each day that is over, once, for all its sales together: no fee names an order."""
    if not (book.fees.reg or book.fees.taf):
        return
    sales = [row for row in book.activities if row["activity_type"] == "FILL" and row["side"] == "sell"]
    for day in sorted({day_of(row) for row in sales} - set(book.fees.charged)):
        if day >= today.isoformat():
            continue
        book.fees.charged.append(day)
        sold = [(Decimal(row["qty"]), Decimal(row["price"])) for row in sales if day_of(row) == day]
        worth, shares = sum((qty * price for qty, price in sold), ZERO), sum((qty for qty, _ in sold), ZERO)
        words = {
            "REG": f"REG fee for proceed of ${worth.quantize(CENT, ROUND_HALF_UP)} on {day}",
            "TAF": f"TAF fee for proceed of {said(shares)} shares ({len(sold)} trades) on {day}",
        }
        for name, fee in (("REG", worth * book.fees.reg), ("TAF", shares * book.fees.taf)):
            if fee:
                charged = -fee.quantize(CENT, ROUND_UP)
                on, text = date.fromisoformat(day), words[name]
                book_activity(book, "FEE", amount=charged, day=on, activity_sub_type=name, description=text)


def day_of(row: Mapping[str, Any]) -> str:
    """Of a fill, in New York."""
    return market_day(datetime.fromisoformat(row["transaction_time"])).isoformat()


async def list_activities(request: web.Request) -> web.Response:
    """By id: what is booked later under an earlier day comes before what was read already."""
    book, query = request.app[BOOK], request.query
    wanted = kinds_asked_for(request.match_info.get("kind", ""), query.get("activity_types"), query.get("category"))
    rows = sorted((row for row in book.activities if wanted(row["activity_type"])), key=lambda row: row["id"])
    after, until = moment(query.get("after")), moment(query.get("until"))
    rows = [row for row in rows if (not after or instant_of(row) > after)]
    rows = [row for row in rows if (not until or instant_of(row) < until)]
    backwards = query.get("direction", "desc") == "desc"
    if token := query.get("page_token"):
        rows = [row for row in rows if (row["id"] < token if backwards else row["id"] > token)]
    rows = rows[::-1] if backwards else rows
    return answer(rows[: min(int(query.get("page_size", "100")), 100)])


def instant_of(row: Mapping[str, Any]) -> str:
    """Of anything but a fill, the beginning of its day."""
    found = row.get("transaction_time")
    return str(found) if found else f"{row['date']}T00:00:00.000000Z"


def kinds_asked_for(kind: str, several: str | None, category: str | None) -> Any:
    """By the address, a list, or a category, which does not go with a list. Raises Problem."""
    names = [kind] if kind else (several or "").split(",") if several else []
    if category and names:
        raise Problem(422, BAD_REQUEST, "category and activity types exclude each other")
    if category not in (None, "", "trade_activity", "non_trade_activity"):
        raise Problem(422, BAD_REQUEST, f"invalid category {category}")
    if unknown := [name for name in names if name not in (*TYPES, *GROUPS, "FILL")]:
        raise Problem(422, BAD_REQUEST, f"invalid activity type: {unknown[0]}")
    if category:
        return lambda name: (name == "FILL") == (category == "trade_activity")
    wanted = {one for name in names for one in GROUPS.get(name, (name,))}
    return lambda name: not wanted or name in wanted


ROUTES = (
    web.get("/v2/account/activities", list_activities),
    web.get("/v2/account/activities/{kind}", list_activities),
)

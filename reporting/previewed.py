"""A preview as people read it: one sentence, both sides beside each other, the orders that differ. Pure.

Money in micros.
"""

from datetime import datetime
from typing import NamedTuple

from portfolios.domain.amounts import PPM
from reporting.reading import NEW_YORK, market_date, money, percent, shares, signed_money, tone
from trading.simulation.preview import Changed, Preview

WORDS = {"added": "added", "removed": "removed", "resized": "resized"}


class Figure(NamedTuple):
    title: str
    now: str
    new: str
    change: str
    tone: str


class Line(NamedTuple):
    at: datetime
    what: str
    side: str
    before: str
    after: str
    price: str


class Told(NamedTuple):
    """seal: what the button that saves must bring back."""

    sentence: str
    span: str
    beside: str
    figures: list[Figure]
    lines: list[Line]
    unlisted: int
    changed: int
    seal: str
    found: Preview


def told(found: Preview) -> Told:
    changed = len(found.changed) + found.unlisted
    lines = [line_of(row) for row in found.changed]
    figures = figures_of(found)
    return Told(
        sentence_of(found), span_of(found), beside_of(found), figures, lines, found.unlisted, changed, found.seal, found
    )


def sentence_of(found: Preview) -> str:
    now, new, counts = found.now, found.new, found.counts
    if now == new and not (counts["added"] or counts["removed"] or counts["resized"]):
        return f"Nothing would have been different: {orders(now.orders)}, {money(now.value)} at the end either way."
    gap = new.value - now.value
    worth = f"{money(abs(gap))} {'more' if gap > 0 else 'less'} than" if gap else "as much as"
    differing = ", ".join(f"{counts[name]} {word}" for name, word in WORDS.items() if counts[name])
    return (
        f"With these settings the cell would be worth {money(new.value)}, {worth} with those in force now, "
        f"after {orders(new.orders)} instead of {now.orders}: {differing or 'the same ones, at other costs'}."
    )


def orders(count: int) -> str:
    return "no order" if count == 0 else "1 order" if count == 1 else f"{count} orders"


def span_of(found: Preview) -> str:
    prices = "1 price" if found.quotes == 1 else f"{found.quotes:,} prices"
    return f"{prices} from {day_of(found.first)} to {day_of(found.last)}"


def day_of(at: datetime) -> str:
    return market_date(at.astimezone(NEW_YORK))


def beside_of(found: Preview) -> str:
    """How far the side that is in force now is what really happened."""
    logged = found.logged
    if logged.agrees:
        return f"The side in force now is the cell's log, order by order: {orders(logged.orders)}."
    when = f", first on {day_of(logged.differs_at)}" if logged.differs_at else ""
    times = "once" if logged.changes == 1 else f"{logged.changes} times"
    why = (
        f"its settings were changed {times} since it was opened"
        if logged.changes
        else "real orders waited, filled in part or at other prices"
    )
    return (
        f"The log itself has {orders(logged.orders)} of the robot and differs from the side in force now{when}: {why}."
    )


def figures_of(found: Preview) -> list[Figure]:
    now, new = found.now, found.new
    amounts = [
        ("Worth at the end", now.value, new.value, 1),
        ("Traded", now.turnover, new.turnover, 0),
        ("Fees", now.fees, new.fees, -1),
        ("Dividends, net", now.dividends, new.dividends, 1),
    ]
    rows = [
        Figure(title, money(a), money(b), signed_money(b - a), tone((b - a) * sign)) for title, a, b, sign in amounts
    ]
    more = new.orders - now.orders
    rows.insert(1, Figure("Orders", str(now.orders), str(new.orders), f"{more:+d}" if more else "0", ""))
    inside = [round(side.guardrail_time * PPM) for side in (now, new)]
    points = (inside[1] - inside[0]) / 10_000
    change = f"{points:+.1f} points" if points else "0"
    rows.append(Figure("Within guardrails", percent(inside[0]), percent(inside[1]), change, ""))
    return rows


def line_of(row: Changed) -> Line:
    before, after = (("" if amount is None else shares(amount)) for amount in (row.before, row.after))
    return Line(row.at, row.what, "Buy" if row.side == "BUY" else "Sell", before, after, money(row.price))

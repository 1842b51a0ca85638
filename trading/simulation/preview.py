"""A change of settings on the cell's own history, before it is saved: the one engine twice, from the same opening.

Both sides are retold with every order filled at once and whole; the log stands beside them and may differ.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from portfolios.domain.chain import canonical_text
from portfolios.domain.holding import Rules, in_lots
from portfolios.domain.settings import SettingError, merge_settings, parse_settings, rules_from, written
from portfolios.errors import Refused
from portfolios.models import Position
from portfolios.selectors import default_buffer, effective_rules, given_in
from portfolios.services.settings import number_of
from trading.market.phases import instant
from trading.models import Order
from trading.simulation.bars import EPOCH
from trading.simulation.engine import FLOW
from trading.simulation.machine import compiled
from trading.simulation.own_past import LONG, Past, past_of, stage_under
from trading.simulation.runs import (
    CannotRun,
    Run,
    as_written,
    day_ends,
    fills_of,
    guardrail_time,
    run,
    totals_of,
    value_at_end,
)
from trading.timeline.events import settings_changes

MOST_LISTED = 50
SEAL = re.compile(r"\d{1,9}\.\d{1,9}\.[0-9a-f]{64}", re.ASCII)
ADDED, REMOVED, RESIZED = "added", "removed", "resized"


class Side(NamedTuple):
    """One way through the cell's life, in micros; guardrail_time is the part of its sessions that closed within."""

    value: int
    orders: int
    turnover: int
    guardrail_time: float
    fees: int
    dividends: int


class Changed(NamedTuple):
    """An order that is another one, at a quote. before, after: quantity in micros, None where there is none."""

    at: datetime
    what: str
    side: str
    before: int | None
    after: int | None
    price: int


class Logged(NamedTuple):
    """The robot's filled orders in the log beside those of the retelling under the settings in force now.

    differs_at: the quote of the first that is not the same. changes: how often its settings changed in its life.
    """

    orders: int
    differs_at: datetime | None
    agrees: bool
    changes: int


class Preview(NamedTuple):
    """given: the settings as files keep them; seal: names them and the versions they were compared with.

    worths: at each session's close what the cell was worth on either side (micros).
    """

    given: dict[str, str | bool | None]
    seal: str
    first: datetime
    last: datetime
    quotes: int
    now: Side
    new: Side
    counts: Mapping[str, int]
    changed: list[Changed]
    logged: Logged
    days: list[date]
    worths: tuple[list[int], list[int]]

    @property
    def unlisted(self) -> int:
        return self.counts[ADDED] + self.counts[REMOVED] + self.counts[RESIZED] - len(self.changed)


def preview(position: Position, given: Mapping[str, Any], most: int = MOST_LISTED) -> Preview:
    """Needs the settings of portfolio and cell selected with it. Writes nothing.

    Raises Refused: invalid_setting (422) naming the field; nothing_to_preview, cannot_preview (409) with the reason.
    """
    try:
        parsed = parse_settings(given)
        merged = merge_settings(given_in(position.portfolio.settings_version), parsed)
    except SettingError as error:
        raise Refused("invalid_setting", error.message, field=f"settings/{error.field}") from error
    typed = in_lots(rules_from(merged, default_buffer=default_buffer(position.portfolio)), position.lot)
    try:
        past = past_of(position)
        now = retold(past, effective_rules(position).rules, position.portfolio.paper_slippage, "in force now")
        new = retold(past, typed, position.portfolio.paper_slippage, "typed") if typed != now.rules else now
    except CannotRun as error:
        raise Refused("cannot_preview", str(error), status=409) from error
    counts, changed = orders_changed(past, now, new, most)
    return Preview(
        written(parsed),
        seal_of(position, written(parsed)),
        instant(int(past.quotes.at[0])),
        instant(int(past.quotes.at[-1])),
        len(past.quotes.at),
        side_of(now),
        side_of(new),
        counts,
        changed,
        beside_the_log(position, past, now),
        [EPOCH + timedelta(days=day) for day in now.stage.points.days[now.ends].tolist()],
        (now.daily[:, 0].tolist(), new.daily[:, 0].tolist()),
    )


def retold(past: Past, rules: Rules, slippage: int, which: str) -> Run:
    """Raises CannotRun, also where money or shares were taken out that this cell would not have had."""
    by = as_written if len(past.quotes.at) < LONG else compiled
    done = run(stage_under(past, rules), rules, past.start, slippage, count_skips=False, by=by, ends_of=day_ends)
    short = done.outcome.steps[(done.outcome.steps[:, 1] == FLOW) & (done.outcome.steps[:, 7:9] < 0).any(axis=1)]
    if len(short):
        place = min(max(int(short[0, 0]) - 2, 0), len(past.days) - 1)
        day = EPOCH + timedelta(days=int(past.days[place]))
        raise CannotRun(f"Under the settings {which} the cell would not have had what was taken out after {day}.")
    return done


def side_of(done: Run) -> Side:
    totals = totals_of(done)
    return Side(
        value_at_end(done), totals.trades, totals.traded, guardrail_time(done), totals.fees, totals.dividends_net
    )


def orders_changed(past: Past, now: Run, new: Run, most: int) -> tuple[dict[str, int], list[Changed]]:
    """Matched by quote and side. How many are added, removed, resized and the same, and the first ones of the three."""
    before, after = fills_of(now.outcome), fills_of(new.outcome)
    old_keys, new_keys = keys_of(before), keys_of(after)
    _, kept, still = np.intersect1d(old_keys, new_keys, assume_unique=True, return_indices=True)
    other = before[kept, 3] != after[still, 3]
    gone = np.setdiff1d(np.arange(len(before)), kept)
    come = np.setdiff1d(np.arange(len(after)), still)
    found = [(ADDED, None, after[row]) for row in come[:most]]
    found += [(REMOVED, before[row], None) for row in gone[:most]]
    found += [(RESIZED, before[a], after[b]) for a, b in zip(kept[other][:most], still[other][:most], strict=True)]
    listed = sorted((changed_at(past, *row) for row in found), key=lambda row: (row.at, row.side, row.what))[:most]
    counts = {ADDED: len(come), REMOVED: len(gone), RESIZED: int(other.sum()), "same": len(kept) - int(other.sum())}
    return counts, listed


def keys_of(fills: np.ndarray) -> np.ndarray:
    keys: np.ndarray = fills[:, 0] * 2 + (fills[:, 3] > 0)
    return keys


def changed_at(past: Past, what: str, before: np.ndarray | None, after: np.ndarray | None) -> Changed:
    told = after if after is not None else before
    assert told is not None
    return Changed(
        instant(int(past.quotes.at[int(told[0]) - 1])),
        what,
        "BUY" if told[3] > 0 else "SELL",
        None if before is None else abs(int(before[3])),
        None if after is None else abs(int(after[3])),
        int(told[4]),
    )


def beside_the_log(position: Position, past: Past, now: Run) -> Logged:
    """Compares quote, quantity, amount and fee of each order, in order."""
    rows = Order.objects.filter(position=position, origin=Order.Origin.ROBOT, filled_quantity__gt=0).order_by("pk")
    log = [
        (at, quantity if side == "BUY" else -quantity, notional, fee)
        for at, side, quantity, notional, fee in rows.values_list(
            "quote_at", "side", "filled_quantity", "notional", "fee"
        )
    ]
    fills = fills_of(now.outcome)
    at = past.quotes.at[fills[:, 0] - 1].tolist()
    told = [(instant(moment), *rest) for moment, rest in zip(at, map(tuple, fills[:, [3, 5, 6]].tolist()), strict=True)]
    same = next(
        (place for place, (a, b) in enumerate(zip(log, told, strict=False)) if a != b), min(len(log), len(told))
    )
    agrees = same == len(log) == len(told)
    ends = [rows[same][0] for rows in (log, told) if same < len(rows) and rows[same][0]]
    changes = [event for event in settings_changes(position) if event.pk > past.opened]
    return Logged(len(log), min(ends, default=None), agrees, len(changes))


def seal_of(position: Position, given: Mapping[str, Any]) -> str:
    """Versions of the cell's and its portfolio's settings, and the hash of what would be saved over them."""
    return sealed(position, number_of(position), number_of(position.portfolio), given)


def sealed(position: Position, own: int, above: int, given: Mapping[str, Any]) -> str:
    text = canonical_text({"cell": str(position.public_id), "own": own, "above": above, "given": dict(given)})
    return f"{own}.{above}.{hashlib.sha256(text.encode()).hexdigest()}"


def opened(seal: str, position: Position, given: Mapping[str, Any]) -> tuple[int, int]:
    """The versions, own and above, over which exactly these settings were previewed. Raises Refused: not_previewed."""
    if SEAL.fullmatch(seal):
        own, above, _ = seal.split(".")
        if seal == sealed(position, int(own), int(above), written(parse_settings(given))):
            return int(own), int(above)
    raise Refused("not_previewed", "what is typed is not what was previewed; preview it again", status=422)

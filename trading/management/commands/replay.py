"""Runs a cell's recorded quotes and cash flows through the engine and compares every decision with the log.

Exit 0: all equal. 1: the first difference is told. 2: no such cell. Writes nothing.
"""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from portfolios.domain.amounts import as_text
from portfolios.models import Position
from portfolios.services.rule_version import rule_version
from trading.simulation.remains import Remains
from trading.simulation.replay import Replayed, replay

BAD_INPUT = 2
COMPARED = ("looks", "decisions", "facts", "fills", "missed", "waited")
PARTS = ("simulated", "partial", "delay", "slippage", "fees", "real", "rest")
WIDTH = 12


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--position", required=True, metavar="ID", help="of the cell, as its page shows it")
        parser.add_argument("--json", action="store_true", help="one object, with a row for each order")

    def handle(self, *_args: Any, **options: Any) -> None:
        found = replay(asked_for(options["position"]))
        self.stdout.write(json.dumps(as_json(found)) if options["json"] else in_words(found))
        if not found.is_equal:
            raise CommandError("the replay differs from the log", returncode=1)


def asked_for(text: str) -> Position:
    try:
        public_id = UUID(text)
    except ValueError:
        raise CommandError(f"--position: must be the ID of a cell, not {text[:60]!r}", returncode=BAD_INPUT) from None
    rows = Position.objects.select_related("portfolio__settings_version", "portfolio__account", "settings_version")
    position = rows.filter(public_id=public_id).first()
    if position is None:
        raise CommandError(f"--position: there is no cell {public_id}", returncode=BAD_INPUT)
    return position


def as_json(found: Replayed) -> dict[str, Any]:
    """All amounts as text."""
    return {
        "position": str(found.position.public_id),
        "symbol": found.position.symbol,
        "equal": found.is_equal,
        "compared": {name: getattr(found, name) for name in COMPARED},
        "rule_version": rule_version(),
        "rule_versions_in_log": found.versions,
        "broken_links": found.broken,
        "difference": found.difference._asdict() if found.difference else None,
        "shares": as_text(found.holding.shares),
        "cash": as_text(found.holding.cash),
        "receivable": as_text(found.holding.receivable),
        "anchor": as_text(found.holding.anchor),
        "orders": [in_json(row) for row in found.remains],
        "sums": {name: as_text(total(found.remains, name)) for name in PARTS},
    }


def in_json(row: Remains) -> dict[str, Any]:
    amounts = {name: as_text(getattr(row, name)) for name in ("ordered", "filled", *PARTS)}
    return {"event": row.seq, "side": row.side} | amounts


def total(rows: list[Remains], name: str) -> int:
    return sum(getattr(row, name) for row in rows)


def in_words(found: Replayed) -> str:
    lines = [
        f"{found.position.symbol} {found.position.public_id}: {found.looks} looks, {found.decisions} decisions, "
        f"{found.facts} other events and {found.fills} fills compared field by field",
        *versions_in_words(found),
        *(f"  {problem}" for problem in found.broken[:10]),
    ]
    if found.missed:
        lines.append(f"  {found.missed} looks left out: the robot came too late, a newer price was there")
    if found.waited:
        lines.append(f"  {found.waited} looks at which nothing was decided: the gap overnight was not explained yet")
    if found.difference:
        lines += difference_in_words(found)
    elif not found.broken:
        lines.append(f"  all equal, to the end: {held_in_words(found)}")
    return "\n".join([*lines, *table(found.remains)])


def held_in_words(found: Replayed) -> str:
    holding = found.holding
    return (
        f"{as_text(holding.shares)} shares, {as_text(holding.cash)} in cash, {as_text(holding.receivable)} to come, "
        f"anchor {as_text(holding.anchor)}"
    )


def versions_in_words(found: Replayed) -> list[str]:
    """The rule that decided, wherever it was not the one that runs."""
    others = {version: count for version, count in found.versions.items() if version != rule_version()}
    return [
        f"  {count} events were written under rule version {version[:12]}; {rule_version()[:12]} is running, and "
        "compared all the same"
        for version, count in others.items()
    ]


def difference_in_words(found: Replayed) -> list[str]:
    row = found.difference
    if row is None:
        return []
    where = f"event {row.seq}, {row.type}" if row.seq else row.type
    return [
        f"  FIRST DIFFERENCE at {row.at} ({where}): {row.field}",
        f"    log     {row.log}",
        f"    replay  {row.replay}",
        f"    why     {row.why}",
    ]


def table(rows: list[Remains]) -> list[str]:
    """Simulated and real cost of each order, and what lies between; a cost is above zero."""
    if not rows:
        return ["  no order of the robot's has left yet"]
    cells = [(str(row.seq), row.side, *(money(getattr(row, name)) for name in PARTS)) for row in rows]
    sums = ("sum", "", *(money(total(rows, name)) for name in PARTS))
    return ["", *("  ".join(text.rjust(WIDTH) for text in line) for line in (("event", "side", *PARTS), *cells, sums))]


def money(amount: int) -> str:
    """At least two places, never fewer than there are."""
    whole, _, places = as_text(amount).partition(".")
    return f"{whole}.{places:0<2}"

"""How it goes, on one screen: readiness, cells, orders, profit and loss, queue and quotes."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand

from portfolios.models import FailedTask, Position
from reporting.reading import money, percent, shares, signed_money, signed_percent
from reporting.selectors.cells import Cell, cells_of
from reporting.selectors.overview import nearness, totals_of
from trading.market.models import MarketClock
from trading.models import Order
from vbalance.health import PARTS, Part

CELLS_SHOWN = 10


class Command(BaseCommand):
    help = "Cells, open orders, profit and loss, queue and quote age in at most 20 lines; exit code 1 when not ready."
    requires_system_checks = []

    def handle(self, **_options: Any) -> None:
        with suppress(BrokenPipeError):  # `status | head` is a fine way to read it
            self.show()

    def show(self) -> None:
        parts = examined()
        ready = all(part.ok for part in parts.values())
        self.line(
            "ready" if ready else "NOT READY", " · ".join(f"{name} {part.detail}" for name, part in parts.items())
        )
        if parts["database"].ok:
            for name, text in facts():
                self.line(name, text)
        if not ready:
            raise SystemExit(1)

    def line(self, name: str, text: str) -> None:
        self.stdout.write(f"{name:<12}{text}")


def examined() -> dict[str, Part]:
    """Every part, or the database alone when it does not answer: the others would only say the same."""
    database = PARTS["database"]()
    if not database.ok:
        return {"database": Part(False, f"{database.detail}; start the house with ./run")}
    return {name: examine() for name, examine in PARTS.items()}


def facts() -> Iterator[tuple[str, str]]:
    positions = Position.objects.exclude(state=Position.Status.CLOSED)
    positions = positions.select_related("portfolio__settings_version", "settings_version")
    cells = sorted(cells_of(list(positions)), key=nearness)
    totals = totals_of(cells)
    for clock in MarketClock.objects.order_by("source"):
        walk = "at its end" if clock.ended else "running" if clock.running else "paused"
        yield "market", f"{clock.source}: {clock.day or 'not begun'} {clock.phase}, {walk}"
    yield "value", f"{money(totals.value)}, {money(totals.cash)} of it cash, {money(totals.owed)} dividends owed"
    yield "profit", f"{signed_money(totals.change)} ({signed_percent(totals.change_ppm)}) against being left alone"
    yield "orders", f"{Order.objects.open().count()} open"
    yield "failed", f"{FailedTask.objects.filter(replayed_at=None).count()} tasks wait for a person"
    yield "cells", str(len(cells))
    for cell in cells[:CELLS_SHOWN]:
        yield "", cell_line(cell)


def cell_line(cell: Cell) -> str:
    position, standing = cell.position, cell.standing
    held = (
        f"{position.symbol:<6}{position.state:<12}{shares(position.shares):>14} shares {money(position.cash):>14} cash"
    )
    if standing is None:
        return f"{held}   no price yet"
    return f"{held}   {percent(standing.stock_share)} in stock, {signed_money(standing.change)}"

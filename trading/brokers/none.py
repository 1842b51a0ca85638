"""No broker at all: the robot proposes, a person trades elsewhere and says how it went."""

from collections.abc import Collection
from datetime import date

from trading.brokers.base import Abilities, Entry, Holdings, OrderRequest, Report, Standing, Traded


class NoBroker:
    grace = 0.0

    def __init__(self, account: str) -> None:
        self.account = account

    def submit(self, request: OrderRequest) -> Report:
        return Report("accepted", note="A person sees to it.")

    def find(self, request: OrderRequest) -> Report | None:
        return Report("accepted")

    def cancel(self, request: OrderRequest) -> Report | None:
        return Report("cancelled")

    def open_orders(self) -> list[Standing]:
        return []

    def fills_since(self, cursor: str) -> tuple[list[Traded], str]:
        return [], cursor

    def holdings(self) -> Holdings | None:
        return None

    def entries_since(self, first: date) -> list[Entry] | None:
        return None

    def abilities(self, symbols: Collection[str]) -> Abilities | None:
        return None

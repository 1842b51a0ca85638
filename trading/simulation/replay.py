"""A live cell once more: its recorded quotes and cash flows through the engine, each decision compared with the log."""

from typing import NamedTuple

from portfolios.domain.holding import Holding
from portfolios.models import Position
from portfolios.services.verification import verify_portfolios
from trading.simulation.comparison import Comparison, Difference
from trading.simulation.remains import Remains, remains_of


class Replayed(NamedTuple):
    """What was compared until the first difference, and what became of the fills. versions: events by rule version."""

    position: Position
    looks: int
    decisions: int
    facts: int
    fills: int
    versions: dict[str, int]
    broken: list[str]
    difference: Difference | None
    holding: Holding
    remains: list[Remains]

    @property
    def is_equal(self) -> bool:
        return self.difference is None and not self.broken and not any(row.rest for row in self.remains)


def replay(position: Position) -> Replayed:
    """Reads only. Needs the position with its portfolio, account and settings selected."""
    comparison = Comparison(position)
    difference = next(comparison.differences(), None)
    return Replayed(
        position,
        comparison.count["looks"],
        comparison.count["decisions"],
        comparison.count["facts"],
        comparison.count["fills"],
        dict(comparison.versions),
        broken_links(position),
        difference,
        comparison.held,
        remains_of(position),
    )


def broken_links(position: Position) -> list[str]:
    """What the chain of hashes says of the cell's log."""
    verified = verify_portfolios(portfolio_ids=[position.portfolio_id], most=10**9).verified
    return [f"event {row.seq} {row.problem}" for row in verified.findings if row.stream_id == position.public_id]

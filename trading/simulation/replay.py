"""A live cell once more: its recorded quotes and cash flows through the engine, each decision compared with the log."""

from typing import NamedTuple

from portfolios.domain.holding import Holding
from portfolios.models import Position
from portfolios.services.verification import verify_portfolios
from trading.simulation.comparison import Comparison, Difference
from trading.simulation.remains import Remains, remains_of

UNREADABLE = (ValueError, KeyError, TypeError, ArithmeticError)


class Replayed(NamedTuple):
    """What was compared until the first difference, and what became of the fills.

    missed: looks for which the robot came too late, as a newer price was there. waited: looks at which nothing could be
    decided, because of a gap overnight that nobody had explained. versions: events by rule version.
    broken: where the chain of hashes does not hold. holding: the cell as the engine has it.
    """

    position: Position
    looks: int
    decisions: int
    facts: int
    fills: int
    missed: int
    waited: int
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
    try:
        difference = next(comparison.differences(), None)
    except UNREADABLE as error:
        words = f"an event holds what nothing here ever writes ({type(error).__name__}: {error}): the log was altered."
        difference = Difference(0, "log", "", "text", "cannot be read", "nothing", words)
    count = comparison.count
    return Replayed(
        position,
        looks=count["looks"],
        decisions=count["decisions"],
        facts=count["facts"],
        fills=count["fills"],
        missed=count["missed"],
        waited=count["waited"],
        versions=dict(comparison.versions),
        broken=broken_links(position),
        difference=difference,
        holding=comparison.held,
        remains=remains_of(position),
    )


def broken_links(position: Position) -> list[str]:
    """What the chain of hashes says of the cell's log."""
    verified = verify_portfolios(portfolio_ids=[position.portfolio_id], most=10**9).verified
    return [f"event {row.seq} {row.problem}" for row in verified.findings if row.stream_id == position.public_id]

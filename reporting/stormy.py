"""A storm as pages tell it: one sentence for the whole, a row for each fall. Pure but for the engine."""

from collections.abc import Sequence
from typing import NamedTuple

from reporting.reading import money, percent
from trading.simulation.storm import FEW, Passage, Sailor, rehearse

WORST = "fall-50"


class Storm(NamedTuple):
    """Without passages it was not asked for: too many cells to rehearse at every look."""

    cells: int
    passages: tuple[Passage, ...]

    @property
    def sentence(self) -> str:
        return sentence_of(next(row for row in self.passages if row.scenario.name == WORST))


def storm_over(crew: Sequence[Sailor], *, asked: bool) -> Storm | None:
    """None where no cell has a price. A few cells are rehearsed unasked."""
    if not crew:
        return None
    return Storm(len(crew), rehearse(crew) if asked or len(crew) <= FEW else ())


def sentence_of(passage: Passage) -> str:
    """Through the deepest fall, and back."""
    beside = f"{money(abs(passage.against))} {'more' if passage.against >= 0 else 'less'} than left alone"
    back = f"{money(abs(passage.gained))} {'ahead' if passage.gained >= 0 else 'behind'}"
    return (
        f"Were prices to halve, {money(passage.now)} would be {money(passage.worst_value)} at worst, {beside}, with "
        f"{money(passage.cash_needed)} of cash gone into stock and a stock share of {percent(passage.share_at_worst)}; "
        f"back at today's prices it would stand {back}, and {dry_of(passage)}."
    )


def dry_of(passage: Passage) -> str:
    """Which cells could not pay for another order, each with the part of today's price at which it is so."""
    told = [f"{name} at {percent(level, 0)} of today's price" for name, level in passage.dry]
    if not told:
        return "no cell runs dry"
    few = told[:3] + ([f"{len(told) - 3} more"] if len(told) > 3 else [])
    return f"dry would run {', '.join(few)}"

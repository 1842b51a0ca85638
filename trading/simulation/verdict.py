"""Whether settings found in a sweep may be recommended: five questions, each answered in a sentence.

The limits were fixed on noise: over random walks with and without drift, with fat tails, and grids of 2 to 100
settings, at most 1 sweep in 40 passed them all; on prices that really return to their mean half of them did.
"""

from collections.abc import Mapping
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from trading.simulation.honesty import (
    Moments,
    Sums,
    Walk,
    deflated_sharpe,
    overfit_probability,
    stability,
    walk_forward,
)
from trading.simulation.metrics import YEAR

LEAST_SESSIONS = 252
LEAST_DEFLATED = 0.95
MOST_OVERFIT = 0.5
LEAST_STABILITY = 0.5


class Check(NamedTuple):
    """figure: what was measured, None where it cannot be told."""

    name: str
    passed: bool
    figure: float | None
    sentence: str


class Verdict(NamedTuple):
    """Whether "use these settings" is offered, and why not in words."""

    is_offered: bool
    sentence: str
    checks: list[Check]

    @property
    def plain(self) -> dict[str, Any]:
        return self._asdict() | {"checks": [check._asdict() for check in self.checks]}


def assessed(sharpes: np.ndarray, sums: Sums, numbers: np.ndarray) -> dict[str, Any]:
    """What belongs to a sweep as a whole. sharpes: of timing returns; numbers: which combination each trial is."""
    found: dict[str, Any] = {"trials": len(numbers), "sessions": int(sums.counts.sum()), "best": None}
    if not len(numbers):
        return found
    found["best"] = int(numbers[int(np.argmax(sharpes))])
    found["sharpe_deviation"] = float(np.std(sharpes, ddof=1)) if len(numbers) > 1 else 0.0
    if len(numbers) > 1 and found["sessions"] >= LEAST_SESSIONS:
        found["overfit_probability"] = overfit_probability(sums)
        for name in ("anchored", "rolling"):
            found[name] = walked(walk_forward(sums, anchored=name == "anchored"), numbers)
    return found


def walked(walk: Walk, numbers: np.ndarray) -> dict[str, Any]:
    """Sharpe ratios a year."""
    chosen = [int(numbers[place]) for place in walk.chosen]
    return {"chosen": chosen, "sharpe": walk.sharpe * sqrt(YEAR), "sharpe_before": walk.sharpe_before * sqrt(YEAR)}


def judged(found: Mapping[str, Any], moments: Moments, neighbours: np.ndarray) -> Verdict:
    """On one combination. found: `assessed`, with trials_before and look_ahead; neighbours: their Sharpe ratios."""
    if "overfit_probability" not in found:
        few = found["trials"] < 2
        sentence = "fewer than two settings could be tried" if few else f"fewer than {LEAST_SESSIONS} sessions"
        return Verdict(False, f"Not offered: {sentence}, so nothing can be told from luck.", [])
    checks = [
        deflated(found, moments),
        overfit(found["overfit_probability"]),
        *(walks(found[name]["sharpe"], name) for name in ("anchored", "rolling")),
        stable(stability(moments.sharpe, neighbours)),
        Check("look_ahead", found["look_ahead"], None, look_ahead_sentence(found["look_ahead"])),
    ]
    failed = [check.sentence for check in checks if not check.passed]
    if failed:
        return Verdict(False, f"Not offered. {' '.join(failed)}", checks)
    return Verdict(True, "Offered: more than luck would give, on every question asked. The past, all the same.", checks)


def deflated(found: Mapping[str, Any], moments: Moments) -> Check:
    trials = found["trials"] + found.get("trials_before", 0)
    probability = deflated_sharpe(moments, trials, found["sharpe_deviation"])
    passed = moments.mean > 0 and probability >= LEAST_DEFLATED
    sentence = (
        f"After {trials} tries on this symbol, the probability that its timing is better than the luckiest of so many "
        f"without skill is {probability:.1%}; {LEAST_DEFLATED:.0%} is asked for."
    )
    return Check("deflated_sharpe", passed, probability, sentence)


def overfit(probability: float) -> Check:
    sentence = (
        f"What was best in one half of the past was below the median in the other half in {probability:.0%} of all "
        f"ways to halve it; it must be under {MOST_OVERFIT:.0%}."
    )
    return Check("overfit_probability", probability < MOST_OVERFIT, probability, sentence)


def walks(sharpe: float, kind: str) -> Check:
    known = "all that was known by then" if kind == "anchored" else "the latest third that was known by then"
    sentence = (
        f"Chosen again and again on {known}, and lived with until the next choice, the best settings had a timing "
        f"Sharpe ratio of {sharpe:.2f} a year; it must be above 0."
    )
    return Check(f"walk_forward_{kind}", sharpe > 0, sharpe, sentence)


def stable(kept: float | None) -> Check:
    sentence = "It has no neighbours in the grid, so nobody knows whether it is a lone peak."
    if kept is not None:
        sentence = f"Its neighbours keep {kept:.0%} of its timing Sharpe ratio; {LEAST_STABILITY:.0%} is asked for."
    return Check("stability", kept is not None and kept >= LEAST_STABILITY, kept, sentence)


def look_ahead_sentence(clean: bool) -> str:
    if clean:
        return "Cutting the future off changed no decision of the past."
    return "Cutting the future off changed decisions of the past: these figures cannot be trusted."

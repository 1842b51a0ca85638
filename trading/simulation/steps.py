"""What a run writes down: a row of numbers for each change of the cell."""

import numpy as np

from portfolios.domain.holding import Holding

STEP = 12  # columns of a step


def grown(steps: np.ndarray) -> np.ndarray:
    wider = np.empty((2 * len(steps), STEP), np.int64)
    wider[: len(steps)] = steps
    return wider


def step_of(
    point: int,
    kind: int,
    reason: int,
    quantity: int,
    price: int,
    notional: int,
    fee: int,
    left: Holding,
    beside: int,
) -> tuple[int, ...]:
    """point, kind, reason, signed shares, price, notional, fee; what is left: shares, cash, receivable, anchor; beside.

    beside: of a fill the price it was decided at, of an ex-date the net dividend.
    """
    after = (left.shares, left.cash, left.receivable, left.anchor)
    # reason + 0: compiled rows hold numbers of one kind, and an enum's member becomes one by adding
    return (point, kind, reason + 0, quantity, price, notional, fee, *after, beside)

"""The wake-up band: between its edges no price can lead to a decision, so the cell may sleep."""

from typing import NamedTuple

from portfolios.domain.amounts import MICROS, PPM
from portfolios.domain.exact import LARGEST, muldiv_ceil, muldiv_floor
from portfolios.domain.holding import Holding, Rules, effective_cash


class Band(NamedTuple):
    """Awake when price <= below or price >= above, in micros."""

    below: int
    above: int


AWAKE = Band(LARGEST, 0)


def wake_band(holding: Holding, rules: Rules) -> Band:
    """Trigger and drift edges of this holding; AWAKE where they cannot be told or leave no room to sleep.

    A cell without shares below a positive low guardrail is outside it at every price, hence awake.
    """
    cash = effective_cash(holding)
    if holding.anchor == 0 or cash <= 0:
        return AWAKE
    below, above = trigger_edges(holding, rules)
    if rules.auto_rebalance:
        if holding.shares == 0 and rules.guardrail_low > 0:
            return AWAKE
        below = max(below, drift_below(holding.shares, cash, rules.guardrail_low))
        above = min(above, drift_above(holding.shares, cash, rules.guardrail_high))
    if below >= above:
        return AWAKE
    return Band(below, above)


def trigger_edges(holding: Holding, rules: Rules) -> Band:
    """The prices at which the triggers fire, inclusive; for a holding with an anchor."""
    return Band(
        muldiv_floor(holding.anchor, PPM - rules.trigger_down, PPM),
        muldiv_ceil(holding.anchor, PPM + rules.trigger_up, PPM),
    )


def drift_above(shares: int, cash: int, high: int) -> int:
    """The lowest price at which the stock share is above the high guardrail."""
    if shares == 0 or high == PPM:
        return LARGEST
    stock = min(muldiv_floor(high, cash, PPM - high), LARGEST - 1) + 1
    return muldiv_ceil(stock, MICROS, shares)


def drift_below(shares: int, cash: int, low: int) -> int:
    """The highest price at which the stock share is below the low guardrail."""
    if shares == 0 or low == 0:
        return 0
    return muldiv_ceil(muldiv_ceil(low, cash, PPM - low), MICROS, shares) - 1

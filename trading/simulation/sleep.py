"""When looking at every price leads to nothing: the wake-up band made wider, where that is proved."""

from portfolios.domain.amounts import MAX_PRICE, MIN_PRICE
from portfolios.domain.holding import Holding, Rules
from trading.domain.band import Band, trigger_edges
from trading.domain.choices import Side
from trading.domain.quiet import quiet_until

PATIENCE = 4  # looks in vain before a longer sleep is worth its proof
LOW_DRIFT, HIGH_DRIFT, LOW_TRIGGER, HIGH_TRIGGER = 1, 2, 4, 8  # the stretches it may span


def longer_asleep(
    holding: Holding, rules: Rules, price: int, band: Band, tried: int, trades_only: int
) -> tuple[Band, int]:
    """The band after looks that led to nothing: wider where nothing can follow, each of four stretches tried once.

    Where drift is not worth an order all prices are a HOLD; beyond a trigger they are skips, left out on demand only.
    """
    below, above = band.below, band.above
    if below >= above:
        return band, tried
    edges = trigger_edges(holding, rules)
    skippable = trades_only and not rules.reanchor_after_skip
    if price >= above:
        if above < edges.above and not tried & HIGH_DRIFT:
            tried |= HIGH_DRIFT
            above = quiet_until(holding, rules, Side.SELL, False, above, edges.above - 1) + 1
        if skippable and above == edges.above <= price and not tried & HIGH_TRIGGER:
            tried |= HIGH_TRIGGER
            above = quiet_until(holding, rules, Side.SELL, True, above, MAX_PRICE) + 1
    elif price <= below:
        if below > edges.below and not tried & LOW_DRIFT:
            tried |= LOW_DRIFT
            below = quiet_until(holding, rules, Side.BUY, False, below, edges.below + 1) - 1
        if skippable and below == edges.below >= price and not tried & LOW_TRIGGER:
            tried |= LOW_TRIGGER
            below = quiet_until(holding, rules, Side.BUY, True, below, MIN_PRICE) - 1
    return Band(below, above), tried

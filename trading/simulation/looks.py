"""The price of each look at the market, chosen by the rule's own function; `machine` compiles both."""

import numpy as np

from trading.domain.prices import choose_price


def choose_all(
    last: np.ndarray,
    bid: np.ndarray,
    ask: np.ndarray,
    age: np.ndarray,
    max_age: int,
    max_last_to_mid: int,
    prices: np.ndarray,
    stale: np.ndarray,
) -> None:
    """Fills `prices` and `stale`. Prices in micros, 0 for an unknown bid or ask; ages in milliseconds."""
    for row in range(len(last)):
        chosen = choose_price(int(last[row]), int(bid[row]), int(ask[row]), int(age[row]), max_age, max_last_to_mid)
        prices[row] = chosen.price
        stale[row] = chosen.stale

"""The life of an order: one table of allowed moves. Anything else is a mistake of the caller."""

MOVES: dict[str, tuple[str, ...]] = {
    "proposed": ("new", "expired", "cancelled"),
    "new": ("sending", "cancelled"),
    "sending": ("accepted", "partially_filled", "filled", "rejected", "unknown"),
    "unknown": ("accepted", "partially_filled", "filled", "cancelled", "rejected", "expired"),
    "accepted": ("partially_filled", "filled", "cancelling", "cancelled", "expired", "rejected"),
    "partially_filled": ("partially_filled", "filled", "cancelling", "cancelled", "expired", "rejected"),
    "cancelling": ("cancelled", "partially_filled", "filled"),
    "filled": (),
    "cancelled": (),
    "rejected": (),
    "expired": (),
}
OPEN_STATES = ("new", "sending", "unknown", "accepted", "partially_filled", "cancelling")
UNSENT = ("proposed", "new")
WORKING = ("accepted", "partially_filled")
CANCELLABLE = UNSENT + WORKING
SENT_STATES = tuple(state for state in MOVES if state not in UNSENT)


def may_move(before: str, after: str) -> bool:
    return after in MOVES.get(before, ())

"""The fold of events: adding each event's change to the state before it gives the position's row back."""

from typing import NamedTuple


class State(NamedTuple):
    """What a position row holds, in millionths; state is active, paused, quarantined or closed."""

    shares: int
    cash: int
    receivable: int
    reserved_cash: int
    reserved_shares: int
    anchor: int
    state: str


class Change(NamedTuple):
    """What one event adds (d_*) and what it leaves behind (anchor, state)."""

    d_shares: int
    d_cash: int
    d_receivable: int
    d_reserved_cash: int
    d_reserved_shares: int
    anchor_after: int
    state_after: str


NOTHING = State(0, 0, 0, 0, 0, 0, "active")


def after(state: State, change: Change) -> State:
    return State(
        state.shares + change.d_shares,
        state.cash + change.d_cash,
        state.receivable + change.d_receivable,
        state.reserved_cash + change.d_reserved_cash,
        state.reserved_shares + change.d_reserved_shares,
        change.anchor_after,
        change.state_after,
    )

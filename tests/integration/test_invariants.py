"""What must hold is found broken when it is: each row of this table is one way to ruin a cell's books."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from portfolios.models import Position
from tests.market import make_fallen_cell, tick
from trading.invariants import broken_invariants
from trading.risk.models import Halt

pytestmark = pytest.mark.django_db
CELL, ORDER = "UPDATE portfolios_position SET ", "UPDATE trading_order SET"
RUINS = {
    f"{CELL} cash = cash + 1": "cash is what was brought",
    f"{CELL} shares = shares - 1": "shares are the fold",
    f"{CELL} receivable = 1": "the receivable is what is owed",
    f"{CELL} reserved_cash = 1": "what is reserved is what its open order needs",
    f"{CELL} anchor = anchor + 1": "anchor, state and hash",
    f"{CELL} event_seq = event_seq + 1": "its head is its last event",
    f"{ORDER} filled_quantity = filled_quantity - 1": "fills add up to what it filled",
    f"{ORDER} status = 'cancelled'": "it ended as its log says",
    f"{ORDER} notional = notional - 1": "a buyer pays up",
    f"{ORDER} fee = fee + 1": "parts cost what the whole costs",
    f"{ORDER} rest = rest + 1": "its totals are those of the fills",
    f"{ORDER} status = 'accepted'": "it ends once",
    f"{ORDER} reserved_shares = 5": "nothing stays reserved",
    "UPDATE portfolios_event SET seq = seq + 1 WHERE type = 'anchor_updated'": "gapless",
    "UPDATE portfolios_event SET anchor_after = 5 WHERE type = 'order_intent'": "only what may moves the anchor",
    "UPDATE portfolios_event SET prev_hash = '' WHERE type = 'order_filled'": "chained",
    "UPDATE portfolios_event SET type = 'order_accepted' WHERE type = 'anchor_updated'": "after its end only",
}


@pytest.mark.parametrize("ruin", RUINS)
def test_what_was_ruined_is_found(ruin: str) -> None:
    position = make_fallen_cell()
    tick(position)
    assert broken_invariants() == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # past the guards of the log
        cursor.execute(ruin)
    assert any(RUINS[ruin] in line for line in broken_invariants([position.portfolio_id]))


def test_an_order_that_left_more_than_a_second_after_a_halt_is_found() -> None:
    position = make_fallen_cell()
    order = tick(position)
    assert order is not None
    halt = Halt.objects.create(scope="global", reason="so", halted_by="user:ann", halted_at=timezone.now())
    assert broken_invariants() == []
    Halt.objects.filter(pk=halt.pk).update(halted_at=order.sent_at - timedelta(seconds=1.1))
    assert [line.partition(": ")[2][:28] for line in broken_invariants()] == ["nothing leaves after a halt "]
    Halt.objects.filter(pk=halt.pk).update(rearmed_at=order.sent_at)
    assert broken_invariants() == []


def test_another_portfolio_is_not_looked_at() -> None:
    position = make_fallen_cell()
    Position.objects.filter(pk=position.pk).update(cash=1)
    assert broken_invariants([position.portfolio_id + 1]) == []

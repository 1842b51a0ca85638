"""Sweeps over a recorded past, in few words."""

from typing import Any

from portfolios.models import User
from tests.factories import make_user
from tests.recorded import make_bars
from trading.market.models import Bar
from trading.simulation.models import Sweep
from trading.simulation.sweeps import carry_out_chunk, create_sweep

TAU = {"name": "tau", "from": "0.02", "to": "0.05", "step": "0.01"}
LOW = {"name": "guardrail_low", "values": ["0.2", "0.4", "0.6"]}


def make_sweep(owner: User | None = None, **wishes: Any) -> Sweep:
    """12 combinations, 4 of which no cell could have: their low guardrail is above the high one."""
    if not Bar.objects.exists():
        make_bars()
    usual: dict[str, Any] = {"symbol": "IBM", "settings": {"guardrail_high": "0.5"}, "axes": [TAU, LOW]}
    usual |= {"cash": 10**10, "in_stock": 500_000, "slippage": 0, "first_day": None, "last_day": None, "name": ""}
    return create_sweep(owner=owner or make_user(), **usual | wishes)


def carried_out(sweep: Sweep) -> Sweep:
    for pk in list(sweep.chunks.order_by("pk").values_list("pk", flat=True)):
        carry_out_chunk(chunk_id=pk)
    return Sweep.objects.get(pk=sweep.pk)

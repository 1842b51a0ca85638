"""Turns the rule and the loop around it into machine code: the very same functions, none of them written twice.

numba is imported here and nowhere else, and only when something is simulated. Without it everything runs interpreted.
The exact products of `portfolios.domain.exact` are the only functions with a compiled counterpart.
"""

import hashlib
import inspect
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings

from portfolios.domain import exact

RULE = (
    "portfolios.domain.holding",
    "dividends.domain.payments",
    "dividends.domain.splits",
    "trading.domain.choices",
    "trading.domain.prices",
    "trading.domain.costs",
    "trading.domain.sizing",
    "trading.domain.trims",
    "trading.domain.band",
    "trading.domain.decision",
    "trading.domain.drift",
    "trading.domain.quiet",
    "trading.simulation.search",
    "trading.simulation.sleep",
    "trading.simulation.steps",
    "trading.simulation.engine",
    "trading.simulation.many",
    "trading.simulation.looks",
)
COLD = (
    "largest_multiple",
    "drift_decision",
    "quiet_until",
    "longer_asleep",
    "after",
    "grown",
    "advance",
    "first_outside",
)
BENEATH = (
    "portfolios.domain.amounts",
    "portfolios.domain.exact",
    "trading.simulation.products",
    "trading.simulation.machine",
)


def sources() -> str:
    """A fingerprint of all that is compiled, and by what.

    It names the folder of the compiled code, as numba itself does not notice a change in a function that is called.
    """
    digest = hashlib.sha256(f"{sys.version} {version('numba')} {version('llvmlite')}".encode())
    for name in (*BENEATH, *RULE):
        digest.update(source_of(name).read_bytes())
    return digest.hexdigest()[:16]


def source_of(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ImportError(name)
    return Path(spec.origin)


@cache
def compiled(name: str, room: str = "engine") -> Callable[..., Any]:
    """A function of the engine as machine code, kept on disk for the next process."""
    function: Callable[..., Any] = getattr(import_module(f"trading.simulation.{room}"), name)
    try:
        import numba  # noqa: PLC0415 - 0.9 s
    except ImportError:
        return function
    numba.config.CACHE_DIR = str(Path(settings.VAR) / "cache" / "numba" / sources())  # type: ignore[attr-defined]
    make_compilable()
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)


@cache
def make_compilable() -> None:
    from numba.extending import overload, register_jitable  # noqa: PLC0415

    from trading.simulation import products  # noqa: PLC0415

    for name in RULE:
        module = import_module(name)
        for function in vars(module).values():
            if inspect.isfunction(function) and function.__module__ == name:
                register_jitable(forceinline=function.__name__ not in COLD)(function)

    overload(exact.muldiv_floor, jit_options={"forceinline": True})(products.muldiv_floor)
    overload(exact.muldiv_ceil, jit_options={"forceinline": True})(products.muldiv_ceil)
    overload(exact.compare_products, jit_options={"forceinline": True})(products.compare_products)

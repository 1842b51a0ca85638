"""A hundred thousand cases at once as arrays of int64, operands as often small as at their limits."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MICROS, MIN_PRICE, PPM
from portfolios.domain.holding import UNLIMITED, Rules
from portfolios.domain.settings import SETTINGS
from trading.domain.choices import Gates

SETTING_NAMES = {"commission_rate": "commission_bps", "limit_offset": "limit_offset_bps"}


class Cases(NamedTuple):
    """One case a row: the fields of Holding, Rules and Gates in their order, and the price."""

    holdings: np.ndarray
    rules: np.ndarray
    prices: np.ndarray
    gates: np.ndarray


def spread(random: Generator, low: int, high: int, count: int) -> np.ndarray:
    """Integers from low to high whose number of bits is drawn first; one in fifty is a limit itself."""
    bits = random.integers(0, high.bit_length() + 1, count).astype(np.uint64)
    drawn = random.integers(0, np.left_shift(np.uint64(1), bits), dtype=np.uint64).clip(low, high).astype(np.int64)
    return mixed(random, {0.01: low, 0.02: high}, drawn)


def mixed(random: Generator, chances: dict[float, object], otherwise: np.ndarray) -> np.ndarray:
    """Some values replaced, each alternative with its chance (counted together from 0)."""
    dice = random.random(len(otherwise))
    for chance, value in sorted(chances.items(), reverse=True):
        otherwise = np.where(dice < chance, value, otherwise)
    return otherwise


def scaled(amounts: np.ndarray, factors: np.ndarray, most: int) -> np.ndarray:
    """Amounts times floating factors: only to draw with, nothing is decided by it."""
    return (amounts * factors).clip(0, most).astype(np.int64)


def draw_cases(count: int, seed: int) -> Cases:
    random = np.random.default_rng(seed)
    prices = spread(random, MIN_PRICE, MAX_PRICE, count)
    return Cases(draw_holdings(random, prices), draw_rules(random, count), prices, draw_gates(random, count))


def draw_holdings(random: Generator, prices: np.ndarray) -> np.ndarray:
    """Worth from nothing to beyond the limit; half and half, all of one, or anything; anchors mostly near the price."""
    count = len(prices)
    worth = spread(random, 0, MAX_AMOUNT, count)
    weight = mixed(random, {0.1: 0.0, 0.2: 1.0, 0.4: 0.5}, random.random(count))
    shares = scaled(worth / prices * MICROS, weight, MAX_AMOUNT)
    cash = mixed(random, {0.1: spread(random, 0, MAX_AMOUNT, count)}, scaled(worth, 1 - weight, MAX_AMOUNT))
    receivable = mixed(random, {0.6: 0, 0.7: spread(random, 0, MAX_AMOUNT, count)}, scaled(cash, 0.02, MAX_AMOUNT))
    near = scaled(prices, mixed(random, {0.3: 1.0, 0.4: 1.03, 0.5: 0.97}, random.uniform(0.4, 2.5, count)), MAX_PRICE)
    anchors = mixed(random, {0.02: 0, 0.1: spread(random, 0, MAX_PRICE, count)}, near)
    columns = (shares, cash, receivable, part_of(random, cash), part_of(random, shares), anchors)
    return np.stack(columns, axis=1)


def part_of(random: Generator, amounts: np.ndarray) -> np.ndarray:
    """What is promised to the open order: mostly nothing, sometimes some, sometimes all."""
    some = scaled(amounts, random.random(len(amounts)), MAX_AMOUNT)
    return mixed(random, {0.8: 0, 0.85: amounts}, np.minimum(some, amounts))


def draw_rules(random: Generator, count: int) -> np.ndarray:
    columns = {name: draw_setting(random, name, count) for name in Rules._fields}
    columns["lot"] = np.where(random.random(count) < 0.5, 1, MICROS)
    low = mixed(random, {0.3: 0, 0.6: 250_000}, random.integers(0, PPM, count))
    high = mixed(random, {0.3: PPM, 0.6: np.maximum(low + 1, 750_000)}, random.integers(low + 1, PPM + 1))
    columns |= {"guardrail_low": low, "guardrail_high": high, "target_weight": random.integers(low, high + 1)}
    columns["max_trade"] = mixed(random, {0.7: UNLIMITED}, columns["max_trade"])
    for minimum in ("min_notional", "commission_min"):
        columns[minimum] = mixed(random, {0.6: 0}, columns[minimum])
    return np.stack([columns[name] for name in Rules._fields], axis=1)


def draw_setting(random: Generator, name: str, count: int) -> np.ndarray:
    setting = SETTINGS.get(SETTING_NAMES.get(name, name))
    if setting is None:
        return random.integers(0, 2, count)
    if setting.choices:
        return random.integers(setting.low, setting.low + len(setting.choices), count)
    return spread(random, setting.low, setting.high, count)


def draw_gates(random: Generator, count: int) -> np.ndarray:
    """Open in nine cases of ten, else shut from any gate on."""
    first_shut = mixed(random, {0.9: len(Gates._fields)}, random.integers(0, len(Gates._fields), count))
    return (np.arange(len(Gates._fields)) >= first_shut[:, None]).astype(np.int64)

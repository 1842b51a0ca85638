"""What the robot is compared with, in numbers that can be checked in the head; and the report that names them."""

from datetime import timedelta

import numpy as np
import pytest

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM, micros
from tests.unit.cells import rules
from tests.unit.simulations import FIRST, bars_of
from trading.domain.costs import cash_to_reserve
from trading.simulation.bars import Dividend, Split
from trading.simulation.baselines import affordable, buy_and_hold
from trading.simulation.report import report_of
from trading.simulation.stage import CLOSE, stage_of, starting

CASH = micros("10000")


def held(closes, dividends=(), splits=(), slippage=0, **settings):
    """The state after the last step: shares, cash, receivable."""
    ruled = rules(**({"commission_bps": "0", "withholding": "0"} | settings))
    start, steps = buy_and_hold(stage_of(bars_of(*closes), dividends, splits), ruled, CASH, slippage)
    return tuple(steps[-1][7:10].tolist()) if len(steps) else tuple(start)[:3]


def day(number):
    return FIRST + timedelta(days=number)


def reported(bars, dividends=(), splits=(), in_stock=PPM // 2, slippage=0, path=CLOSE, **settings):
    return report_of(bars, dividends, splits, rules(**settings), CASH, in_stock, slippage, path)


def test_all_of_it_is_in_stock_from_the_first_close_on():
    assert held(["100", "120"]) == (micros("100"), 0, 0)
    assert held(["97", "97"], fractional=False) == (micros("103"), micros("9"), 0)


def test_a_dividend_waits_and_then_buys_more_at_the_first_price_of_its_pay_day():
    dividends = [Dividend(day(1), day(2), micros("4"))]
    assert held(["100", "100"], dividends) == (micros("100"), 0, micros("400"))
    assert held(["100", "100", "50"], dividends) == (micros("108"), 0, 0)
    assert held(["100", "100", "50"], dividends, withholding="0.25") == (micros("106"), 0, 0)


def test_buying_more_costs_fee_and_slippage_and_takes_whole_lots():
    dividends = [Dividend(day(1), day(1), micros("4"))]
    shares, cash, _ = held(["100", "100"], dividends, slippage=10_000, fractional=False, commission_bps="100")
    assert shares == micros("103")  # 3 at 101 and 3.03 of fee; a fourth would not fit into 400
    assert cash == micros("400") - 3 * micros("101") - micros("3.03")
    assert held(["100", "100"], dividends, commission_min="401")[:2] == (micros("100"), micros("400"))


def test_a_split_leaves_shares_and_cash_in_lieu():
    assert held(["100", "50"], (), [Split(day(1), 2, 1)]) == (micros("200"), 0, 0)
    assert held(["100", "2000"], (), [Split(day(1), 1, 40)], fractional=False) == (micros("2"), micros("2000"), 0)


@pytest.mark.parametrize("seed", range(200))
def test_what_can_be_afforded_fits_and_one_lot_more_does_not(seed):
    random = np.random.default_rng(seed)
    ruled = rules(
        commission_bps=str(random.integers(0, 1_000)),
        commission_min=str(random.choice((0, 0, 1, 50))),
        fractional=bool(random.integers(2)),
        market_buffer="0.04",
        order_type=str(random.choice(("market", "limit"))),
        limit_offset_bps="50",
    )
    cash, price = int(10 ** random.uniform(0, 18)), int(10 ** random.uniform(2, 12))
    most = affordable(ruled, cash, price)
    assert most % ruled.lot == 0
    assert most == 0 or cash_to_reserve(ruled, most, price) <= cash
    assert most + ruled.lot > MAX_AMOUNT or cash_to_reserve(ruled, most + ruled.lot, price) > cash


def test_the_most_money_in_the_cheapest_stock_stays_within_the_limit_of_shares():
    start = starting(MAX_AMOUNT, PPM, 100, 1)
    assert start.shares == MAX_AMOUNT
    assert start.cash == MAX_AMOUNT - 100 * MAX_AMOUNT // MICROS


def test_the_report_compares_the_same_money_over_the_same_days():
    answer = reported(bars_of("100", "50", "100"), commission_bps="0")
    assert answer["baselines"]["buy_and_hold"]["total_return"] == 0
    assert answer["baselines"]["buy_and_hold"]["max_drawdown"] == -0.5
    assert answer["baselines"]["cash"]["total_return"] == 0
    # half in stock: 7,500 after the fall, of it 3,750 in stock at 50; doubled it is 7,500, with 3,750 in cash
    assert answer["baselines"]["constant_mix"]["total_return"] == pytest.approx(0.125)
    assert answer["metrics"]["total_return"] > 0


def test_a_constant_mix_does_not_mind_the_settings_of_the_robot():
    bars = bars_of("100", "50", "100", "80", "120")
    odd = {
        "tau": "0.5",
        "min_notional": "100000",
        "max_orders_per_day": 0,
        "guardrail_high": "0.51",
        "max_trade": "0.01",
    }
    usual, stubborn = reported(bars), reported(bars, **odd)
    assert usual["baselines"]["constant_mix"] == stubborn["baselines"]["constant_mix"]
    assert stubborn["trades"] == 0


def test_looks_inside_bars_leave_the_baselines_as_they_are():
    bars = bars_of("100", "100", "100")
    bars.prices[1] = [micros(price) for price in ("100", "110", "90", "100")]
    by_close, by_path = reported(bars), reported(bars, path="path")
    assert by_close["baselines"] == by_path["baselines"]
    assert (by_close["trades"], by_path["trades"]) == (0, 3)


def test_shares_times_price_and_cash_and_what_is_owed_are_the_value():
    bars = bars_of("100", "96", "103")
    answer = reported(bars, [Dividend(day(2), day(40), micros("1"))], commission_bps="10")
    total = micros(answer["shares"]) * 103 + micros(answer["cash"]) + micros(answer["receivable"])
    assert micros(answer["value"]) == total
    assert micros(answer["fees"]) == sum(micros(fill["fee"]) for fill in answer["fills"])
    assert answer["metrics"]["exposure"] == pytest.approx(0.5, abs=0.1)
    assert answer["metrics"]["guardrail_time"] == 1
    bought = sum(micros(fill["quantity"]) * (1 if fill["side"] == "BUY" else -1) for fill in answer["fills"])
    assert 50 * MICROS + bought == micros(answer["shares"])

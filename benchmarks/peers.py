"""The same strategy on other people's engines; see benchmarks/simulation.py. Runs alone, in an environment of its own.

Reads lines of JSON (peer, prices file, trigger, settings) and answers each with seconds and trades. Sells at or above
anchor * (1 + trigger), buys at or below anchor * (1 - trigger), a share r * anchor / price of the value, at the close;
the fill's price is the next anchor. Half of the money is in stock from the first close on. Costs 0.01 %.
"""

# ruff: noqa: PLC0415 - each engine is imported only where it is asked
import json
import sys
import time
import warnings

import numpy as np

SHARE, FEE, CASH = 0.01, 0.0001, 10_000_000.0
warnings.simplefilter("ignore")


def vectorbt(prices, triggers):
    import vectorbt as vbt
    from numba import njit
    from vectorbt.portfolio.nb import order_nb, order_nothing_nb

    if not hasattr(vectorbt, "order"):

        @njit
        def order(c, anchors, triggers):
            price = c.close[c.i, c.col]
            if c.i == 0:
                anchors[c.col] = price
                return order_nb(size=c.cash_now * 0.5 / price, price=price)
            anchor, trigger = anchors[c.col], triggers[c.col]
            if price >= anchor * (1 + trigger):
                side = -1.0
            elif price <= anchor * (1 - trigger):
                side = 1.0
            else:
                return order_nothing_nb()
            value = c.cash_now + c.position_now * price
            anchors[c.col] = price
            return order_nb(size=side * SHARE * anchor * value / price / price, price=price, fees=FEE)

        vectorbt.order = order
    close = np.repeat(prices[:, None], len(triggers), axis=1)
    anchors = np.zeros(len(triggers))
    started = time.perf_counter()
    done = vbt.Portfolio.from_order_func(close, vectorbt.order, anchors, triggers, init_cash=CASH)
    trades = len(done.order_records)
    return time.perf_counter() - started, trades - len(triggers)  # the first one is the start in stock


def plain(prices, triggers):
    """Python and floats, no library: what a loop costs by itself."""
    started = time.perf_counter()
    trades = 0
    for trigger in triggers.tolist():
        anchor = float(prices[0])
        shares, cash = CASH / 2 / anchor, CASH / 2
        for price in prices.tolist():
            if anchor * (1 - trigger) < price < anchor * (1 + trigger):
                continue
            size = SHARE * anchor * (cash + shares * price) / price / price
            size = -size if price > anchor else size
            shares, cash = shares + size, cash - size * price - abs(size) * price * FEE
            anchor = price
            trades += 1
    return time.perf_counter() - started, trades


def backtesting(prices, triggers):
    import pandas as pd
    from backtesting import Backtest, Strategy

    class Rule(Strategy):
        def init(self):
            self.anchor, self.trades_made = float(prices[0]), 0
            self.buy(size=int(CASH / 2 / self.anchor))

        def next(self):
            price, anchor = self.data.Close[-1], self.anchor
            if anchor * (1 - triggers[0]) < price < anchor * (1 + triggers[0]):
                return
            size = int(SHARE * anchor * self.equity / price / price)
            (self.sell if price > anchor else self.buy)(size=size)
            self.anchor, self.trades_made = price, self.trades_made + 1

    table = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), prices))
    table.index = pd.date_range("2007-01-03", periods=len(prices), freq="min")
    started = time.perf_counter()
    robot = Backtest(table, Rule, cash=CASH, commission=FEE, trade_on_close=True, finalize_trades=False)
    result = robot.run()
    return time.perf_counter() - started, result._strategy.trades_made


def backtrader(prices, triggers):
    import backtrader as bt
    import pandas as pd

    class Rule(bt.Strategy):
        def __init__(self):
            self.anchor, self.trades_made = 0.0, 0

        def next(self):
            price, anchor = self.data.close[0], self.anchor
            if not anchor:
                self.anchor = price
                self.buy(size=CASH / 2 / price)
                return
            if anchor * (1 - triggers[0]) < price < anchor * (1 + triggers[0]):
                return
            size = SHARE * anchor * self.broker.getvalue() / price / price
            (self.sell if price > anchor else self.buy)(size=size)
            self.anchor = price

        def notify_order(self, order):
            self.trades_made += order.status == order.Completed

    table = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close", "volume"), prices))
    table.index = pd.date_range("2007-01-03", periods=len(prices), freq="min")
    started = time.perf_counter()
    engine = bt.Cerebro(stdstats=False)
    engine.broker.setcash(CASH)
    engine.broker.setcommission(FEE)
    engine.broker.set_coc(True)
    engine.adddata(bt.feeds.PandasData(dataname=table))
    engine.addstrategy(Rule)
    (rule,) = engine.run()
    return time.perf_counter() - started, rule.trades_made - 1  # the first one is the start in stock


def main():
    for line in sys.stdin:
        wish = json.loads(line)
        prices = np.load(wish["prices"])[: wish["bars"]] / 1e6
        seconds, trades = globals()[wish["peer"]](prices, np.array(wish["triggers"]))
        print(json.dumps({"seconds": seconds, "trades": int(trades)}), flush=True)


if __name__ == "__main__":
    main()

"""The line under each field of a new cell: what does not fit, else what is known and what it comes to."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from portfolios.domain.amounts import MAX_AMOUNT, MICROS
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import value_of
from portfolios.domain.settings import merge_settings, parse_settings
from portfolios.presets import PRESETS
from portfolios.selectors import given_in
from reporting.reading import market_time, money, percent, shares_about
from trading.forms import INHERIT, NewCellForm
from trading.market.models import Instrument
from trading.sight import Sight


class Hint(NamedTuple):
    text: str
    wrong: bool = False


class Choice(NamedTuple):
    """One preset to choose."""

    value: str
    title: str
    sentence: str
    chosen: bool


class Known(NamedTuple):
    """What is known of a ticker; `closes` are those of the last five years before the market's day."""

    symbol: str
    instrument: Instrument | None
    sight: Sight | None
    closes: list[tuple[date, int]]

    @property
    def price(self) -> int:
        return self.sight.price if self.sight else 0


def hints_of(form: NewCellForm, symbols: Sequence[str], known: Known | None) -> dict[str, Hint]:
    price = known.price if known else 0
    texts = {
        "ticker": about_ticker(known, symbols),
        "portfolio": "",
        "preset": "",
        "cash": worth_in_shares(amount_in(form, "cash"), price),
        "stock": about_stock(form, price),
        "anchor": f"Left empty: the price, {money(price)}." if price else "Left empty: the first good price.",
    }
    return {name: hint_of(form, name, text) for name, text in texts.items()}


def hint_of(form: NewCellForm, name: str, text: str) -> Hint:
    errors = form.errors.get(name) or (form.errors.get("stock_in") if name == "stock" else None)
    if not errors or (name == "ticker" and not form.data["ticker"]):
        return Hint(text)
    return Hint(f"{str(errors[0]).rstrip('.')}.", wrong=True)


def about_ticker(known: Known | None, symbols: Sequence[str]) -> str:
    if known is None:
        return f"Recorded here: {', '.join(symbols)}." if symbols else ""
    if known.instrument is None and known.sight is None:
        return f"{known.symbol} is not known here: the cell can be opened and waits for its first price."
    told = [f"{known.instrument.name}, {known.instrument.exchange}"] if known.instrument else []
    if known.sight:
        told.append(f"{money(known.sight.price)} on {market_time(known.sight.at)}")
    if known.closes:
        told.append(f"recorded since {known.closes[0][0].year}")
    return "; ".join(told) + "."


def about_stock(form: NewCellForm, price: int) -> str:
    stock = amount_in(form, "stock")
    if not stock or not price:
        return "Shares it starts with; nothing is bought for them."
    if form.data.get("stock_in") == "money":
        return worth_in_shares(stock, price)
    return f"Worth {money(value_of(stock, price))} at {money(price)}."


def worth_in_shares(amount: int, price: int) -> str:
    if not amount or not price:
        return ""
    bought = min(muldiv_floor(amount, MICROS, price), MAX_AMOUNT)
    return f"As much as {shares_about(bought)} shares at {money(price)}."


def amount_in(form: NewCellForm, name: str) -> int:
    """0 while it is not an amount."""
    return int(form.cleaned_data.get(name) or 0) if hasattr(form, "cleaned_data") else 0


def choices_of(form: NewCellForm) -> list[Choice]:
    """The presets of the house, what the portfolio has, and his own ones."""
    chosen = form.data["preset"]
    found = [Choice(name, preset.title, preset.sentence, name == chosen) for name, preset in PRESETS.items()]
    if form.target and form.target.settings_version:
        merged = merge_settings(given_in(form.target.settings_version))
        found.append(Choice(INHERIT, f"As {form.target.name} has it", steps_of(merged), chosen == INHERIT))
    for name, own in form.own.items():
        merged = merge_settings(parse_settings(own.given))
        found.append(Choice(name, own.name, f"Your own. {steps_of(merged)}", name == chosen))
    return found


def steps_of(merged: Mapping[str, int]) -> str:
    steps = f"−{percent(merged['trigger_down'])} and +{percent(merged['trigger_up'])}"
    low, high = percent(merged["guardrail_low"], 0), percent(merged["guardrail_high"], 0)
    return f"Triggers at {steps}, stock from {low} to {high}."

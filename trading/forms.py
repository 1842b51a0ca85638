"""What people type to open a portfolio or a cell, read strictly; the same for the preview and for the deed."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MICROS, MIN_PRICE, as_text, micros
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import Holding, Rules, in_lots, value_of
from portfolios.domain.settings import SettingError, merge_settings, parse_settings, rules_from
from portfolios.models import Portfolio, SettingsPreset, User
from portfolios.presets import PRESETS
from portfolios.selectors import default_buffer, given_in
from portfolios.services.lots import Lot
from portfolios.services.positions import REASON, SYMBOL
from portfolios.typed import without_commas
from trading.market import feeds
from trading.services.lots import lot_for
from trading.services.replay import SOURCE

INHERIT = "portfolio"
TITLES = [(value, known.title) for value, known in PRESETS.items()]
COUNTED_IN = [("shares", "shares"), ("money", "dollars")]
NEW_CELL = {"preset": "balanced", "stock_in": "shares", "cash": "10000"}


def feed_choices() -> list[tuple[str, str]]:
    """What a portfolio may follow; what nobody could ask at present says so."""
    return [(name, feeds.in_words(name) + lacking(name)) for name in settings.PRICE_SOURCES]


def lacking(name: str) -> str:
    missing = feeds.missing_for(name)
    return f" (no prices yet: this house lacks {missing})" if missing else ""


def plain_line(text: str) -> None:
    if not text.isprintable():
        raise ValidationError("One line of plain text")


class AmountField(forms.CharField):
    """Plain decimals outside, millionths inside; nothing typed is 0."""

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(max_length=24, required=False, **kwargs)
        self.low, self.high = low, high

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return 0
        try:
            amount = micros(without_commas(text))
        except ValueError as error:
            example = "" if "," in text else ", such as 2500.50"
            raise ValidationError(f"{error}{example}".capitalize()) from error
        if not self.low <= amount <= self.high:
            raise ValidationError(f"Must be from {as_text(self.low)} to {as_text(self.high)}")
        return amount


class Opening(NamedTuple):
    """What a new cell begins with, in micros. `given` are its own settings, as people write them."""

    symbol: str
    shares: int
    cash: int
    anchor: int
    given: Mapping[str, Any]
    rules: Rules

    @property
    def holding(self) -> Holding:
        return Holding(self.shares, self.cash, 0, 0, 0, self.anchor)


class HaltForm(forms.Form):
    """`over` is a scope and, but for the house, an id: `portfolio:2f9c...`."""

    class Meta:
        """The type checker looks for one."""

    over = forms.RegexField(
        r"^(global:|(portfolio|account|position):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
        error_messages={"required": "Choose what to halt", "invalid": "Choose one of these"},
    )
    reason = forms.CharField(
        max_length=REASON,
        validators=[plain_line],
        error_messages={"required": "Say why, in one line", "max_length": f"At most {REASON} characters"},
    )
    cancels = forms.BooleanField(required=False)


class NewPortfolioForm(forms.Form):
    class Meta:
        """The type checker looks for one."""

    name = forms.CharField(max_length=80)
    preset = forms.ChoiceField(choices=TITLES)
    source = forms.ChoiceField(choices=feed_choices, required=False)

    @property
    def feed(self) -> str:
        return self.cleaned_data["source"] or SOURCE

    def given(self) -> Mapping[str, Any]:
        return PRESETS[self.cleaned_data["preset"]].given


class NewCellForm(forms.Form):
    """Bound to what is typed so far; what is not in it yet is as NEW_CELL has it."""

    class Meta:
        """The type checker looks for one."""

    portfolio = forms.ChoiceField(required=False, error_messages={"invalid_choice": "Choose one of yours"})
    preset = forms.ChoiceField(error_messages={"invalid_choice": "Choose one of these"})
    ticker = forms.CharField(
        max_length=12,
        error_messages={"required": "Which stock? A ticker such as IBM"},
        validators=[RegexValidator(rf"\A{SYMBOL.pattern}\Z", "Must be 1 to 12 letters, digits, dots or dashes")],
    )
    stock = AmountField(low=0, high=MAX_AMOUNT)
    stock_in = forms.ChoiceField(choices=COUNTED_IN, error_messages={"invalid_choice": "Choose shares or dollars"})
    cash = AmountField(low=0, high=MAX_AMOUNT)
    anchor = AmountField(low=MIN_PRICE, high=MAX_PRICE)

    def __init__(self, user: User, data: Mapping[str, Any]) -> None:
        typed = NEW_CELL | {name: data[name] for name in self.base_fields if name in data}
        typed["ticker"] = typed.get("ticker", "").strip().upper()
        super().__init__(typed)
        steered = Portfolio.objects.steered_by(user).filter(state=Portfolio.Status.ACTIVE)
        self.portfolios = list(steered.select_related("settings_version", "account").order_by("pk"))
        self.own = {f"own-{preset.pk}": preset for preset in SettingsPreset.objects.filter(owner=user).order_by("name")}
        choices = {str(portfolio.public_id): portfolio.name for portfolio in self.portfolios}
        self.fields["portfolio"].choices = [("", "the first one"), *choices.items()]  # type: ignore[attr-defined]
        presets = [*PRESETS, INHERIT, *self.own]
        self.fields["preset"].choices = [(name, name) for name in presets]  # type: ignore[attr-defined]

    @property
    def target(self) -> Portfolio | None:
        """The portfolio named, else the first he may act in; None while he has none and one will be made."""
        named = self.data.get("portfolio")
        chosen = (portfolio for portfolio in self.portfolios if not named or str(portfolio.public_id) == named)
        return next(chosen, None)

    @property
    def source(self) -> str:
        return self.target.source if self.target else SOURCE

    def given(self) -> Mapping[str, Any]:
        chosen = self.cleaned_data["preset"]
        if chosen == INHERIT:
            return {}
        return self.own[chosen].given if chosen in self.own else PRESETS[chosen].given

    def rules(self) -> Rules:
        """Raises SettingError where preset and portfolio do not go together."""
        portfolio = self.target or Portfolio()
        merged = merge_settings(given_in(portfolio.settings_version), parse_settings(self.given()))
        return in_lots(rules_from(merged, default_buffer=default_buffer(portfolio)), self.lot().micros)

    def lot(self) -> Lot:
        """What instrument and account prescribe."""
        return lot_for(self.cleaned_data["ticker"], self.target.account if self.target else None)

    def opening(self, price: int) -> Opening | None:
        """What is typed as a cell at this price (0: unknown); None, with the errors noted, when it cannot be one."""
        if not self.is_valid():
            return None
        typed = self.cleaned_data
        try:
            rules = self.rules()
        except SettingError as error:
            self.add_error("preset", f"Does not go with this portfolio: {error}")
            return None
        if typed["stock_in"] == "money" and typed["stock"] and not price:
            self.add_error("stock", "Give shares: without a price dollars cannot be turned into shares")
            return None
        shares, cash = divided(typed["stock"], typed["stock_in"] == "money", typed["cash"], rules, price)
        if shares % rules.lot:
            prescribed = self.lot()
            why = prescribed.why if rules.lot == prescribed.micros else "this preset trades no fractions"
            step = "whole shares" if rules.lot == MICROS else f"a multiple of {as_text(rules.lot)} shares"
            self.add_error("stock", f"Must be {step}: {why}")
        if not shares and not cash:
            self.add_error("cash", "A cell begins with some cash or some shares")
        if cash > MAX_AMOUNT:
            self.add_error("cash", f"Must be from 0 to {as_text(MAX_AMOUNT)}")
        return (
            None
            if self.errors
            else Opening(typed["ticker"], shares, cash, typed["anchor"] or price, self.given(), rules)
        )


def divided(stock: int, in_money: bool, cash: int, rules: Rules, price: int) -> tuple[int, int]:
    """Shares and cash; money that does not make a whole lot stays cash, so that nothing is lost."""
    if not in_money or not stock:
        return stock, cash
    shares = min(muldiv_floor(stock, MICROS, price), MAX_AMOUNT)
    shares -= shares % rules.lot
    return shares, cash + stock - value_of(shares, price)

"""What people type to ask the past, read strictly; the same for the page and for the deed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from portfolios.domain.amounts import MICROS, as_text
from portfolios.domain.settings import SettingError, merge_settings, parse_settings
from portfolios.typed import Typed, read_typed
from trading.bars.resolutions import DAILY
from trading.forms import AmountField, plain_line
from trading.simulation.recorded import Recorded, recorded_spans, series_key
from trading.simulation.services import MAX_CASH, MAX_SLIPPAGE
from trading.simulation.spans import MOST_LOOKS, looks_over, too_many
from trading.simulation.stage import CLOSE, HIGH_FIRST, LOW_FIRST, PATH

PATHS_TOLD = {
    CLOSE: "at each close",
    PATH: "open, nearer extreme, farther extreme, close",
    LOW_FIRST: "open, low, high, close: the low always first",
    HIGH_FIRST: "open, high, low, close: the high always first",
}
PERCENT_IN_PPM, BPS_IN_PPM = 10_000, 100
NEW_RUN = {"cash": "10000", "in_stock": "50", "slippage": "2", "path": CLOSE}


class ScaledField(AmountField):
    """A per cent or a basis point outside, ppm inside; finer than a ppm is refused."""

    def __init__(self, *, high: int, ppm: int, **kwargs: Any) -> None:
        super().__init__(low=0, high=high * MICROS, **kwargs)
        self.ppm = ppm

    def clean(self, value: Any) -> int:
        scaled, rest = divmod(super().clean(value) * self.ppm, MICROS)
        if rest:
            raise ValidationError(f"Must be a multiple of {as_text(MICROS // self.ppm)}")
        return int(scaled)


class RunForm(forms.Form):
    """Bound to what is typed; what is not in it is as NEW_RUN has it. Settings are fields of their own: `settings`.

    symbol: one of the recorded series by its key, or a symbol with `resolution` beside it.
    """

    class Meta:
        """The type checker looks for one."""

    symbol = forms.ChoiceField(
        label="Stock and bars", error_messages={"required": "Choose a stock", "invalid_choice": "Choose one of these"}
    )
    first = forms.DateField(label="First day", required=False, error_messages={"invalid": "A day such as 2008-01-31"})
    last = forms.DateField(label="Last day", required=False, error_messages={"invalid": "A day such as 2008-01-31"})
    cash = AmountField(label="Money at the start", low=MICROS, high=MAX_CASH)
    in_stock = ScaledField(label="Of it in stock", high=100, ppm=PERCENT_IN_PPM)
    slippage = ScaledField(label="Slippage", high=MAX_SLIPPAGE // BPS_IN_PPM, ppm=BPS_IN_PPM)
    path = forms.ChoiceField(
        label="Looks at the price",
        choices=list(PATHS_TOLD.items()),
        error_messages={"required": "Choose one", "invalid_choice": "Choose one of these"},
    )
    name = forms.CharField(label="Name", max_length=120, required=False, validators=[plain_line])

    def __init__(self, data: Mapping[str, Any]) -> None:
        typed = NEW_RUN | {name: data[name] for name in self.base_fields if name in data}
        typed["symbol"] = key_typed(typed.get("symbol", ""), data.get("resolution", ""))
        super().__init__(typed)
        self.spans = {span.key: span for span in recorded_spans()}
        self.fields["symbol"].choices = [(key, key) for key in self.spans]  # type: ignore[attr-defined]
        self.looks = 0
        self.settings = checked(read_typed(data))

    @property
    def is_right(self) -> bool:
        return self.is_valid() and not self.settings.errors

    @property
    def span(self) -> Recorded | None:
        """Of the series chosen so far; of the first one where nothing is."""
        return self.spans.get(self.data["symbol"] or next(iter(self.spans), ""))

    def clean_cash(self) -> int:
        amount: int = self.cleaned_data["cash"]
        if not amount:
            raise ValidationError("How much does it begin with?")
        return amount

    def clean(self) -> None:
        """Days left empty are the first and the last recorded. Of days a run needs two, of shorter bars one will do."""
        span = self.spans.get(self.cleaned_data.get("symbol", ""))
        if span is None or "first" in self.errors or "last" in self.errors:
            return
        days = {name: self.cleaned_data[name] or getattr(span, name) for name in ("first", "last")}
        for name, day in days.items():
            if not span.first <= day <= span.last:
                self.add_error(name, f"{span.symbol} is recorded from {span.first} to {span.last}")
        if not self.errors and days["first"] >= days["last"] + timedelta(days=span.resolution != DAILY):
            self.add_error("last", "Must be after the first day")
        self.cleaned_data |= days | {"symbol": span.symbol, "resolution": span.resolution}
        if not self.errors:
            self.count_looks()

    def count_looks(self) -> None:
        """About how often a run would look at a price; too often is refused."""
        asked = (self.cleaned_data[name] for name in ("symbol", "resolution", "first", "last", "path"))
        self.looks = looks_over(*asked)
        if self.looks > MOST_LOOKS:
            said = too_many(self.cleaned_data["path"])
            self.add_error("first", said[0].upper() + said[1:])

    @property
    def typed(self) -> dict[str, Any]:
        """All that was typed, as one thing to compare."""
        return {name: str(self.data[name]) for name in self.base_fields if name in self.data} | {
            "settings": self.settings.given
        }

    def asked(self) -> dict[str, Any]:
        """As `create_run` takes it, once all is right."""
        typed = self.cleaned_data
        same = {name: typed[name] for name in ("symbol", "resolution", "cash", "in_stock", "slippage", "path", "name")}
        return same | {"first_day": typed["first"], "last_day": typed["last"], "settings": self.settings.given}


def key_typed(symbol: str, resolution: str) -> str:
    """As the list of series has it, whatever the case, and whether in one field or in two."""
    name, _, beside = symbol.strip().partition(" ")
    return series_key(name.upper(), (beside.strip() or resolution.strip()).lower() or DAILY)


def checked(read: Typed) -> Typed:
    """With what one setting asks of another, once each for itself is in order."""
    if read.errors:
        return read
    try:
        merge_settings(parse_settings(read.given))
    except SettingError as error:
        return Typed(read.given, {error.field: error.message})
    return read

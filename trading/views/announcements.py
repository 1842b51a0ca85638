"""Announcing by hand, for staff: dividends and splits, put right or taken back, and the word that there is no more."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from dividends.services.announcements import note_answers
from dividends.services.corrections import cancel_split
from portfolios.domain.amounts import MAX_PRICE, as_text, micros
from portfolios.errors import Refused
from portfolios.services.positions import SYMBOL
from trading.market.selectors import market_now
from trading.services.corporate_actions import cancel_dividend
from trading.services.told_actions import Taken, Told, ToldDividend, ToldSplit, take_actions
from trading.views.bars import for_staff
from trading.views.visitor import actor_of

WHAT = {
    "dividend": "A dividend",
    "split": "A split",
    "no-dividend": "Take a dividend back",
    "no-split": "Take a split back",
    "nothing-more": "There is no more until this day",
}
MOST_RATIO = 10_000


class AmountInput(forms.CharField):
    """Of money, exactly; the cleaned value is in micros."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            amount = micros(text.strip())
        except ValueError as error:
            raise forms.ValidationError(f"It {error}.") from None
        if not 0 < amount <= MAX_PRICE:
            raise forms.ValidationError(f"Above 0 and at most {as_text(MAX_PRICE)}.")
        return amount


class AnnouncementForm(forms.Form):
    what = forms.ChoiceField(choices=list(WHAT.items()), label="What")
    symbol = forms.RegexField(
        rf"\A{SYMBOL.pattern}\Z",
        max_length=12,
        error_messages={"invalid": "A symbol such as IBM or BRK.B", "required": "Of which stock?"},
    )
    source = forms.ChoiceField(choices=())
    ex_date = forms.DateField(error_messages={"required": "Which day?", "invalid": "A day such as 2007-02-07"})
    dps = AmountInput(required=False, max_length=30)
    pay_date = forms.DateField(required=False, error_messages={"invalid": "A day such as 2007-03-09"})
    numerator = forms.IntegerField(required=False, min_value=1, max_value=MOST_RATIO)
    denominator = forms.IntegerField(required=False, min_value=1, max_value=MOST_RATIO)
    corrects = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = [(name, name) for name in sorted(settings.PRICE_SOURCES)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        needed = {"dividend": ("dps",), "split": ("numerator", "denominator")}.get(given.get("what", ""), ())
        for name in needed:
            if given.get(name) is None and name not in self.errors:
                self.add_error(name, "This is needed.")
        ex_date, pay_date = given.get("ex_date"), given.get("pay_date")
        if ex_date and not 1900 <= ex_date.year <= 2999:
            self.add_error("ex_date", "From 1900 to 2999.")
        if ex_date and pay_date and pay_date < ex_date:
            self.add_error("pay_date", "Not before the ex-date.")
        if given.get("what") == "split" and given.get("numerator") and given["numerator"] == given.get("denominator"):
            self.add_error("numerator", "Must differ from the old shares.")
        return given


@for_staff
@require_http_methods(["GET", "HEAD", "POST"])
def announce(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return form_page(request, AnnouncementForm(initial={"what": "dividend", "source": "replay", "denominator": 1}))
    data = request.POST.copy()
    data["symbol"] = data.get("symbol", "").strip().upper()
    form = AnnouncementForm(data)
    if not form.is_valid():
        return form_page(request, form, 422)
    try:
        said = carried_out(form.cleaned_data, actor_of(request))
    except Refused as refused:
        form.add_error(
            refused.field if refused.field in form.fields else None,
            f"{refused.message[0].upper()}{refused.message[1:]}.",
        )
        return form_page(request, form, 422)
    messages.success(request, said)
    return redirect("dividends")


def form_page(request: HttpRequest, form: AnnouncementForm, status: int = 200) -> HttpResponse:
    return render(request, "trading/announce.html", {"form": form}, status=status)


def carried_out(given: dict[str, Any], actor: str) -> str:
    """What was done, in words. Raises Refused."""
    what, source, symbol, day = (given[name] for name in ("what", "source", "symbol", "ex_date"))
    key: dict[str, Any] = {"source": source, "symbol": symbol, "ex_date": day}
    by: dict[str, Any] = {"market_at": market_now(source), "actor": actor}
    if what == "nothing-more":
        note_answers(source=source, symbols=[symbol], day=day, by=actor)
        return f"Noted: nothing more is announced for {symbol} until {day}."
    if what == "no-dividend":
        cancel_dividend(**key, **by)
        return f"The dividend of {symbol} of {day} is taken back."
    if what == "no-split":
        cancel_split(**key, by=actor)
        return f"The split of {symbol} of {day} is taken back."
    told = Told((), (ToldSplit(symbol, day, given["numerator"], given["denominator"]),))
    if what == "dividend":
        told = Told((ToldDividend(symbol, day, given["dps"], given["pay_date"]),), ())
    return in_words(take_actions(source=source, told=told, corrects=given["corrects"], **by), symbol)


def in_words(taken: Taken, symbol: str) -> str:
    """Raises Refused for other terms that were not said to correct those known."""
    if taken.different:
        message = "this was announced for the same day with other terms; say so if these correct them"
        raise Refused("announced_otherwise", message, field="corrects", status=409)
    if taken.new:
        return f"Announced for {symbol}."
    return f"Corrected for {symbol}." if taken.corrected else f"This was announced for {symbol} already."

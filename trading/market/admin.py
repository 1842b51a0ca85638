"""The market in admin: instruments and the replay's pace can be set, prices only looked at."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from portfolios.admin.base import ReadOnlyAdmin
from trading.market.instruments import COLUMNS, heed_told
from trading.market.models import (
    Bar,
    ForgottenRefusals,
    Instrument,
    MarketClock,
    Pace,
    PriceRefusal,
    Quote,
    StoredQuotes,
)

ALWAYS = ("name", "currency", "tick", "lot", "tradable", "fractional")
BY_HAND = "Ticked: said by a person, and what a broker tells does not change it. What you change here ticks itself."
SLOWEST, FASTEST = 0.001, 10_000


def refuse_unknown_exchange(code: str) -> None:
    import exchange_calendars  # noqa: PLC0415 - pulls pandas

    if code not in exchange_calendars.get_calendar_names():
        raise ValidationError("No calendar is known for this exchange, such as XNYS")


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    """Once a price has come for it, its sessions have been used: then its exchange stays.

    What a person changes is his word from then on; what he gives back is as the broker last told it. Cells follow
    within a minute.
    """

    list_display = ("symbol", "name", "exchange", "tick", "lot", "tradable", "fractional", "by_hand", "told_at")
    list_filter = ("tradable", "fractional")
    search_fields = ("symbol",)
    lines = ("priced",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(is_priced=Exists(Quote.objects.filter(symbol=OuterRef("symbol"))))

    @admin.display(boolean=True)
    def priced(self, row: Any) -> bool:
        return is_priced(row)

    def writable(self, row: Any) -> tuple[str, ...]:
        if row is None:
            return ("symbol", "exchange", *ALWAYS)
        return (*ALWAYS, "by_hand") if is_priced(row) else ("exchange", *ALWAYS, "by_hand")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """What he changed is by hand from now on; what he gave back falls to what was told."""
        before = Instrument.objects.get(pk=obj.pk) if change else Instrument()
        said = {name for name in COLUMNS if getattr(obj, name) != getattr(before, name)}
        obj.by_hand = sorted(said | set(obj.by_hand))
        told = heed_told(obj)
        obj.save(update_fields=["by_hand", *said, *told] if change else None)

    def has_add_permission(self, request: HttpRequest, *_row: Any) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "by_hand":
            ticks = forms.CheckboxSelectMultiple
            choices = [(name, name) for name in COLUMNS]
            return forms.MultipleChoiceField(choices=choices, required=False, widget=ticks, help_text=BY_HAND)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "exchange":
            field.validators.append(refuse_unknown_exchange)
        return field


def is_priced(row: Any) -> bool:
    """A row as the list reads it knows; for one added just now nobody has looked."""
    return getattr(row, "is_priced", False)


@admin.register(Quote)
class QuoteAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "at", "last", "bid", "ask", "source", "received_at")
    search_fields = ("symbol",)
    sortable_by = ()


@admin.register(StoredQuotes)
class StoredQuotesAdmin(ReadOnlyAdmin):
    list_display = ("source", "month", "rows", "first", "last", "stored_at")
    sortable_by = ()


@admin.register(ForgottenRefusals)
class ForgottenRefusalsAdmin(ReadOnlyAdmin):
    list_display = ("source", "reason", "count")
    sortable_by = ()


@admin.register(PriceRefusal)
class PriceRefusalAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "source", "at", "last", "reason", "sentence", "received_at")
    search_fields = ("symbol",)
    list_filter = ("reason", "source")
    sortable_by = ()


@admin.register(Pace)
class PaceAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "source", "price", "at", "returns", "doubted", "asked_at")
    search_fields = ("symbol",)
    sortable_by = ()


@admin.register(Bar)
class BarAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "day", "open", "high", "low", "close", "volume")
    date_hierarchy = "day"
    search_fields = ("symbol",)


@admin.register(MarketClock)
class MarketClockAdmin(ReadOnlyAdmin):
    """Whether and how fast a replayed market walks; where it stands is the feed's alone."""

    list_display = ("source", "at", "phase", "running", "speed", "ended")

    def writable(self, row: MarketClock | None) -> tuple[str, ...]:
        return ("running", "speed")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "speed":
            field.validators += [MinValueValidator(SLOWEST), MaxValueValidator(FASTEST)]
        return field

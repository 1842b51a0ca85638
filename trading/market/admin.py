"""The market in admin: instruments and the replay's pace can be set, prices only looked at."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from portfolios.admin.base import ReadOnlyAdmin
from trading.market.models import Bar, Instrument, MarketClock, Pace, PriceRefusal, Quote, StoredQuotes

ALWAYS = ("name", "currency", "tick", "lot", "tradable", "fractional")
SLOWEST, FASTEST = 0.001, 10_000


def refuse_unknown_exchange(code: str) -> None:
    import exchange_calendars  # noqa: PLC0415 - pulls pandas

    if code not in exchange_calendars.get_calendar_names():
        raise ValidationError("No calendar is known for this exchange, such as XNYS")


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    """Once a price has come for it, its sessions have been used: then its exchange stays."""

    list_display = ("symbol", "name", "exchange", "priced")
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
        return ALWAYS if is_priced(row) else ("exchange", *ALWAYS)

    def has_add_permission(self, request: HttpRequest, *_row: Any) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
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

"""Portfolios, cells, settings and the log of facts, as they stand."""

from typing import Any

from django.contrib import admin
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from portfolios.admin.base import NOTHING, ReadOnlyAdmin, amount_text, pretty
from portfolios.domain.chain import chained_hash
from portfolios.domain.exact import LARGEST
from portfolios.events import EventType
from portfolios.models import Account, Event, House, Portfolio, Position, SettingsVersion

RECENT = 100_000


def link_to(table: str, row: Portfolio | Position) -> str:
    """To the rows of a table that belong to this one."""
    return format_html(
        '<a href="{}?q={}">its {}s</a>', reverse(f"admin:portfolios_{table}_changelist"), row.public_id, table
    )


@admin.register(Portfolio)
class PortfolioAdmin(ReadOnlyAdmin):
    """Only the name can be changed: prices, mode and rules belong to what has happened already."""

    list_display = ("name", "owner", "mode", "source", "state", "created_at")
    list_filter = ("mode", "state")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username", "public_id__exact")
    lines = ("cells", "log")
    get_search_results = admin.ModelAdmin.get_search_results

    def writable(self, row: Portfolio | None) -> tuple[str, ...]:
        return ("name",)

    @admin.display(description="cells")
    def cells(self, portfolio: Portfolio) -> str:
        return link_to("position", portfolio)

    @admin.display(description="log")
    def log(self, portfolio: Portfolio) -> str:
        return link_to("event", portfolio)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Opened, armed and closed by its owner. Its credentials are shown to nobody, not even encrypted."""

    list_display = ("name", "owner", "adapter", "mode", "state", "armed_at", "reconciled_at", "doubted_at")
    list_filter = ("adapter", "mode", "state")
    list_select_related = ("owner",)
    search_fields = ("name", "code", "public_id", "owner__username")
    hidden = ("sealed",)


@admin.register(House)
class HouseAdmin(ReadOnlyAdmin):
    """One row: the head of the stream of what concerns everybody."""

    list_display = ("public_id", "event_seq", "event_hash")
    search_fields = ("public_id",)


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "portfolio", "state", "shares", "cash", "receivable", "anchor", "wakes", "quote_at")
    list_filter = ("state",)
    list_select_related = ("portfolio",)
    search_fields = ("symbol", "public_id", "portfolio__public_id", "portfolio__owner__username")
    hidden = ("wake_below", "wake_above")
    lines = ("wakes", "log")

    @admin.display(description="wakes at a price")
    def wakes(self, position: Position) -> str:
        if position.wake_below == LARGEST:
            return "any"
        return f"below {amount_text(position.wake_below)} or above {amount_text(position.wake_above)}"

    @admin.display(description="log")
    def log(self, position: Position) -> str:
        return link_to("event", position)


@admin.register(SettingsVersion)
class SettingsVersionAdmin(ReadOnlyAdmin):
    list_display = ("number", "portfolio", "position", "author", "note", "created_at")
    list_select_related = ("portfolio", "position__portfolio", "author")
    search_fields = ("portfolio__public_id", "position__public_id")


class RecentTypeFilter(admin.SimpleListFilter):
    """No index leads from a type to its events: without a stream to search in, only the newest are looked through."""

    title = f"type (the newest {RECENT:,}, or those of the stream searched for)"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(EventType.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        if self.value() is None:
            return queryset
        if not request.GET.get("q"):
            newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
            queryset = queryset.filter(pk__gt=newest - RECENT)
        return queryset.filter(type=self.value())


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("market_at", "type", "message", "portfolio", "seq", "actor")
    list_filter = (RecentTypeFilter,)
    list_select_related = ("portfolio",)
    search_fields = ("stream_id",)
    search_help_text = "The UUID of a cell or portfolio"
    sortable_by = ()
    hidden = ("text",)
    lines = ("before", "after", "hash_is_right", "content")

    @admin.display(description="what happened")
    def message(self, event: Event) -> str:
        return str(event.content["message"])

    @admin.display(description="the fact before")
    def before(self, event: Event) -> str:
        return neighbour(event, event.seq - 1)

    @admin.display(description="the fact after")
    def after(self, event: Event) -> str:
        return neighbour(event, event.seq + 1)

    @admin.display(description="the hash fits the text", boolean=True)
    def hash_is_right(self, event: Event) -> bool:
        return event.hash == chained_hash(event.prev_hash, event.text)

    @admin.display(description="text")
    def content(self, event: Event) -> str:
        return pretty(event.content)


def neighbour(event: Event, seq: int) -> str:
    found = Event.objects.filter(stream_id=event.stream_id, seq=seq).only("pk", "type", "seq").first()
    if found is None:
        return NOTHING
    return format_html('<a href="{}">{}</a>', reverse("admin:portfolios_event_change", args=[found.pk]), found)

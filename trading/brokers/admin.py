"""What brokers told of accounts, and the paper broker's book, in admin: looked at, to be compared with ours."""

from django.contrib import admin

from portfolios.admin.base import ReadOnlyAdmin
from trading.brokers.models import Ability, PaperEntry, PaperExecution, PaperOrder


@admin.register(Ability)
class AbilityAdmin(ReadOnlyAdmin):
    list_display = ("account", "blocked", "fractional", "extended_hours", "whole_only", "untradable", "probed_at")
    search_fields = ("account",)


@admin.register(PaperOrder)
class PaperOrderAdmin(ReadOnlyAdmin):
    list_display = ("accepted_at", "symbol", "side", "quantity", "limit_price", "status", "filled_quantity", "account")
    list_filter = ("status", "side")
    search_fields = ("client_order_id", "symbol", "account")


@admin.register(PaperExecution)
class PaperExecutionAdmin(ReadOnlyAdmin):
    list_display = ("at", "order", "quantity", "price", "execution_id")
    list_select_related = ("order",)
    search_fields = ("execution_id", "order__client_order_id")


@admin.register(PaperEntry)
class PaperEntryAdmin(ReadOnlyAdmin):
    list_display = ("ex_date", "kind", "symbol", "shares", "cash", "account", "book")
    list_filter = ("kind",)
    search_fields = ("symbol", "account", "book")

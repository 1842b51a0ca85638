"""Orders and their executions in admin: looked at, never written."""

from django.contrib import admin

from portfolios.admin.base import ReadOnlyAdmin, ReadOnlyInline
from trading.models import Execution, Order


class ExecutionInline(ReadOnlyInline):
    model = Execution
    hidden = ("id", "order", "account", "recorded_at")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = (
        "decided_at",
        "position",
        "side",
        "quantity",
        "limit_price",
        "status",
        "filled_quantity",
        "notional",
        "fee",
        "origin",
        "reason",
    )
    list_filter = ("status", "side", "origin")
    list_select_related = ("position__portfolio",)
    search_fields = ("public_id", "client_order_id", "position__public_id", "position__symbol")
    inlines = [ExecutionInline]


@admin.register(Execution)
class ExecutionAdmin(ReadOnlyAdmin):
    list_display = ("at", "order", "quantity", "price", "notional", "commission", "broker_execution_id")
    list_select_related = ("order",)
    search_fields = ("broker_execution_id", "order__public_id")

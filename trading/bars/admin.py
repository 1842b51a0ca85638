"""Stored bars and imports in admin: looked at, never changed."""

from django.contrib import admin

from portfolios.admin.base import ReadOnlyAdmin
from trading.bars.models import BarImport, StoredPart


@admin.register(StoredPart)
class StoredPartAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "resolution", "period", "rows", "source", "imported_at")
    list_filter = ("resolution",)
    search_fields = ("symbol", "source")


@admin.register(BarImport)
class BarImportAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "symbol", "resolution", "name", "status", "created_by")
    list_select_related = ("created_by",)
    list_filter = ("status", "resolution")
    search_fields = ("symbol", "name")

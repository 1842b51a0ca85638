"""The cache of daily figures in admin: only looked at; it is rebuilt, never edited."""

from django.contrib import admin

from portfolios.admin.base import ReadOnlyAdmin
from reporting.models import DailySnapshot, PortfolioSnapshot


@admin.register(DailySnapshot)
class DailySnapshotAdmin(ReadOnlyAdmin):
    list_display = ("position", "day", "value", "alone", "held")
    list_select_related = ("position__portfolio",)
    search_fields = ("position__symbol", "position__public_id")


@admin.register(PortfolioSnapshot)
class PortfolioSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("portfolio", "day")
    list_select_related = ("portfolio",)
    search_fields = ("portfolio__public_id",)

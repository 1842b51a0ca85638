"""Runs and sweeps in admin: looked at, never changed."""

from django.contrib import admin

from portfolios.admin.base import ReadOnlyAdmin
from trading.simulation.models import SimulationRun, Sweep, SweepChunk


class WorkAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "owner", "symbol", "resolution", "first_day", "last_day", "status", "done", "total")
    list_select_related = ("owner",)
    list_filter = ("status", "resolution")
    search_fields = ("symbol", "name", "owner__username")


@admin.register(SimulationRun)
class SimulationRunAdmin(WorkAdmin):
    exclude = ("series",)


@admin.register(Sweep)
class SweepAdmin(WorkAdmin):
    pass


@admin.register(SweepChunk)
class SweepChunkAdmin(ReadOnlyAdmin):
    list_display = ("sweep", "begin", "end", "taken_at")
    list_select_related = ("sweep",)
    exclude = ("figures",)

"""The ground floor in Django admin: people, ledger and upkeep. Money is looked at here, never written."""

from django.contrib import admin

from portfolios.admin import ledger, people, upkeep

__all__ = ["ledger", "people", "upkeep"]

admin.site.site_header = "Volatility Balancing"
admin.site.site_title = "Volatility Balancing admin"
admin.site.index_title = "Everything the robot knows"

"""Every address of the house, floor by floor."""

from django.contrib import admin
from django.urls import include, path

from reporting.views.console import console
from vbalance import aliases, documents, health, metrics

urlpatterns = [
    path("favicon.ico", documents.favicon, name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("v1/healthz", health.healthz_v1, name="healthz-v1"),
    path("v1/version", health.version, name="version"),
    path("v1/schema", documents.Schema.as_view(), name="schema"),
    path("v1/metrics", metrics.Metrics.as_view(), name="api-metrics"),
    path("v1/docs", documents.SwaggerPage.as_view(), name="swagger"),
    path("v1/redoc", documents.RedocPage.as_view(), name="redoc"),
    path("", include("portfolios.api.urls")),
    path("", include("dividends.api.urls")),
    path("", include("trading.api.urls")),
    path("", include("reporting.api.urls")),
    path("metrics", aliases.metrics, name="alias-metrics"),
    path("events", aliases.events, name="alias-events"),
    path("orders/callback", aliases.callback, name="alias-callback"),
    path("positions/<str:public_id>/evaluate", aliases.evaluate, name="alias-evaluate"),
    path("positions/<uuid:public_id>", aliases.position, name="alias-position"),  # the cockpit, or its JSON
    path("console", console, {"examine": health.examined, "queues": health.queues}, name="console"),
    path("admin/", admin.site.urls),
    path("", include("trading.urls")),
    path("", include("portfolios.urls")),
    path("", include("reporting.urls")),
]

handler400 = "portfolios.api.problems.bad_request"
handler403 = "portfolios.api.problems.permission_denied"
handler404 = "portfolios.api.problems.page_not_found"
handler500 = "portfolios.api.problems.server_error"

"""Every address of the house, floor by floor."""

from django.contrib import admin
from django.urls import path

from vbalance import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("v1/healthz", health.healthz_v1, name="healthz-v1"),
    path("v1/version", health.version, name="version"),
    path("admin/", admin.site.urls),
]

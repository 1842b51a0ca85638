"""Addresses of the JSON doors of the dividends floor."""

from django.urls import path

from dividends.api.announcements import DividendList, EntitlementList, SplitList

urlpatterns = [
    path("v1/dividends", DividendList.as_view(), name="api-dividends"),
    path("v1/dividends/entitlements", EntitlementList.as_view(), name="api-entitlements"),
    path("v1/splits", SplitList.as_view(), name="api-splits"),
]

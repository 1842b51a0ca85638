"""Addresses of the JSON doors of reporting."""

from django.urls import path

from reporting.api.exports import ExportFile

urlpatterns = [
    path("v1/exports/<str:kind>.<str:form>", ExportFile.as_view(), name="api-export"),
]

"""Addresses of the JSON doors of reporting."""

from django.urls import path

from reporting.api.dividends import DividendForecast
from reporting.api.exports import ExportFile
from reporting.api.overview import PortfolioOverview
from reporting.api.runs import RunFile

urlpatterns = [
    path("v1/dividends/forecast", DividendForecast.as_view(), name="api-dividend-forecast"),
    path("v1/portfolios/<str:public_id>/overview", PortfolioOverview.as_view(), name="api-portfolio-overview"),
    path("v1/exports/<str:kind>.<str:form>", ExportFile.as_view(), name="api-export"),
    path("v1/simulations/<str:public_id>/exports/<str:kind>.<str:form>", RunFile.as_view(), name="api-export-run"),
]

"""The pages."""

from django.urls import path

from reporting.views import audit, cells, dividends, orders, people, reports

urlpatterns = [
    path("login", people.SignIn.as_view(), name="login"),
    path("settings", people.profile, name="profile"),
    path("portfolios/<uuid:public_id>/members", people.members, name="members"),
    path("", cells.overview, name="overview"),
    path("live", cells.overview_live, name="overview-live"),
    path("positions/<uuid:public_id>", cells.cockpit, name="cockpit"),
    path("positions/<uuid:public_id>/live", cells.cockpit_live, name="cockpit-live"),
    path("positions/<uuid:public_id>/chart", cells.chart, name="chart"),
    path("positions/<uuid:public_id>/timeline", cells.timeline, name="timeline"),
    path("reports", reports.reports, name="reports"),
    path("audit", audit.audit, name="audit"),
    path("dividends", dividends.dividends, name="dividends"),
    path("orders", orders.orders, name="orders"),
    path("orders/<uuid:public_id>", orders.order, name="order"),
]

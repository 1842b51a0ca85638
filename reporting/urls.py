"""The pages."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from reporting.views import cells, orders

urlpatterns = [
    path("login", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("", cells.overview, name="overview"),
    path("live", cells.overview_live, name="overview-live"),
    path("positions/<uuid:public_id>", cells.cockpit, name="cockpit"),
    path("positions/<uuid:public_id>/live", cells.cockpit_live, name="cockpit-live"),
    path("positions/<uuid:public_id>/chart", cells.chart, name="chart"),
    path("positions/<uuid:public_id>/timeline", cells.timeline, name="timeline"),
    path("orders", orders.orders, name="orders"),
    path("orders/<uuid:public_id>", orders.order, name="order"),
]

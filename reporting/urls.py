"""The pages."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from reporting import views

urlpatterns = [
    path("login", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("", views.overview, name="overview"),
    path("live", views.overview_live, name="overview-live"),
    path("positions/<uuid:public_id>", views.cockpit, name="cockpit"),
    path("positions/<uuid:public_id>/live", views.cockpit_live, name="cockpit-live"),
    path("positions/<uuid:public_id>/chart", views.chart, name="chart"),
    path("positions/<uuid:public_id>/timeline", views.timeline, name="timeline"),
]

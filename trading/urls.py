"""The POST actions of pages."""

from django.urls import path

from trading import views

urlpatterns = [
    path("feeds/<slug:source>/pause", views.pause_feed, name="pause-feed"),
    path("feeds/<slug:source>/resume", views.resume_feed, name="resume-feed"),
]

"""The POST actions of pages."""

from django.urls import path

from trading.views import feeds

urlpatterns = [
    path("feeds/<slug:source>/pause", feeds.pause_feed, name="pause-feed"),
    path("feeds/<slug:source>/resume", feeds.resume_feed, name="resume-feed"),
]

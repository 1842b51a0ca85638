"""The POST actions of pages."""

from django.urls import path

from trading.views import feeds, orders

urlpatterns = [
    path("feeds/<slug:source>/pause", feeds.pause_feed, name="pause-feed"),
    path("feeds/<slug:source>/resume", feeds.resume_feed, name="resume-feed"),
    path("orders/<uuid:public_id>/cancel", orders.cancel_order, name="order-cancel"),
]

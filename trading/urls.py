"""The POST actions of pages."""

from django.urls import path

from trading.views import acts, chain, feeds, orders
from trading.views.deeds import DEEDS

urlpatterns = [
    path("feeds/<slug:source>/pause", feeds.pause_feed, name="pause-feed"),
    path("feeds/<slug:source>/resume", feeds.resume_feed, name="resume-feed"),
    *(path(f"positions/<uuid:public_id>/act/{name}", acts.act, {"name": name}, name=f"act-{name}") for name in DEEDS),
    path("audit/verify", chain.verify_chain, name="audit-verify"),
    path("orders/<uuid:public_id>/cancel", orders.cancel_order, name="order-cancel"),
]

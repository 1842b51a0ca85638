"""Addresses of the JSON doors of trading."""

from django.urls import path

from trading.api.evaluation import Evaluate, Tick
from trading.api.events import Events, PositionEvents
from trading.api.orders import CancelOrder, FillOrder, OrderDetail, OrderList, PositionOrders
from trading.api.positions import PositionDetail, PositionList

urlpatterns = [
    path("v1/positions", PositionList.as_view(), name="api-positions"),
    path("v1/positions/<str:public_id>", PositionDetail.as_view(), name="api-position"),
    path("v1/positions/<str:public_id>/events", PositionEvents.as_view(), name="api-position-events"),
    path("v1/positions/<str:public_id>/evaluate", Evaluate.as_view(), name="api-evaluate"),
    path("v1/positions/<str:public_id>/tick", Tick.as_view(), name="api-tick"),
    path("v1/positions/<str:public_id>/orders", PositionOrders.as_view(), name="api-position-orders"),
    path("v1/events", Events.as_view(), name="api-events"),
    path("v1/orders", OrderList.as_view(), name="api-orders"),
    path("v1/orders/<str:public_id>", OrderDetail.as_view(), name="api-order"),
    path("v1/orders/<str:public_id>/cancel", CancelOrder.as_view(), name="api-cancel"),
    path("v1/orders/<str:public_id>/fill", FillOrder.as_view(), name="api-fill"),
]

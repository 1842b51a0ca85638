from django.apps import AppConfig


class MarketConfig(AppConfig):
    name = "trading.market"
    label = "market"

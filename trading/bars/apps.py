from django.apps import AppConfig


class BarsConfig(AppConfig):
    name = "trading.bars"
    label = "bars"

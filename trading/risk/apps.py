from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "trading.risk"
    label = "risk"

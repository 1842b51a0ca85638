from django.apps import AppConfig


class BrokersConfig(AppConfig):
    name = "trading.brokers"
    label = "brokers"

from django.apps import AppConfig


class DividendsConfig(AppConfig):
    name = "dividends"

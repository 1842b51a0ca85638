from django.apps import AppConfig


class VbalanceConfig(AppConfig):
    name = "vbalance"
    default_auto_field = "django.db.models.BigAutoField"

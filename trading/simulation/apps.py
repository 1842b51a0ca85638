from django.apps import AppConfig


class SimulationConfig(AppConfig):
    name = "trading.simulation"
    label = "simulation"

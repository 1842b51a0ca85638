"""How hypothesis draws here: the same cases in every run; `--hypothesis-profile=wide` searches further, at random."""

from hypothesis import HealthCheck, settings

SHARED = {"deadline": None, "suppress_health_check": [HealthCheck.filter_too_much, HealthCheck.too_slow]}

settings.register_profile("house", max_examples=100, derandomize=True, **SHARED)
settings.register_profile("wide", max_examples=5_000, derandomize=False, **SHARED)
settings.load_profile("house")

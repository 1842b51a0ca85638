"""How hypothesis draws here: the same cases in every run; `--hypothesis-profile=wide` searches further, at random."""

from hypothesis import settings

settings.register_profile("house", max_examples=200, derandomize=True, deadline=None)
settings.register_profile("wide", max_examples=5_000, derandomize=False, deadline=None)
settings.load_profile("house")

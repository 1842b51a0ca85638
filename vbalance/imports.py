"""Imports now what every program would import later: copies of a process share it, and no visitor waits for it."""

import gc
from importlib import import_module

from django.conf import settings

from vbalance.celery import app as celery


def prepare_imports() -> None:
    """With Django set up. The collector leaves what is there alone, so that memory stays shared."""
    celery.loader.import_default_modules()
    celery.finalize()
    import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()

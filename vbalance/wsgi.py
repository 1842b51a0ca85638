"""The WSGI entry point for gunicorn."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
application = get_wsgi_application()
gc.collect()
gc.freeze()  # what every request finds there already need not be looked through again, nor copied by the workers

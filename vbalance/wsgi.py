"""The WSGI entry point for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from vbalance.imports import prepare_imports

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
application = get_wsgi_application()
prepare_imports()  # before the workers are copied: else each of them lets its first visitor wait for it

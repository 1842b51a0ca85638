"""Inner command of the benchmarks: one way, in a process and a database of its own; prints one line of JSON."""

import json
import os
import sys

import django
from django.utils.module_loading import import_string

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vbalance.settings")
    django.setup()
    _, way, until = sys.argv
    print(json.dumps(import_string(f"benchmarks.ways.{way}")(until)))

"""Ask the house that `up` started to stop, and wait until it has."""

import os
import signal
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vbalance import environment
from vbalance.stores.embedded import only_one
from vbalance.stores.errors import StoresInUse

PATIENCE = 15.0


class Command(BaseCommand):
    help = "Stop what `up` started for this data folder."
    requires_system_checks = []

    def handle(self, **_options: Any) -> None:
        pid = holder()
        if pid is None:
            self.stdout.write("nothing is running")
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while holder() == pid:
            if time.monotonic() > deadline:
                raise CommandError(f"process {pid} does not stop. Type: kill -9 {pid}")
            time.sleep(0.1)
        self.stdout.write("stopped")


def holder() -> int | None:
    """Who holds the lock; a note left by a killed process holds nothing."""
    try:
        with only_one(environment.VAR, doing="down"):
            return None
    except StoresInUse as error:
        return error.pid

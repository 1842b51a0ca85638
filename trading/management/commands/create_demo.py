"""Create the demo investor with four cells, and keep his password and token in var/demo.json (mode 0600)."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from trading.services.demonstration import create_demo


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        access = create_demo()
        if access is None:
            self.stdout.write("the demo is there already")
            return
        path = settings.VAR / "demo.json"
        settings.VAR.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(json.dumps(access._asdict()))
        self.stdout.write(f"demo portfolio created; its login and token are in {path}")

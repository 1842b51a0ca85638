"""The version of the rule that is running: a hash of the sources of the three domain packages."""

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings

DOMAINS = ("portfolios/domain", "dividends/domain", "trading/domain")


@cache
def rule_version() -> str:
    """SHA-256 over the names and texts of the domain sources, in order."""
    digest = hashlib.sha256()
    for folder in DOMAINS:
        for path in sorted(Path(settings.BASE_DIR, folder).glob("*.py")):
            digest.update(f"{folder}/{path.name}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()

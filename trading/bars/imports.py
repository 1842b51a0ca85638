"""Imports as they are remembered: what came in by whom, and files that were looked over and wait for a yes."""

from typing import Any

from django.utils import timezone

from portfolios.models import User
from trading.bars.folder import sha256_of
from trading.bars.models import BarImport
from trading.bars.services import Findings, Wish, import_file
from trading.bars.watched import Progress, quiet


def take_in(wish: Wish, *, replace: bool = False, by: User | None = None, progress: Progress = quiet) -> Findings:
    """Import a file and remember it. Raises as `import_file`."""
    found = import_file(wish, replace=replace, progress=progress)
    BarImport.objects.create(
        symbol=found.symbol,
        resolution=found.resolution,
        name=shown_name(wish.name),
        sha256=sha256_of(wish.path),
        found=found_in(found),
        replaced=replace,
        created_by=by,
        status=BarImport.Status.COMMITTED,
        committed_at=timezone.now(),
    )
    return found


def shown_name(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:120]


def found_in(found: Findings) -> dict[str, Any]:
    return found._asdict() | {"warnings": list(found.warnings)}

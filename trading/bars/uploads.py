"""Files people send: kept for a day beside the bars, read for a preview, read again when somebody says yes."""

import gzip
import zlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.models import User
from trading.bars.faults import unfit
from trading.bars.folder import OWNERS_FILE, sha256_of, uploads_folder
from trading.bars.imports import found_in, shown_name
from trading.bars.models import BarImport
from trading.bars.services import Findings, Wish, import_file, look_over

MOST_BYTES = 5 * 2**20
MOST_ROWS = 200_000
MOST_TEXT = 64 * 2**20  # of a gzipped file, once unpacked
MOST_WAITING = 20
KEPT = timedelta(days=1)
Status = BarImport.Status


def preview(
    *, content: Iterable[bytes], name: str, symbol: str, resolution: str, accept_jumps: bool, by: User
) -> BarImport:
    """What is in a file, kept until somebody says yes. Raises Unfit; Refused: file_too_large (413), too_many_imports
    (409), and as `look_over`.
    """
    forget_old()
    if BarImport.objects.filter(created_by=by, status=Status.PREVIEWED).count() >= MOST_WAITING:
        message = f"at most {MOST_WAITING} files can wait for a yes; take one in or wait a day"
        raise Refused("too_many_imports", message, status=409)
    asked = BarImport(name=shown_name(name) or "file", symbol=symbol, created_by=by)
    path = saved(content, asked)
    try:
        found = look_over(Wish(path, asked.name, symbol, resolution, accept_jumps, MOST_ROWS))
        asked.resolution, asked.sha256 = found.resolution, sha256_of(path)
        asked.found = found_in(found) | {"accept_jumps": accept_jumps}
        asked.save()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return asked


def commit(*, asked: BarImport, replace: bool) -> BarImport:
    """Take a file in that was looked over, checked once more against what is recorded now; twice is once.

    Raises as `import_file`; Refused: import_expired (409).
    """
    with transaction.atomic():
        asked = BarImport.objects.select_for_update().get(pk=asked.pk)
        if asked.status == Status.COMMITTED:
            return asked
        path = kept_file(asked)
        if path is None:
            raise Refused("import_expired", "the file was kept for a day only; send it again", status=409)
        jumps = bool(asked.found.get("accept_jumps"))
        wish = Wish(path, asked.name, asked.symbol, asked.resolution, jumps, MOST_ROWS)
        found: Findings = import_file(wish, replace=replace)
        asked.found = found_in(found) | {"accept_jumps": jumps}
        asked.status, asked.replaced, asked.committed_at = Status.COMMITTED, replace, timezone.now()
        asked.save()
    path.unlink(missing_ok=True)
    return asked


def saved(content: Iterable[bytes], asked: BarImport) -> Path:
    """By what it begins with, gzip unpacked: counted on the way, so that no bomb goes off."""
    pieces = limited(content, MOST_BYTES, "a file may have at most 5 MiB; larger ones go in by manage.py import_bars")
    first = next(iter(pieces), b"")
    if first.startswith(b"PK"):
        raise unfit("is a ZIP archive; send the CSV or the Parquet file in it")
    is_parquet = first.startswith(b"PAR1")
    path = uploads_folder() / f"{asked.public_id}.{'parquet' if is_parquet else 'csv'}"
    rest = together(first, pieces)
    if first.startswith(b"\x1f\x8b"):
        rest = limited(unpacked(rest), MOST_TEXT, "unpacks to more than 64 MiB")
    try:
        with path.open("xb") as file:
            path.chmod(OWNERS_FILE)
            file.writelines(rest)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def together(first: bytes, rest: Iterable[bytes]) -> Iterable[bytes]:
    yield first
    yield from rest


def limited(content: Iterable[bytes], most: int, why: str) -> Iterable[bytes]:
    """Raises Refused: file_too_large (413)."""
    size = 0
    for piece in content:
        size += len(piece)
        if size > most:
            raise Refused("file_too_large", why, field="file", status=413)
        yield piece


def unpacked(content: Iterable[bytes]) -> Iterable[bytes]:
    """A little at a time, whatever a byte of it unpacks to."""
    unzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        for piece in content:
            left = piece
            while left and not unzip.eof:
                yield unzip.decompress(left, 2**20)
                left = unzip.unconsumed_tail
        if not unzip.eof:
            raise EOFError
    except (zlib.error, EOFError, gzip.BadGzipFile):
        raise unfit("is gzip that is broken or cut off") from None


def kept_file(asked: BarImport) -> Path | None:
    found = (uploads_folder() / f"{asked.public_id}.{ending}" for ending in ("csv", "parquet"))
    return next((path for path in found if path.is_file()), None)


def forget_old() -> int:
    """Files nobody said yes to within a day, and what was found in them. How many went."""
    old = BarImport.objects.filter(status=Status.PREVIEWED, created_at__lt=timezone.now() - KEPT)
    gone = old.delete()[0]
    begun = (timezone.now() - KEPT).timestamp()
    for path in uploads_folder().iterdir():
        if path.stat().st_mtime < begun:
            path.unlink(missing_ok=True)
    return gone

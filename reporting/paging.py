"""Pages through a list, newest first: a signed cursor in the address, so that nobody steers our queries."""

from typing import Generic, NamedTuple, TypeVar

from django.core import signing
from django.db.models import Model, QuerySet

PAGE = 50
Row = TypeVar("Row", bound=Model)


class Slice(NamedTuple, Generic[Row]):
    """older: the cursor of the next page, empty at the end; newest: whether this is the first page."""

    rows: list[Row]
    older: str
    newest: bool


def slice_of(rows: QuerySet[Row], cursor: str, salt: str, size: int = PAGE) -> Slice[Row]:
    """One page by primary key, downwards. A cursor that is not ours counts as none."""
    before = read_cursor(cursor, salt)
    below = rows if before is None else rows.filter(pk__lt=before)
    found = list(below.order_by("-pk")[: size + 1])
    shown = found[:size]
    older = signing.dumps(shown[-1].pk, salt=salt) if len(found) > size else ""
    return Slice(shown, older, before is None)


def read_cursor(text: str, salt: str) -> int | None:
    try:
        return int(signing.loads(text, salt=salt)) if text else None
    except signing.BadSignature:
        return None

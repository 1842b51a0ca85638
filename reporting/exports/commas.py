"""An export as CSV: UTF-8, a header, exact decimals, ISO dates."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

from reporting.exports.columns import Table, Type
from reporting.exports.text import RENDERERS

Renderers = Mapping[Type, Callable[[Any], str]]


def lines(export: Table, renderers: Renderers = RENDERERS) -> Iterator[bytes]:
    """Thousands at a time, column by column: a call for each value is what costs."""
    yield written([[column.name for column in export.kind.columns]])
    own = [renderers.get(column.type) for column in export.kind.own]
    for stream, chunk in export.chunks():
        columns = zip(*chunk, strict=True)
        values = [map(render, column) if render else column for render, column in zip(own, columns, strict=True)]
        place = [repeat(renderers[Type.TEXT](word)) for word in stream.place]
        yield written(zip(*values, *place, strict=False))


def written(rows: Any) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def write(export: Table, path: Path, renderers: Renderers = RENDERERS) -> None:
    with path.open("wb") as file:
        file.writelines(lines(export, renderers))

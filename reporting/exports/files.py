"""The three formats: what each is called on the wire, how it is written, and how it goes out by HTTP."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, NamedTuple

from django.http import FileResponse, StreamingHttpResponse

from reporting.exports import commas, parquet, workbook
from reporting.exports.columns import Table
from reporting.exports.kinds import Export


class Format(NamedTuple):
    name: str
    media_type: str
    write: Callable[[Any, Path], None]


FORMATS = {
    form.name: form
    for form in (
        Format("csv", "text/csv; charset=utf-8", commas.write),
        Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook.write),
        Format("parquet", "application/vnd.apache.parquet", parquet.write),
    )
}


def answer(export: Table, form: Format, *, head: bool = False) -> StreamingHttpResponse:
    """CSV as it is read; the others, which end with what they begin with, from a file that is gone when sent.

    To HEAD, what it would be called: nothing is read for it.
    """
    streams = form.name == "csv"
    if head:
        response = StreamingHttpResponse(())
    else:
        response = StreamingHttpResponse(commas.lines(export)) if streams else FileResponse(opened(export, form))
    response["Content-Type"] = form.media_type
    response["Content-Disposition"] = f'attachment; filename="{export.file_name}.{form.name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def opened(export: Table, form: Format) -> BinaryIO:
    """The open file without its name: nobody has to tidy up after a reader who left."""
    with TemporaryDirectory(prefix="vb-export-") as folder:
        path = Path(folder, f"export.{form.name}")
        form.write(export, path)
        return path.open("rb")


def write(export: Export, form: Format, path: Path) -> None:
    """All of it under that name, or nothing."""
    with TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        whole = Path(folder, f"export.{form.name}")
        form.write(export, whole)
        whole.replace(path)

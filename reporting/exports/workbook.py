"""An export as XLSX: a summary, then one sheet per cell. Rows go to disk as they come; numbers are numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter

from portfolios.domain.amounts import MICROS
from portfolios.errors import Refused
from reporting.exports.columns import Column, Type
from reporting.exports.kinds import PLACE, Export
from reporting.exports.scope import Stream
from reporting.exports.sheets import SUMMARY, continued, sheet_names
from reporting.exports.text import harmless

MOST_SHEETS = 200  # each keeps a file open until the book is closed
LAST_ROW = 1_048_575
LONGEST_TEXT = 32_767
TABLE = 4  # the row of the summary at which its table begins
EXACT = "Excel keeps 15 digits of a number; CSV and Parquet keep all."
FORMATS = {Type.AMOUNT: "0.00####", Type.DAY: "yyyy-mm-dd", Type.TIME: "hh:mm:ss", Type.COUNT: "0"}
WIDTHS = {Type.TEXT: 18, Type.INSTANT: 34}
HOLDING = ("shares", "cash", "receivable", "anchor")
SUMMED_UP = (*(column.name for column in PLACE), "state", *HOLDING, "rows", "sheet")


class Place(NamedTuple):
    """Where the next row goes."""

    sheet: Any
    row: int


def write(export: Export, path: Path) -> None:
    """Raises Refused for more cells than a workbook can hold."""
    if sum(stream.position is not None for stream in export.scope.streams) > MOST_SHEETS:
        message = f"more than {MOST_SHEETS} cells do not fit into one workbook: choose a portfolio, CSV or Parquet"
        raise Refused("too_many_sheets", message)
    Workbook(path, export).fill()


class Book:
    """A workbook that is written row by row, its first sheet the summary."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self.columns = columns
        self.book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)})
        self.bold = self.book.add_format({"bold": True})
        self.formats = {kind: self.book.add_format({"num_format": code}) for kind, code in FORMATS.items()}
        self.summary = self.book.add_worksheet(SUMMARY)

    def opened(self, name: str) -> Place:
        """A new sheet with its header."""
        sheet = self.book.add_worksheet(name)
        for number, column in enumerate(self.columns):
            sheet.set_column(number, number, WIDTHS.get(column.type, 12))
        sheet.freeze_panes(1, 0)
        for number, column in enumerate(self.columns):
            sheet.write_string(0, number, column.name, self.bold)
        return Place(sheet, 1)

    def written(self, place: Place, values: Sequence[Any]) -> Place:
        for number, (column, value) in enumerate(zip(self.columns, values, strict=True)):
            self.put(place, number, column.type, value)
        return Place(place.sheet, place.row + 1)

    def put(self, place: Place, number: int, kind: Type, value: Any) -> None:
        if value is None or value == "":
            return
        style = self.formats.get(kind)
        match kind:
            case Type.AMOUNT:
                place.sheet.write_number(place.row, number, value / MICROS, style)
            case Type.COUNT:
                place.sheet.write_number(place.row, number, value, style)
            case Type.DAY | Type.TIME:
                place.sheet.write_datetime(place.row, number, value, style)
            case Type.TEXT | Type.WORD | Type.INSTANT:
                place.sheet.write_string(place.row, number, harmless(value)[:LONGEST_TEXT])


class Workbook(Book):
    """Its sheets while they are written, each with the row that comes next."""

    def __init__(self, path: Path, export: Export, last_row: int = LAST_ROW) -> None:
        super().__init__(path, export.kind.columns)
        self.last_row = last_row
        self.export = export
        streams = export.scope.streams
        self.names = dict(zip(streams, sheet_names(streams), strict=True))
        self.places = {stream: self.opened(self.names[stream]) for stream in streams if stream.position}
        self.counts = dict.fromkeys(streams, 0)

    def fill(self) -> None:
        for stream, chunk in self.export.chunks():
            place = self.places.get(stream) or self.opened(self.names[stream])
            for row in chunk:
                place = self.added(place, stream, (*row, *stream.place))
            self.places[stream] = place
        self.sum_up()
        self.book.close()

    def added(self, place: Place, stream: Stream, values: Sequence[Any]) -> Place:
        if place.row > self.last_row:
            place = self.opened(continued(self.names[stream], self.counts[stream] // self.last_row + 1))
        self.counts[stream] += 1
        return self.written(place, values)

    def sum_up(self) -> None:
        """What was asked for, and each cell as it stands now."""
        for row, text in enumerate((self.export.kind.title, self.export.asked, EXACT)):
            self.summary.write_string(row, 0, text, self.bold if row == 0 else None)
        for number, name in enumerate(SUMMED_UP):
            self.summary.set_column(number, number, 18)
            self.summary.write_string(TABLE, number, name, self.bold)
        for row, stream in enumerate(self.places, start=TABLE + 1):
            place = Place(self.summary, row)
            cell = stream.position
            texts = (*stream.place, cell.state if cell else stream.portfolio.state)
            amounts = [getattr(cell, name, None) for name in HOLDING]
            kinds = [Type.TEXT] * len(texts) + [Type.AMOUNT] * len(amounts) + [Type.COUNT, Type.TEXT]
            values = (*texts, *amounts, self.counts[stream], self.names[stream])
            for number, (kind, value) in enumerate(zip(kinds, values, strict=True)):
                self.put(place, number, kind, value)

"""An export as Parquet, for programs: typed columns, amounts as DECIMAL(18,6), text as it is stored."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from reporting.exports import commas
from reporting.exports.columns import Column, Table, Type
from reporting.exports.text import RENDERERS, words

TYPES = {
    Type.TEXT: "VARCHAR",
    Type.WORD: "VARCHAR",
    Type.AMOUNT: "DECIMAL(18,6)",
    Type.COUNT: "BIGINT",
    Type.DAY: "DATE",
    Type.TIME: "TIME",
    Type.INSTANT: "TIMESTAMP WITH TIME ZONE",
}
LIMITS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "64MB",
    "threads": "1",
    "autoinstall_known_extensions": "false",
    "TimeZone": "UTC",
}
# Small row groups: a group is what has to be in memory at once.
COPY = """
    COPY (SELECT * FROM read_csv(?, header=true, auto_detect=false, delim=',', quote='"', escape='"',
                                 columns={columns}, {not_null} buffer_size=2097152))
      TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)
"""


def write(export: Table, path: Path) -> None:
    """By way of a file of text beside it, which duckdb reads as a stream."""
    with TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        source = Path(folder, "rows.csv")
        commas.write(export, source, RENDERERS | {Type.TEXT: words})
        convert(source, path, export.kind.columns)


def convert(source: Path, path: Path, columns: Sequence[Column]) -> None:
    """With wider amounts, which cost time and space, only where one has thirteen digits before the point."""
    import duckdb  # noqa: PLC0415 - 0.7 s and 60 MB that only this needs

    texts = [column.name for column in columns if TYPES[column.type] == "VARCHAR"]
    not_null = f"force_not_null={texts}," if texts else ""  # it takes no empty list
    with duckdb.connect(config=LIMITS | {"temp_directory": str(source.parent)}) as engine:
        for types in (TYPES, TYPES | {Type.AMOUNT: "DECIMAL(38,6)"}):
            typed = {column.name: types[column.type] for column in columns}
            statement = COPY.format(columns=typed, not_null=not_null, path=str(path).replace("'", "''"))
            try:
                engine.execute(statement, [str(source)])
                return
            except duckdb.ConversionException:
                if types is not TYPES:
                    raise

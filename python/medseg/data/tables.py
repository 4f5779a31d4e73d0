"""How is a table of cases read, so that a bad cell is named by its table and line."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from medseg.errors import InputError

ABSENT = ("", "NA", "NAN", "NONE", "NULL")

Row = dict[str, str]


def read_rows(table: Path, columns: Sequence[str]) -> list[tuple[int, Row]]:
    """Give (line, row) of every row; raises InputError where one of `columns` is not there.

    Cells are stripped; cells that are not there are "".
    """
    with _reading(table), table.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.DictReader(handle)
        header = reader.fieldnames or []
        missing = [column for column in columns if column not in header]
        if missing:
            raise InputError(
                f"{table}: no column {', '.join(missing)}; found {', '.join(header) or 'nothing'}"
            )
        return [
            (reader.line_num, {k: (v or "").strip() for k, v in row.items() if k is not None})
            for row in reader
        ]


def header_of(table: Path) -> list[str]:
    """The names of a table's columns."""
    with _reading(table), table.open(newline="", encoding="utf-8-sig") as handle:
        return next(csv.reader(handle), [])


def read_tracing_rows(table: Path, header: Sequence[str]) -> Iterator[tuple[str, list[float], str]]:
    """Give (file name, coordinates, frame) of each row of a table of tracings.

    Raises InputError for other columns than `header`, or a coordinate that is no number.
    """
    with _reading(table), table.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.reader(handle)
        found = next(reader, [])
        if found != list(header):
            raise InputError(f"{table}: columns are {found}, expected {list(header)}")
        for row in reader:
            if not row:
                continue
            try:
                name, *cells, frame = row
                numbers = [float(cell) for cell in cells]
                if len(row) != len(header) or not all(map(math.isfinite, numbers)):
                    raise ValueError
            except ValueError:
                raise InputError(
                    f"{table}: line {reader.line_num} is no tracing row: {row}"
                ) from None
            yield name.strip(), numbers, frame.strip()


def number(table: Path, row: Row, column: str, *, of: str) -> float | None:
    """A cell as a number, None where it is absent; raises InputError naming the case `of`."""
    text = row.get(column, "")
    if text.upper() in ABSENT:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{table}: {column} of {of} is {text!r}, no number; correct that cell")
    return value


def whole(value: float | None) -> int | None:
    """A count that a table may have written as 120.0."""
    return None if value is None else round(value)


@contextmanager
def _reading(table: Path) -> Iterator[None]:
    try:
        yield
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table}: is no table of comma-separated UTF-8 text ({error})") from None

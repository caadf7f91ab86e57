"""Workbooks of the demonstration: one way to open and fill them, the same bytes every time.

Belongs here: the XlsxWriter settings that keep files reproducible. Does not belong here: what any
publisher's workbook looks like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

NOTE = (
    "DEMONSTRATION: invented figures about organisations that do not exist. "
    "Made by the fivepercent project to try its software."
)
_CREATED = datetime(2024, 1, 1)
_EPOCH = date(1899, 12, 30)


def excel_serial(day: date) -> int:
    """The number Excel stores for a day."""
    return (day - _EPOCH).days


@contextmanager
def open_workbook(path: Path) -> Iterator[Workbook]:
    """Open a new workbook at ``path``, marked as demonstration, dated the same every time.

    Rows must be written from top to bottom: nothing but the current row is kept in memory.
    """
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"title": "DEMONSTRATION", "comments": NOTE, "created": _CREATED})
        yield book


def write_rows(
    sheet: Worksheet, rows: Sequence[Sequence[object]], top: int = 0, left: int = 0
) -> int:
    """Write rows of text and numbers; None leaves a cell empty.

    Args:
        sheet: an open sheet.
        rows: the cells, row by row.
        top: 0-based row of the first one.
        left: 0-based column of the first cell.

    Returns:
        The 0-based row after the last one written.
    """
    for number, row in enumerate(rows, start=top):
        for column, value in enumerate(row, start=left):
            if value is None:
                continue
            if isinstance(value, str):
                sheet.write_string(number, column, value)
            else:
                sheet.write_number(number, column, float(value))  # type: ignore[arg-type]
    return top + len(rows)

"""Writers of spend files: one for text, one for workbooks.

Belongs here: how rows, preamble and totals reach a file, and where each line ends up. Does not
belong here: which columns and styles a layout has (``layout_list``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.demo import cells
from pipeline.demo.layouts import (
    MONTH_NAMES,
    Columns,
    Writer,
    Written,
    field_values,
    held_fields,
)
from pipeline.demo.workbook import NOTE, excel_serial, open_workbook, write_rows


def csv_writer(
    columns: Columns,
    *,
    amount: cells.AmountStyle | tuple[cells.AmountStyle, cells.AmountStyle] = cells.commas,
    day: cells.DateStyle = cells.dmy,
    encoding: str = "utf-8",
    preamble: Sequence[Sequence[str]] = (),
    total: str = "",
    bare_rows: int = 0,
) -> Writer:
    """Make a writer of text files.

    Args:
        columns: see ``Columns``.
        amount: style of amounts; of two, most files use the first.
        day: style of dates.
        encoding: of the file; ``utf-8-sig`` writes a byte order mark.
        preamble: rows above the header; ``{note}``, ``{entity}`` and ``{month}`` are filled in.
        total: label of a total row at the end of most files, empty for none.
        bare_rows: rows of bare commas at the end.

    Returns:
        A ``Writer``.
    """
    styles = amount if isinstance(amount, tuple) else (amount, amount)

    def write(path: Path, frame: pl.DataFrame, rng: np.random.Generator) -> Written:
        headers, fields = columns.of_file(rng)
        style = styles[int(rng.random() < 0.2)]
        values = [field_values(frame, f, style, day) for f in fields]
        first = frame.row(0, named=True)
        filled = {
            "note": NOTE,
            "entity": first["entity"],
            "month": f"{MONTH_NAMES[first['month']]} {first['payment_date'].year}",
        }
        above = [[cell.format(**filled) for cell in row] for row in preamble]
        below: list[list[str]] = []
        if total and rng.random() < 0.8:
            cells_of_total = [""] * len(fields)
            at = fields.index("amount")
            cells_of_total[at] = style(int(frame["pence"].sum()))
            cells_of_total[max(0, at - 2)] = total
            below.append(cells_of_total)
        below.extend([""] * len(fields) for _ in range(bare_rows))
        text = io.StringIO(newline="")
        out = csv.writer(text, lineterminator="\r\n")
        out.writerows(above)
        out.writerow(headers)
        out.writerows(zip(*values, strict=True))
        out.writerows(below)
        path.write_bytes(text.getvalue().encode(encoding))
        top = len(above) + 1
        rows = list(range(top + 1, top + 1 + frame.height))
        return Written(rows, [""] * frame.height, held_fields(fields), top + len(below))

    return write


def xlsx_writer(
    columns: Columns,
    *,
    sheet: str = "Sheet1",
    days: str = "date",
    left: int = 0,
    preamble: Sequence[Sequence[str]] = (),
    total_rate: float = 0.0,
    notes: bool = False,
    empty_sheet: str = "",
    text_amounts: float = 0.0,
) -> Writer:
    """Make a writer of workbooks.

    Args:
        columns: see ``Columns``.
        sheet: name of the sheet; with ``{month}`` the frame is written one sheet a month.
        days: ``date`` (a formatted date), ``serial`` (a bare number) or ``mixed`` (some are text).
        left: blank columns before the first.
        preamble: rows above the header; ``{note}``, ``{entity}`` and ``{month}`` are filled in.
        total_rate: how often an unlabelled total stands below the last amount.
        notes: whether a sheet of notes comes first.
        empty_sheet: name of an empty sheet at the end, empty for none.
        text_amounts: share of amounts stored as text.

    Returns:
        A ``Writer``.
    """

    def write(path: Path, frame: pl.DataFrame, rng: np.random.Generator) -> Written:
        headers, fields = columns.of_file(rng)
        rows: list[int] = []
        sheets: list[str] = []
        ignored = 0
        parts = frame.partition_by("month", maintain_order=True) if "{month}" in sheet else [frame]
        with open_workbook(path) as book:
            date_format = book.add_format({"num_format": "dd/mm/yyyy"})
            if notes:
                ignored += write_rows(book.add_worksheet("Notes"), [[NOTE], ["Lines over £25,000"]])
            for part in parts:
                first = part.row(0, named=True)
                month = f"{MONTH_NAMES[first['month']][:3]} {first['payment_date'].year % 100}"
                page = book.add_worksheet(sheet.format(month=month))
                filled = {"note": NOTE, "entity": first["entity"], "month": month}
                above = [[cell.format(**filled) for cell in row] for row in preamble]
                top = write_rows(page, [*above, headers], 0, left)
                values = [field_values(part, f, None, None) for f in fields]
                # By reference, so that an exact duplicate is exact in how it is stored too.
                odd = [r * 37 % 100 for r in part["reference"].to_list()]
                for i, row in enumerate(zip(*values, strict=True)):
                    for column, (field, value) in enumerate(zip(fields, row, strict=True), left):
                        if field == "amount":
                            if odd[i] < 100 * text_amounts:
                                page.write_string(top + i, column, cells.commas(value))  # type: ignore[arg-type]
                            else:
                                page.write_number(top + i, column, value / 100)  # type: ignore[operator]
                        elif isinstance(value, date):
                            if days == "mixed" and odd[i] % 10 < 3:
                                page.write_string(top + i, column, cells.dmy(value))
                            else:
                                page.write_number(
                                    top + i,
                                    column,
                                    excel_serial(value),
                                    None if days == "serial" else date_format,
                                )
                        elif value:
                            page.write_string(top + i, column, value)  # type: ignore[arg-type]
                rows.extend(range(top + 1, top + 1 + part.height))
                sheets.extend([str(page.get_name())] * part.height)
                ignored += top
                if rng.random() < total_rate:
                    at = left + fields.index("amount")
                    page.write_number(top + part.height, at, int(part["pence"].sum()) / 100)
                    ignored += 1
            if empty_sheet:
                book.add_worksheet(empty_sheet)
        return Written(rows, sheets, held_fields(fields), ignored)

    return write

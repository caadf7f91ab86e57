"""One Excel workbook of some tables, with a cover, a dictionary and the caveats.

Every cell is written as what it is: numbers as numbers, dates as dates, everything else as text. No
cell is a formula or a link, whatever the data say.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from pipeline.exports.whole import must_hold_all
from pipeline.schema import Table

#: Rows of a sheet, and characters of a cell, that Excel opens.
SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767
#: Payments of a national tree fill more sheets than a spreadsheet opens with ease.
MOST_ROWS = 500_000
_CHUNK = 20_000

DICTIONARY = ("table_name", "column_name", "type", "unit", "meaning", "formula", "source", "caveat")


def write_workbook(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    tables: Sequence[Table],
    *,
    most_rows: int = MOST_ROWS,
) -> list[str]:
    """Write tables as sheets: Read me, Caveats, Dictionary, then one sheet a table.

    Args:
        connection: an open published database.
        path: the workbook to make.
        tables: tables in the order of their sheets.
        most_rows: rows of a sheet at most; of payments those on digital come first.

    Returns:
        A sentence for every table of which only a part fits; it stands on the first sheet too.
    """
    import xlsxwriter  # slow to import, and few commands write workbooks

    path.parent.mkdir(parents=True, exist_ok=True)
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    about = connection.execute(
        "select build_id, built_at, version, notice from meta.build"
    ).fetchall()[0]
    shortened: list[str] = []
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": f"fivepercent: {path.stem}", "created": about[1]})
        sheets = _Sheets(book)
        counts = {}
        for table in tables:
            rows = connection.execute(f"select count(*) from {table.full_name}").fetchall()[0][0]
            counts[table.full_name] = rows
            if rows > most_rows:
                shortened.append(
                    f"{table.full_name} has {rows:,} rows, of which this workbook holds the first "
                    f"{most_rows:,}; the CSV and Parquet exports and the database have all."
                )
        sheets.write("Read me", ("about", "value"), _cover(about, tables, counts, shortened))
        names = [t.full_name for t in tables]
        sheets.write(
            "Caveats",
            ("table_name", "column_name", "warning", "safe_filter"),
            _of_tables(
                connection,
                "select table_name, column_name, warning, safe_filter from meta.usage_warning",
                names,
            ),
        )
        sheets.write(
            "Dictionary",
            DICTIONARY,
            _of_tables(connection, f'select {", ".join(DICTIONARY)} from meta."column"', names),
        )
        for table in tables:
            columns = tuple(c.name for c in table.columns)
            order = ", ".join(f"{name} nulls last" for name in table.order)
            if table.full_name == "facts.payment" and counts[table.full_name] > most_rows:
                order = f"digital = 'no', {order}"
            written = sheets.write(
                table.full_name,
                columns,
                connection.execute(
                    f"select {', '.join(chr(34) + c + chr(34) for c in columns)} "
                    f"from {table.full_name} order by {order} limit {int(most_rows)}"
                ),
            )
            must_hold_all(
                f"sheet {table.full_name}", written, table, connection, most=int(most_rows)
            )
    return shortened


def _cover(
    about: tuple[Any, ...],
    tables: Sequence[Table],
    counts: dict[str, int],
    shortened: Sequence[str],
) -> list[tuple[Any, ...]]:
    build_id, built_at, version, notice = about
    rows: list[tuple[Any, ...]] = [
        ("Notice", notice),
        ("Build", build_id),
        ("Built at (UTC)", built_at),
        ("Made with", f"fivepercent {version}"),
        ("Cite as", f"fivepercent {version}, build {build_id}"),
        ("Before you add up", "Read the sheet Caveats; what a column means is in Dictionary."),
    ]
    rows += [("Left out", sentence) for sentence in shortened]
    rows += [(t.full_name, f"{t.title}. One row: {t.grain}.") for t in tables]
    return rows + [(f"Rows of {name}", n) for name, n in counts.items()]


def _of_tables(
    connection: duckdb.DuckDBPyConnection, sql: str, names: Sequence[str]
) -> duckdb.DuckDBPyConnection:
    return connection.execute(
        f"{sql} where list_contains(?, table_name) order by list_position(?, table_name), column_name nulls first",
        [list(names), list(names)],
    )


class _Sheets:
    """Sheets of one workbook, with the few cell formats it needs."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.head = book.add_format({"bold": True, "bottom": 1})
        self.date = book.add_format({"num_format": "yyyy-mm-dd"})
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        # Excel keeps such a cell as text even when somebody edits it.
        self.quoted = book.add_format({"quote_prefix": True})

    def write(self, name: str, columns: Sequence[str], rows: Any) -> int:
        """One sheet: a header that stays in view, filters, and the rows.

        Args:
            name: name of the sheet, cut to the 31 characters Excel allows.
            columns: the header.
            rows: a list of tuples, or a DuckDB result that is read in pieces.

        Returns:
            The rows written below the header.
        """
        sheet = self.book.add_worksheet(name[:31])
        sheet.freeze_panes(1, 0)
        for column, title in enumerate(columns):
            sheet.set_column(column, column, max(10, min(40, len(title) + 4)))
        for column, title in enumerate(columns):
            sheet.write_string(0, column, title, self.head)
        line = 0
        while part := (rows if isinstance(rows, list) else rows.fetchmany(_CHUNK)):
            for row in part:
                line += 1
                for column, value in enumerate(row):
                    self.cell(sheet, line, column, value)
            if isinstance(rows, list):
                break
        if line:
            sheet.autofilter(0, 0, line, len(columns) - 1)
        return line

    def cell(self, sheet: Any, line: int, column: int, value: object) -> None:
        """One cell as what it is; nothing for null."""
        if value is None:
            return
        if isinstance(value, bool):
            sheet.write_boolean(line, column, value)
        elif isinstance(value, int | float | Decimal):
            if math.isfinite(value):
                sheet.write_number(line, column, value)
            else:
                sheet.write_string(line, column, str(value))
        elif isinstance(value, dt.datetime):
            sheet.write_datetime(line, column, value, self.moment)
        elif isinstance(value, dt.date):
            # a spreadsheet's calendar begins in 1900
            if value.year >= 1900:
                sheet.write_datetime(line, column, value, self.date)
            else:
                sheet.write_string(line, column, value.isoformat())
        else:
            text = str(value)
            if len(text) > CELL_CHARACTERS:
                text = text[: CELL_CHARACTERS - 20] + " ... (cut for Excel)"
            risky = text.lstrip()[:1] in {"=", "+", "-", "@"} or text[:1] in {"\t", "\r", "\n"}
            sheet.write_string(line, column, text, self.quoted if risky else None)

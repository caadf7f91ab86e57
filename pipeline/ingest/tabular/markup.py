"""Tables in web pages and in XML spreadsheets, which publishers offer under names ending in .xls.

Old ledgers "export to Excel" by writing an HTML table or a SpreadsheetML 2003 file. Both are read with
the parsers of the standard library, which run no script and fetch nothing; XML with a document type
(where entities could be declared) is refused. A page without a table of at least three columns is
no table: most often it is an error page saved under the file's name.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import polars as pl

from pipeline.ingest.tabular.text import decode

FEWEST_ROWS, FEWEST_COLUMNS, MOST_SPAN, MOST_CELLS = 2, 3, 400, 20_000_000
#: Cells of a row, empty ones included, after which it is no row of a table, whatever is in it.
WIDEST = 10_000
_SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
_BLANKS = re.compile(r"[ \t\r\n\f\u00a0]+")
_EMPTY: list[str | None] = []
Rows = list[list[str | None]]


class TooLargeError(ValueError):
    """More cells than a published table has."""


def _check_width(cells: int) -> None:
    """Refuse a row before a column is made of each of its cells."""
    if cells > WIDEST:
        raise ValueError(f"a row has more than {WIDEST:,} cells, which is no table")


def is_page(head: bytes) -> bool:
    """Whether the beginning of a file, in small letters and without blanks in front, is HTML."""
    return head.startswith(
        (b"<!doctype html", b"<html", b"<head", b"<script", b"<!--", b"<table", b"<meta", b"<style")
    ) or (head.startswith(b"<?xml") and b"<html" in head)


def is_spreadsheet(head: bytes) -> bool:
    """Whether the beginning of a file, in small letters, is a SpreadsheetML 2003 workbook."""
    return head.startswith(b"<?xml") and _SPREADSHEET.encode() in head


class _Tables(HTMLParser):
    """Collects the cells of all tables; a table inside a cell is a table of its own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.done: list[Rows] = []
        self._open: list[_Table] = []
        self._skip = 0
        self.cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open tables, rows and cells; breaks are blanks."""
        if tag in ("script", "style"):
            self._skip += 1
        elif tag == "table":
            self._open.append(_Table())
        elif self._open:
            table = self._open[-1]
            if tag == "tr":
                table.end_row()
                table.row = []
            elif tag in ("td", "th"):
                told = dict(attrs)
                table.begin_cell(_span(told.get("colspan")), _span(told.get("rowspan")))
                self.cells += _span(told.get("colspan"))
                if self.cells > MOST_CELLS:
                    raise TooLargeError
            elif tag in ("br", "p", "div"):
                self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened."""
        if tag in ("script", "style"):
            self._skip = max(0, self._skip - 1)
        elif self._open and tag in ("td", "th"):
            self._open[-1].end_cell()
        elif self._open and tag == "tr":
            self._open[-1].end_row()
        elif self._open and tag == "table":
            self._finish()

    def handle_data(self, data: str) -> None:
        """Text belongs to the innermost open cell."""
        if self._open and not self._skip and self._open[-1].text is not None:
            self._open[-1].text.append(data)

    def _finish(self) -> None:
        table = self._open.pop()
        table.end_row()
        self.done.append(table.rows)

    def close(self) -> None:
        """Finish tables that the page never closed."""
        super().close()
        while self._open:
            self._finish()


class _Table:
    """One table on its way; cells that span rows stand in each of them."""

    def __init__(self) -> None:
        self.rows: Rows = []
        self.row: list[str | None] | None = None
        self.text: list[str] | None = None
        self._span = (1, 1)
        self._from_above: dict[int, tuple[int, str | None]] = {}

    def begin_cell(self, columns: int, rows: int) -> None:
        self.end_cell()
        if self.row is None:
            self.row = []
        self._take_from_above()
        self.text, self._span = [], (columns, rows)

    def end_cell(self) -> None:
        if self.text is None or self.row is None:
            return
        value = _BLANKS.sub(" ", "".join(self.text)).strip() or None
        columns, rows = self._span
        if rows > 1:
            self._from_above[len(self.row)] = (rows - 1, value)
        self.row += [value] + [None] * (columns - 1)
        _check_width(len(self.row))
        self.text = None

    def end_row(self) -> None:
        self.end_cell()
        if self.row is not None:
            self._take_from_above()
            self.rows.append(self.row)
        self.row = None

    def _take_from_above(self) -> None:
        row = self.row if self.row is not None else []
        while (at := len(row)) in self._from_above:
            left, value = self._from_above.pop(at)
            if left > 1:
                self._from_above[at] = (left - 1, value)
            row.append(value)


def _span(text: str | None) -> int:
    return min(int(text), MOST_SPAN) if text and text.strip().isdigit() and int(text) else 1


def _frame(rows: Rows) -> pl.DataFrame:
    width = max((len(row) for row in rows), default=0)
    if width * len(rows) > MOST_CELLS:
        raise TooLargeError
    columns = {f"c{i}": [row[i] if i < len(row) else None for row in rows] for i in range(width)}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def page_tables(data: bytes) -> list[tuple[str, pl.DataFrame]]:
    """The tables of a web page that are tables of data.

    Args:
        data: the whole page.

    Returns:
        (name, cells) of each table of at least two rows and three columns, in the page's order; a
        page with one such table gives it no name.

    Raises:
        ValueError: when its markup is damaged.
        TooLargeError: when the page has more cells than any publication.
    """
    text, _ = decode(data)
    parser = _Tables()
    try:
        parser.feed(text.decode("utf-8", errors="replace"))
        parser.close()
    except AssertionError as error:  # how the standard library says that a declaration is odd
        raise ValueError(f"the page's markup is damaged ({error})") from error
    tables = [
        rows
        for rows in parser.done
        if sum(sum(c is not None for c in row) >= FEWEST_COLUMNS for row in rows) >= FEWEST_ROWS
    ]
    if len(tables) == 1:
        return [("", _frame(tables[0]))]
    return [(f"table {i}", _frame(rows)) for i, rows in enumerate(tables, 1)]


def spreadsheet_tables(data: bytes) -> list[tuple[str, pl.DataFrame]]:
    """The sheets of a SpreadsheetML 2003 workbook.

    Args:
        data: the whole file.

    Returns:
        (name, cells) of each sheet.

    Raises:
        ValueError: when it is no well-formed XML, or declares a document type.
        TooLargeError: when it has more cells than any publication.
    """
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("the XML declares a document type, which no spreadsheet does")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 (no document type, so no entity)
    except ElementTree.ParseError as error:
        raise ValueError(f"the XML is damaged ({error})") from error
    space = f"{{{_SPREADSHEET}}}"
    found: list[tuple[str, pl.DataFrame]] = []
    cells = 0
    for sheet in root.iter(f"{space}Worksheet"):
        rows: Rows = []
        for row in sheet.iter(f"{space}Row"):
            place = int(row.get(f"{space}Index", len(rows) + 1))
            cells += max(0, place - len(rows) - 1)
            if cells > MOST_CELLS:
                raise TooLargeError
            rows += [_EMPTY] * (place - len(rows) - 1)
            line: list[str | None] = []
            for cell in row.iter(f"{space}Cell"):
                at = int(cell.get(f"{space}Index", len(line) + 1))
                line += [None] * (min(at, MOST_SPAN) - len(line) - 1)
                value = cell.find(f"{space}Data")
                text = "".join(value.itertext()) if value is not None else ""
                line += [text.strip() or None]
                line += [None] * min(int(cell.get(f"{space}MergeAcross", 0)), MOST_SPAN)
                _check_width(len(line))
                cells += 1
            if cells > MOST_CELLS:
                raise TooLargeError
            rows.append(line)
        found.append((sheet.get(f"{space}Name", ""), _frame(rows)))
    return found

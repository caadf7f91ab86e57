"""Workbooks in Excel's binary formats, xls and xlsb, with numbers, days and merged cells."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from io import BytesIO

from hostile_files import _begin, _compound, _record

Cell = date | float | str | None
Rows = Sequence[Sequence[Cell]]
#: First and last row, first and last column, counted from 0.
Merged = Iterable[tuple[int, int, int, int]]


def _serial(day: date, *, since_1904: bool) -> float:
    return float((day - (date(1904, 1, 1) if since_1904 else date(1899, 12, 30))).days)


def xls(rows: Rows, *, since_1904: bool = False, merged: Merged = ()) -> bytes:
    """An Excel 97 workbook of one sheet."""
    sheet = _begin(0x10)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if isinstance(cell, str):
                label = struct.pack("<HHHHB", i, j, 0, len(cell), 0) + cell.encode("latin-1")
                sheet += _record(0x204, label)
            elif cell is not None:
                is_day = isinstance(cell, date)
                number = _serial(cell, since_1904=since_1904) if isinstance(cell, date) else cell
                sheet += _record(0x203, struct.pack("<HHHd", i, j, int(is_day), number))
    ranges = list(merged)
    if ranges:
        body = b"".join(struct.pack("<HHHH", *one) for one in ranges)
        sheet += _record(0xE5, struct.pack("<H", len(ranges)) + body)
    sheet += _record(0x0A, b"")
    head = _begin(0x05) + _record(0x42, struct.pack("<H", 1200))
    head += _record(0x22, struct.pack("<H", int(since_1904)))
    for number_format in (0, 14):
        head += _record(0xE0, struct.pack("<HH", 0, number_format).ljust(20, b"\0"))
    place = len(head) + 4 + 6 + 2 + 1 + 4
    head += _record(0x85, struct.pack("<IBBBB", place, 0, 0, 1, 0) + b"S")
    book = head + _record(0x0A, b"") + sheet
    return _compound(book + bytes(max(0, 4096 - len(book))))


def _part(kind: int, body: bytes = b"") -> bytes:
    size, length = len(body), b""
    while True:
        length += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            break
    told = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return told + length + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


_KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def xlsb(rows: Rows, *, since_1904: bool = False) -> bytes:
    """A binary workbook of one sheet, as Excel saves it since 2007."""
    size = struct.pack("<IIII", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)
    sheet, words = _part(0x81) + _part(0x94, size) + _part(0x91), []
    for i, row in enumerate(rows):
        sheet += _part(0x00, struct.pack("<IIHHBI", i, 0, 300, 0, 0, 0))
        for j, cell in enumerate(row):
            if isinstance(cell, str):
                sheet += _part(0x07, struct.pack("<III", j, 0, len(words)))
                words.append(cell)
            elif cell is not None:
                style = int(isinstance(cell, date))
                number = _serial(cell, since_1904=since_1904) if isinstance(cell, date) else cell
                sheet += _part(0x05, struct.pack("<IId", j, style, number))
    sheet += _part(0x92) + _part(0x82)
    book = _part(0x83) + _part(0x99, struct.pack("<II", int(since_1904), 0) + _wide(""))
    book += _part(0x8F) + _part(0x9C, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("S"))
    book += _part(0x90) + _part(0x84)
    styles = _part(0x116) + _part(0x269, struct.pack("<I", 2))
    for number_format in (0, 14):
        styles += _part(0x2F, struct.pack("<HH", 0, number_format).ljust(16, b"\0"))
    styles += _part(0x26A) + _part(0x117)
    strings = _part(0x9F, struct.pack("<II", len(words), len(words)))
    strings += b"".join(_part(0x13, b"\0" + _wide(word)) for word in words) + _part(0xA0)
    parts = {
        "worksheet": "worksheets/sheet1.bin",
        "sharedStrings": "sharedStrings.bin",
        "styles": "styles.bin",
    }
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{_KINDS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(parts.items(), 1)
    )
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/worksheets/sheet1.bin", sheet)
        archive.writestr("xl/sharedStrings.bin", strings)
        archive.writestr("xl/styles.bin", styles)
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<?xml version="1.0"?><Relationships xmlns="{_RELATIONS}">{relations}</Relationships>',
        )
    return out.getvalue()

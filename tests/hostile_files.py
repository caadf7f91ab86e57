"""Files that mean harm, made byte by byte. Not a test itself."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable

import xlsxwriter

HEADER = ("Date", "Supplier", "Expense Type", "Expense Area", "Amount")
ROWS = tuple(
    (f"{10 + i}/11/2022", f"Fictional {n} Ltd", "Software", "ICT", f"{30_000 + i}.00")
    for i, n in enumerate(("Ash", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Gorse", "Hazel"))
)


def csv(rows: Iterable[tuple[str, ...]] = ROWS) -> bytes:
    """A csv of the header and some rows."""
    return "".join(",".join(row) + "\n" for row in (HEADER, *rows)).encode()


def xlsx(rows: Iterable[tuple[str, ...]] = ROWS) -> bytes:
    """A workbook of one sheet."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_numbers": False})
    sheet = book.add_worksheet("Nov 2022")
    for number, row in enumerate((HEADER, *rows)):
        sheet.write_row(number, 0, row)
    book.close()
    return buffer.getvalue()


def rewritten(archive: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """A copy of a zip or workbook with the content of its members changed."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for item in old.infolist():
            new.writestr(item.filename, change(item.filename, old.read(item)))
    return buffer.getvalue()


def with_cell(xml: bytes) -> bytes:
    """The workbook with something put behind the rows of its sheet."""
    return rewritten(
        xlsx(),
        lambda name, data: (
            data.replace(b"</sheetData>", xml + b"</sheetData>")
            if name == "xl/worksheets/sheet1.xml"
            else data
        ),
    )


def lying(archive: bytes, member: str, content: bytes, stated: int) -> bytes:
    """An archive whose member unpacks to ``content`` while the directory states another size.

    Its checksum is that of the first ``stated`` bytes, so a reader that stops there sees no fault.
    """
    out = io.BytesIO()
    directory: list[bytes] = []
    with zipfile.ZipFile(io.BytesIO(archive)) as old:
        items = [(i.filename, old.read(i)) for i in old.infolist() if i.filename != member]
    for name, data in [*items, (member, content)]:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = deflate.compress(data) + deflate.flush()
        size = stated if name == member else len(data)
        sums = struct.pack("<III", zlib.crc32(data[:size]), len(packed), size)
        at = out.tell()
        head = struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sums
        out.write(b"PK\x03\x04" + head + struct.pack("<HH", len(name), 0) + name.encode() + packed)
        directory.append(
            b"PK\x01\x02" + struct.pack("<H", 20) + head
            + struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, at) + name.encode()
        )  # fmt: skip
    at, listed = out.tell(), b"".join(directory)
    out.write(listed)
    n = len(directory)
    out.write(b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, n, n, len(listed), at, 0))
    return out.getvalue()


def ods(rows: str | None = None, *, before: str = "") -> bytes:
    """An OpenDocument sheet; ``rows`` is the XML of its rows, ``before`` stands before the root."""
    if rows is None:
        rows = "".join(
            "<table:table-row>"
            + "".join(
                f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>'
                for c in row
            )
            + "</table:table-row>"
            for row in (HEADER, *ROWS)
        )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        f'<office:body><office:spreadsheet><table:table table:name="Nov 2022">{rows}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        new.writestr("content.xml", content)
        new.writestr("META-INF/manifest.xml", manifest)
    return buffer.getvalue()


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _begin(kind: int) -> bytes:
    return _record(0x809, struct.pack("<HHHHII", 0x600, kind, 0xDBB, 0x7CC, 0, 6))


def xls(extra: Iterable[tuple[int, int, str]] = ()) -> bytes:
    """An Excel 97 workbook of one sheet, with further cells (row, column, text) counted from 0."""
    cells = [(r, c, v) for r, row in enumerate((HEADER, *ROWS)) for c, v in enumerate(row)]
    sheet = _begin(0x10)
    for row, column, text in [*cells, *extra]:
        label = struct.pack("<HHHHB", row, column, 0, len(text), 0) + text.encode("latin-1")
        sheet += _record(0x204, label)
    sheet += _record(0x0A, b"")
    name = b"Nov 2022"
    head = _begin(0x05) + _record(0x42, struct.pack("<H", 1200))
    place = len(head) + 4 + 6 + 2 + len(name) + 4
    head += _record(0x85, struct.pack("<IBBBB", place, 0, 0, len(name), 0) + name)
    book = head + _record(0x0A, b"") + sheet
    book += bytes(max(0, 4096 - len(book)))
    return _compound(book)


def _compound(stream: bytes) -> bytes:
    """A compound file with the one stream "Workbook" in plain sectors of 512 bytes."""
    sectors = -(-len(stream) // 512)
    tables = 1
    while tables * 128 < sectors + tables + 1:
        tables += 1
    fat = [0xFFFFFFFD] * tables + [0xFFFFFFFE]
    first = len(fat)
    fat += [first + i + 1 for i in range(sectors - 1)] + [0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (tables * 128 - len(fat))
    head = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6)
    )
    head += bytes(6) + struct.pack(
        "<IIIIIIIII", 0, tables, tables, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0
    )
    head += struct.pack("<109I", *[*range(tables), *[0xFFFFFFFF] * (109 - tables)])

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\x00\x00"
        return (
            text.ljust(64, b"\x00") + struct.pack("<HBB", len(text), kind, 1)
            + struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child) + bytes(36)
            + struct.pack("<IQ", start, size)
        )  # fmt: skip

    directory = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0)
    directory += entry("Workbook", 2, 0xFFFFFFFF, first, len(stream)) + bytes(256)
    return (
        head + struct.pack(f"<{len(fat)}I", *fat) + directory + stream.ljust(sectors * 512, b"\x00")
    )


def html() -> bytes:
    """The payments as a web page under the name of an Excel file."""
    rows = ("".join(f"<td>{cell}</td>" for cell in row) for row in (HEADER, *ROWS))
    return f"<html><table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table></html>".encode()


def xml() -> bytes:
    """The payments as a workbook of Excel 2003."""
    rows = (
        "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in row)
        for row in (HEADER, *ROWS)
    )
    return (
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Nov"><Table>'
        f"{''.join(f'<Row>{row}</Row>' for row in rows)}</Table></Worksheet></Workbook>"
    ).encode()

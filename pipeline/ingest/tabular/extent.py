"""How far the cells of a workbook reach, found without laying its sheets out.

The spreadsheet library lays a sheet out as a full rectangle up to its furthest cell, so one stray
cell in the last row and column, or one "repeat this cell a billion times", asks for more memory than
any machine has. Here each kind of workbook is walked as a stream and such sheets are refused. XML
with a document type, where entities could be declared, is refused too.

Belongs here: rows and columns of xlsx, xlsb, ods and xls. Does not belong here: what cells hold.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn
from xml.parsers import expat

import numpy as np

from pipeline.ingest.tabular.limits import (
    HARMLESS_BYTES,
    PARTS_OF_A_WORKBOOK,
    Limits,
    UnreadableFileError,
    counted,
    declared,
)

_LAST_ROW = re.compile(rb"""row [^>]*?r=["'](\d+)""")
#: References beyond column Z. They begin with literal text, which the search finds ten times faster.
_WIDE_CELL = re.compile(rb"""r=["']([A-Za-z]{2,3})(\d+)""")
_ANY_CELL = re.compile(rb"""\sr\s*=\s*["']\s*\$?([A-Za-z]{1,3})\$?(\d+)""")
_ANY_ROW = re.compile(rb"""<(?:\w+:)?row\s[^>]*?r\s*=\s*["']\s*(\d+)""")
_NO_CELLS = (".png", ".jpeg", ".jpg", ".emf", ".wmf", ".vml")
_OVERLAP = 256
_STRETCH = 1 << 20
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
# Records of an xls sheet that put something into a cell: row and column are their first four bytes.
_CELL_RECORDS = {0x06, 0x201, 0x203, 0x204, 0x205, 0x27E, 0xBD, 0xBE, 0xD6, 0xFD, 0x01, 0x02, 0x03}
_CELL_RECORDS |= {0x04, 0x05, 0x406}
_FREE = 0xFFFFFFF0  # sector numbers from here on mean "end" or "none"


def check_extent(data: bytes, kind: str, limits: Limits) -> None:
    """Refuse a workbook of which a sheet would take more memory than any publication.

    Every part of an archive is unpacked once: how much it really holds is counted, and how far its
    cells reach is looked at, in the same pass.

    Args:
        data: the whole workbook.
        kind: xlsx (xlsb too), ods or xls.
        limits: what it may cost.

    Raises:
        UnreadableFileError: when rows, or rows times columns, of a sheet go beyond the limits, or
            the archive is a bomb.
    """
    if kind == "xls":
        _check_xls(data, limits)
        return
    infos = declared(data, limits, parts=PARTS_OF_A_WORKBOOK)
    binary = any(info.filename.lower() == "xl/workbook.bin" for info in infos)

    def check(info: zipfile.ZipInfo) -> None:
        name, pieces = info.filename.lower(), counted(data, info)
        if kind == "ods" and info.filename == "content.xml":
            _check_ods(pieces, limits)
        elif kind == "xlsx" and binary and name.endswith(".bin"):
            _check_xlsb(b"".join(pieces), limits)
        elif kind == "xlsx" and not name.endswith(_NO_CELLS):
            _check_xml(pieces, limits, strings="sharedstrings" in name)
        for _ in pieces:  # what was not looked at is counted all the same
            pass

    if binary or sum(info.file_size for info in infos) < HARMLESS_BYTES:
        for info in infos:
            check(info)
        return
    # Unpacking and comparing bytes let other threads run: two large sheets take the time of one.
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(check, infos):
            pass


def _too_far(rows: int, columns: int) -> NoReturn:
    raise UnreadableFileError(
        f"a stray cell stretches a sheet to {rows:,} rows by {columns:,} columns (settings max_rows "
        "and max_cells); delete empty rows and columns beyond the table and save the workbook again"
    )


def _judge(rows: int, columns: int, limits: Limits) -> None:
    if rows > limits.max_rows or rows * columns > limits.max_cells:
        _too_far(rows, columns)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _has_odd_style(text: bytes) -> bool:
    """Whether an equals sign has blanks round it: legal, written by no program.

    Then every reference is looked at. The text is gone through in stretches that stay in the cache of
    the processor, each with the first byte of the next; a sign at its end lies in the next piece.
    """
    raw = np.frombuffer(text, dtype=np.uint8)
    sign, blank = np.empty(_STRETCH + 1, dtype=np.bool_), np.empty(_STRETCH + 1, dtype=np.bool_)
    beside = np.empty(_STRETCH, dtype=np.bool_)
    for start in range(0, len(raw) - 1, _STRETCH):
        part = raw[start : start + _STRETCH + 1]
        size = len(part)
        signs, blanks = (
            np.equal(part, 0x3D, out=sign[:size]),
            np.less_equal(part, 0x20, out=blank[:size]),
        )
        for one, other in ((signs, blanks), (blanks, signs)):
            if np.logical_and(one[1:], other[:-1], out=beside[: size - 1]).any():
                return True
    return False


def _check_xml(pieces: Iterator[bytes], limits: Limits, *, strings: bool) -> None:
    """One part of an xlsx: no document type, and no cell too far out."""
    rows, columns, tail = 0, 26, b""
    for piece in pieces:
        seam = tail + piece[:_OVERLAP]
        if any(
            b"!" in text and (b"<!DOCTYPE" in text or b"<!ENTITY" in text) for text in (seam, piece)
        ):
            raise UnreadableFileError(
                "the workbook's XML declares a document type, which no spreadsheet program does"
            )
        if not strings:
            odd = _has_odd_style(piece) or _has_odd_style(seam)
            # what runs on over the seam for longer than programs write needs both pieces as one
            is_whole = odd or piece.rfind(b"row ") < 0
            for text in (tail + piece,) if is_whole else (seam, piece):
                found = _LAST_ROW.search(text, max(0, text.rfind(b"row ")))
                numbers = [int(found[1])] if found else []
                if odd:
                    numbers += [int(row[1]) for row in _ANY_ROW.finditer(text)]
                rows = max([rows, *numbers])
                for cell in (_ANY_CELL if odd else _WIDE_CELL).finditer(text):
                    rows = max(rows, int(cell[2]))
                    columns = max(columns, _column_number(cell[1]))
            _judge(rows, columns, limits)
        tail = (tail + piece[-_OVERLAP:])[-_OVERLAP:]


def _varint(data: bytes, at: int, most: int) -> tuple[int, int]:
    value = 0
    for i in range(most):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            break
    return value, at


def _check_xlsb(data: bytes, limits: Limits) -> None:
    """One binary part of an xlsb: records of an identifier, a length and a payload."""
    at = rows = columns = 0
    try:
        while at < len(data):
            kind, at = _varint(data, at, 2)
            size, at = _varint(data, at, 4)
            if kind <= 11 and size >= 4:
                place = struct.unpack_from("<I", data, at)[0] + 1
                if kind == 0:
                    rows = max(rows, place)
                else:
                    columns = max(columns, place)
            at += size
    except (IndexError, struct.error):
        pass  # cut off or no records at all: the library says what is wrong with it
    if columns:  # without cells these were no sheet's records
        _judge(rows, columns, limits)


class _OdsExtent:
    """Counts cells as the library unfolds them: what is repeated counts once it has content."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rows = self.row_repeat = self.gap = 0
        self.width = self.columns = self.widest = self.total = 0
        self.filled = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == f"{_TABLE}table":
            self.rows = self.gap = self.widest = 0
        elif name == f"{_TABLE}table-row":
            self.row_repeat = _repeat(attributes, f"{_TABLE}number-rows-repeated")
            self.width = self.columns = 0
        elif name in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            self.columns += _repeat(attributes, f"{_TABLE}number-columns-repeated")
            self.filled = len(attributes) > 0 and any("office:1.0 " in key for key in attributes)
        else:
            return
        if self.filled:
            self._content()

    def text(self, said: str) -> None:
        if said.strip():
            self._content()

    def _content(self) -> None:
        self.filled = False
        if self.columns > self.width:
            self.width = self.columns
            self.widest = max(self.widest, self.width)

    def end(self, name: str) -> None:
        if name != f"{_TABLE}table-row":
            return
        if self.width:
            self.rows += self.gap + self.row_repeat
            self.gap = 0
        else:
            self.gap += self.row_repeat
        _judge(self.rows, self.widest, self.limits)

    def no_document_type(self, *_: object) -> None:
        raise UnreadableFileError(
            "the workbook's XML declares a document type, which no spreadsheet program does"
        )


def _repeat(attributes: dict[str, str], name: str) -> int:
    said = attributes.get(name, "1").strip()
    return max(1, int(said)) if said.isdigit() and len(said) < 12 else 1


def _check_ods(pieces: Iterator[bytes], limits: Limits) -> None:
    extent = _OdsExtent(limits)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = extent.start, extent.end
    parser.CharacterDataHandler = extent.text
    parser.StartDoctypeDeclHandler = extent.no_document_type
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, UnreadableFileError):
            raise
        raise UnreadableFileError(f"the workbook's XML is damaged ({error})") from error


def _check_xls(data: bytes, limits: Limits) -> None:
    """The records of an xls; cells beyond its own 65,536 rows by 256 columns are refused."""
    for stream in _ole_streams(data):
        at, rows, columns = 0, 0, 0
        end = len(stream) - 4
        unpack = struct.unpack_from
        while at <= end:
            kind, size = unpack("<HH", stream, at)
            at += 4
            if kind in _CELL_RECORDS and size >= 4 and at + 4 <= len(stream):
                row, column = unpack("<HH", stream, at)
                if row >= rows:
                    rows = row + 1
                if kind in (0xBD, 0xBE) and at + size <= len(stream):
                    column = max(column, unpack("<H", stream, at + size - 2)[0])
                if column >= columns:
                    columns = column + 1
            at += size
        if columns > 256:
            _too_far(rows, columns)
        _judge(rows, columns, limits)


def _ole_streams(data: bytes) -> list[bytes]:
    """The streams of a compound file that can hold the cells: "Workbook" and "Book"."""
    try:
        shift = struct.unpack_from("<H", data, 30)[0]
        first_directory, small_limit, first_small = (
            struct.unpack_from("<I", data, at)[0] for at in (48, 56, 60)
        )
        next_table, tables = (struct.unpack_from("<I", data, at)[0] for at in (68, 72))
    except struct.error:
        return []
    if shift not in (9, 12):
        return []
    size = 1 << shift
    most = len(data) // size + 1

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size]

    numbers = list(struct.unpack_from("<109I", data, 76)) if len(data) >= 512 else []
    for _ in range(min(tables, most)):
        if next_table >= _FREE:
            break
        block = sector(next_table)
        if len(block) < size:
            break
        more = struct.unpack(f"<{size // 4}I", block)
        numbers += more[:-1]
        next_table = more[-1]
    chain: list[int] = []
    for number in numbers:
        block = sector(number) if number < most else b""
        if len(block) == size:
            chain += struct.unpack(f"<{size // 4}I", block)

    def chained(links: list[int], first: int, block: Callable[[int], bytes]) -> bytes:
        parts: list[bytes] = []
        seen: set[int] = set()
        while first < len(links) and first < _FREE:
            if first in seen:  # the library would follow it without end
                raise UnreadableFileError("the workbook is damaged: its parts run in a circle")
            seen.add(first)
            parts.append(block(first))
            first = links[first]
        return b"".join(parts)

    def read(first: int) -> bytes:
        return chained(chain, first, sector)

    entries = read(first_directory)
    directory = [entries[at : at + 128] for at in range(0, len(entries) - 127, 128)]
    # Streams of less than 4,096 bytes lie together in the stream of the root, in blocks of 64.
    small = read(struct.unpack_from("<I", directory[0], 116)[0]) if directory else b""
    links_of_small = read(first_small)
    small_chain = list(struct.unpack(f"<{len(links_of_small) // 4}I", links_of_small))
    streams: list[bytes] = []
    for entry in directory:
        first, stated = struct.unpack_from("<II", entry, 116)
        if entry[66] in (1, 2, 5):  # whatever the library may look into must end
            chained(chain, first, lambda _: b"")
            chained(small_chain, first, lambda _: b"")
        length = min(struct.unpack_from("<H", entry, 64)[0], 64)
        if entry[: max(0, length - 2)].decode("utf-16-le", "replace").lower() not in (
            "workbook",
            "book",
        ):
            continue
        if stated < small_limit:
            streams.append(chained(small_chain, first, lambda n: small[n * 64 : n * 64 + 64]))
        streams.append(read(first))
    return streams

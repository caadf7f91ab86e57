"""Cells of a workbook that are merged over several rows, of xlsx as they stand in its parts, and of xls.

The spreadsheet library gives the first cell of such a stretch its text and leaves the others blank.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from posixpath import normpath

from pipeline.ingest.tabular.panics import panics_are_errors

_SHEET = re.compile(r"<(?:\w+:)?sheet\s([^>]*)>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s([^>]*)>")
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']"""
)
#: Bytes of a part, and stretches in it, beyond which nothing is looked for.
MOST_BYTES, MOST_STRETCHES = 64 << 20, 50_000


def merged_over_rows(data: bytes, sheet: str) -> list[tuple[int, int, int]]:
    """The stretches of merged cells of a sheet that reach over more than one row.

    Args:
        data: the whole xlsx.
        sheet: name of the sheet, as the workbook has it.

    Returns:
        Column (0 for A), first and last row (1 for the first) of each; empty where the parts of the
        workbook do not tell.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            part = _part_of(archive, sheet)
            if part is None or archive.getinfo(part).file_size > MOST_BYTES:
                return []
            found = _MERGED.findall(archive.read(part))[:MOST_STRETCHES]
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, NotImplementedError):
        return []
    return [
        (_column(first), int(top), int(bottom))
        for first, top, _, bottom in found
        if int(bottom) > int(top)
    ]


def merged_in_xls(data: bytes, sheet: str) -> list[tuple[int, int, int]]:
    """As :func:`merged_over_rows`, of an xls, which another library tells of.

    Args:
        data: the whole xls, which was opened in a process of its own before.
        sheet: name of the sheet.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with panics_are_errors():
            book = CalamineWorkbook.from_filelike(io.BytesIO(data))
            found = book.get_sheet_by_name(sheet).merged_cell_ranges or []
    except (CalamineError, ValueError, OSError, RuntimeError):
        return []
    return [
        (first[1], first[0] + 1, last[0] + 1)
        for first, last in found[:MOST_STRETCHES]
        if last[0] > first[0]
    ]


def _attributes(text: str) -> dict[str, str]:
    return {name: html.unescape(a or b) for name, a, b in _ATTRIBUTE.findall(text)}


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The part that holds a sheet."""
    book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    own = (a for a in map(_attributes, _SHEET.findall(book)) if a.get("name") == sheet)
    identifier = next((v for a in own for k, v in a.items() if k.endswith(":id")), None)
    relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    for relation in map(_attributes, _RELATION.findall(relations)):
        if identifier and relation.get("Id") == identifier:
            target = relation.get("Target", "")
            return target[1:] if target.startswith("/") else normpath(f"xl/{target}")
    return None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1

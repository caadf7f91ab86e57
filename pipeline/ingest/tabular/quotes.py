"""Delimited text whose quotation marks break the rules: parsed row by row, losing no line.

Inch marks inside a cell, a quote that is never closed, a blank between delimiter and quote: a quote
opens a cell only at its beginning, and a row may go on over several lines only when the result is
as wide as the other rows. Quotation marks inside a quoted cell that are not doubled leave open where the
cell ends; it ends where the row comes out as wide as the others.
"""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise

import polars as pl

PIECE = 20_000  # rows that are Python lists at one time
LONGEST_ROW = 20  # lines that one quoted row may span
#: Delimiters inside quotation marks of a line, and such lines, up to which cells are put together again.
MOST_INSIDE, MOST_CROOKED = 8, 2_000


def _cells(lines: list[str], delimiter: str, *, skip: bool) -> tuple[list[str], int, bool, bool]:
    """The first row of some lines.

    Returns:
        Its cells, how many lines it took, whether its quotes closed, whether they follow the rules.
    """
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=skip)
    try:
        row = next(reader, [])
    except csv.Error:
        return lines[0].replace('"', "").split(delimiter), 1, True, False
    used = reader.line_num
    if used == 1 and '"' not in lines[0]:
        return row, 1, True, True
    try:
        strict = csv.reader(lines[:used], delimiter=delimiter, skipinitialspace=skip, strict=True)
        next(strict, [])
    except csv.Error as error:
        return row, used, used == 1 and "unexpected end" not in str(error), False
    return row, used, True, True


def _put_together(line: str, delimiter: str, width: int) -> list[str] | None:
    """The cells of a line whose quotation marks are not doubled: ``4 May,"The "Old" Mill, Leeds",12``.

    What stands between delimiters is put together to as many cells as other rows have, so that a delimiter
    lies inside quotation marks and as few cells as can be are quoted at one end only.

    Args:
        line: one line.
        delimiter: what stands between cells.
        width: cells of the other rows.

    Returns:
        The cells, or None when there is no such way or more than one.
    """
    pieces = line.split(delimiter)
    inside = len(pieces) - width
    if not inside:
        return [_bare(piece) for piece in pieces]
    if not 0 < inside <= MOST_INSIDE:
        return None
    # (cells, pieces used) -> fewest half quoted cells, how many ways, where the last cell begins
    best: dict[tuple[int, int], tuple[int, int, int]] = {(0, 0): (0, 1, 0)}
    for cell in range(width):
        for start in range(cell, cell + inside + 1):
            before = best.get((cell, start))
            if before is None:
                continue
            for end in range(start + 1, cell + inside + 2):
                half = _half_quoted(pieces[start:end], delimiter)
                if half is None:
                    continue
                cost, known = before[0] + half, best.get((cell + 1, end))
                if known is None or cost < known[0]:
                    best[cell + 1, end] = cost, before[1], start
                elif cost == known[0]:
                    best[cell + 1, end] = cost, known[1] + before[1], known[2]
    found = best.get((width, len(pieces)))
    if found is None or found[1] != 1:
        return None
    cells, end = [], len(pieces)
    for cell in range(width, 0, -1):
        start = best[cell, end][2]
        cells.append(_bare(delimiter.join(pieces[start:end])))
        end = start
    return cells[::-1]


def _half_quoted(pieces: list[str], delimiter: str) -> bool | None:
    """Whether a cell is quoted at one end only; None where its delimiters are outside of quotation marks."""
    text = delimiter.join(pieces).strip()
    opens, closes = text.startswith('"'), text.endswith('"') and len(text) > 1
    if any(a.endswith('"') and b.startswith('"') for a, b in pairwise(pieces)):
        return None
    if len(pieces) > 1 and not (opens and closes):
        open_marks = 0
        for piece in pieces[:-1]:
            open_marks += piece.count('"')
            if open_marks % 2 == 0:
                return None
        if text.count('"') % 2:
            return None
    return opens != closes and bool(text)


def _bare(cell: str) -> str:
    text = cell.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"')
    return cell


def parse_slowly(text: str, delimiter: str) -> pl.DataFrame:
    """Parse text with broken quotes.

    Args:
        text: the whole file with Unix line ends.
        delimiter: what stands between cells.

    Returns:
        A frame of String columns ``c0..cN``, one row a record; blank lines are rows of nulls.
    """
    skip = text.count(f'{delimiter} "') > text.count(f'{delimiter}"')
    kept = [line + "\n" for line in text.removesuffix("\n").split("\n")]
    alone = Counter(len(_cells([line], delimiter, skip=skip)[0]) for line in kept[:500])
    usual = max(alone.items(), key=lambda item: (item[1], item[0]))[0] if alone else 0
    rows: list[list[str]] = []
    pieces: list[pl.DataFrame] = []
    at = crooked = 0
    while at < len(kept):
        row, used, closed, in_order = _cells(kept[at : at + LONGEST_ROW], delimiter, skip=skip)
        line = kept[at].rstrip("\n")
        plain = line.replace('"', "").split(delimiter)
        inside = max((cell.count(delimiter) for cell in row if "\n" in cell), default=0)
        wrong_width = len(row) != usual or inside >= max(2, usual - 1)
        swallowed = used > 1 and wrong_width and len(plain) >= usual
        whole = None
        if not in_order and len(plain) >= usual:
            crooked += len(plain) > usual
            whole = _put_together(line, delimiter, usual) if crooked <= MOST_CROOKED else None
        if whole:
            row, used = whole, 1
        elif not closed or swallowed:
            row, used = plain, 1
        rows.append(row)
        at += used
        if len(rows) >= PIECE:
            pieces.append(_frame(rows))
            rows = []
    pieces.append(_frame(rows))
    return pl.concat(pieces, how="diagonal") if len(pieces) > 1 else pieces[0]


def _frame(rows: list[list[str]]) -> pl.DataFrame:
    width = max((len(row) for row in rows), default=0)
    columns = {
        f"c{i}": [row[i] if i < len(row) and row[i] != "" else None for row in rows]
        for i in range(width)
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))

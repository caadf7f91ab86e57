"""Delimited text whose quotation marks break the rules: parsed row by row, losing no line.

Inch marks inside a cell, a quote that is never closed, a blank between delimiter and quote: a quote
opens a cell only at its beginning, and a row may go on over several lines only when the result is
as wide as the other rows.
"""

from __future__ import annotations

import csv
from collections import Counter

import polars as pl

PIECE = 20_000  # rows that are Python lists at one time
LONGEST_ROW = 20  # lines that one quoted row may span


def _cells(lines: list[str], delimiter: str, *, skip: bool) -> tuple[list[str], int, bool]:
    """The first row of some lines: its cells, how many lines it took, whether its quotes closed."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=skip)
    try:
        row = next(reader, [])
    except csv.Error:
        return lines[0].replace('"', "").split(delimiter), 1, True
    used = reader.line_num
    if used == 1 and '"' not in lines[0]:
        return row, 1, True
    try:
        strict = csv.reader(lines[:used], delimiter=delimiter, skipinitialspace=skip, strict=True)
        next(strict, [])
    except csv.Error as error:
        return row, used, used == 1 and "unexpected end" not in str(error)
    return row, used, True


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
    at = 0
    while at < len(kept):
        row, used, closed = _cells(kept[at : at + LONGEST_ROW], delimiter, skip=skip)
        plain = kept[at].rstrip("\n").replace('"', "").split(delimiter)
        inside = max((cell.count(delimiter) for cell in row if "\n" in cell), default=0)
        wrong_width = len(row) != usual or inside >= max(2, usual - 1)
        swallowed = used > 1 and wrong_width and len(plain) >= usual
        if not closed or swallowed:
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

"""Text files of one shape in one parse.

A parser's call costs about as much as a thousand rows, and so does every later look at the whole of a
file. Files with the same delimiter and the same number of fields are therefore joined, parsed and
looked at together, and cut apart again. A file that is not plainly such a table (a quotation mark out
of place, a line break inside a cell, a line too wide) is parsed alone, with the same result.

Belongs here: joining and cutting apart. Does not belong here: what is decided about one file
(``text``), and how a file is told to be text (``grids``).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from more_itertools import constrained_batches

from pipeline.ingest.tabular.limits import Limits
from pipeline.ingest.tabular.rows import number_many
from pipeline.ingest.tabular.text import Text, columns_used, parse_fast

#: Bytes joined at a time; beyond this a longer parse saves nothing and holds more memory.
MOST_BYTES = 16 << 20


def parse_together(texts: Mapping[int, Text], limits: Limits) -> dict[int, pl.DataFrame]:
    """Parse those of some files that can be joined with others.

    Args:
        texts: a number of the caller's -> the prepared file.
        limits: files that go beyond them are parsed alone, where they are refused with the reason.

    Returns:
        Number -> the grid as in ``grids.Grid``: ``row`` (1-based physical row) and ``c0..cN``, rows
        without content left out. Files that must be parsed alone are missing.
    """
    groups: dict[tuple[str, int, bool], list[int]] = {}
    for number, text in texts.items():
        if (
            text.width > 1
            and not text.crooked
            and _lines_within(text.body, limits.max_cell_characters)
        ):
            key = (text.delimiter, text.width, b"\r" in text.body[:4096])
            groups.setdefault(key, []).append(number)

    def bytes_of(number: int) -> int:
        return len(texts[number].body)

    done: dict[int, pl.DataFrame] = {}
    for (delimiter, width, _), numbers in groups.items():
        for joined in constrained_batches(numbers, MOST_BYTES, get_len=bytes_of, strict=False):
            some = list(joined)
            whole = _parse([texts[n] for n in some], delimiter, width) if len(some) > 1 else None
            if whole is None:  # it is hardly ever more than one or two of them
                some = [n for n in some if not texts[n].wraps and not texts[n].widens]
                whole = _parse([texts[n] for n in some], delimiter, width) if some else None
            if whole is not None:
                grids = _cut(whole, [texts[n].lines for n in some], limits)
                done |= {n: grid for n, grid in zip(some, grids, strict=True) if grid is not None}
    return done


def _lines_within(body: bytes, most: int) -> bool:
    """Whether no line, and so no cell that ends with its line, is longer than so many bytes."""
    start = 0
    while len(body) - start > most:
        end = body.rfind(b"\n", start, start + most + 1)
        if end < 0:
            return False
        start = end + 1
    return True


def _parse(texts: list[Text], delimiter: str, width: int) -> pl.DataFrame | None:
    """All records of some files; None when the lines are not records one by one."""
    bodies = (t.body if t.body.endswith(b"\n") else t.body + b"\n" for t in texts)
    try:
        quoted = any(t.quotes for t in texts)
        frame = parse_fast(b"".join(bodies), delimiter, width, quoted=quoted)
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == sum(t.lines for t in texts) else None


def _cut(whole: pl.DataFrame, lines: list[int], limits: Limits) -> list[pl.DataFrame | None]:
    """The grid of each file; None for one that goes beyond the limits."""
    blank = whole.null_count().row(0)
    while (
        whole.width > 1 and blank[whole.width - 1] == whole.height
    ):  # quoted delimiters, not cells
        whole.drop_in_place(whole.columns[-1])
    return [_without_empty_end(grid, limits) for grid in number_many(whole, lines)]


def _without_empty_end(grid: pl.DataFrame, limits: Limits) -> pl.DataFrame | None:
    try:
        last = columns_used(grid, max_columns=limits.max_columns)
    except ValueError:
        return None
    return grid if last == grid.width else grid[:, :last] if last > 1 else grid[:, :1].clear()

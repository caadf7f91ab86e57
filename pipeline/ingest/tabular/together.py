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

import numpy as np
import polars as pl

from pipeline.ingest.tabular.limits import Limits
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
        if text.width > 1 and not text.crooked:
            key = (text.delimiter, text.width, b"\r" in text.body[:4096])
            groups.setdefault(key, []).append(number)
    done: dict[int, pl.DataFrame] = {}
    for (delimiter, width, _), numbers in groups.items():
        for some in _bounded(numbers, texts):
            whole = _parse([texts[n] for n in some], delimiter, width) if len(some) > 1 else None
            if whole is None:  # it is hardly ever more than one or two of them
                some = [n for n in some if not texts[n].wraps and not texts[n].widens]
                whole = _parse([texts[n] for n in some], delimiter, width) if some else None
            if whole is not None:
                grids = _cut(whole, [texts[n].lines for n in some], limits)
                done |= {n: grid for n, grid in zip(some, grids, strict=True) if grid is not None}
    return done


def _bounded(numbers: list[int], texts: Mapping[int, Text]) -> list[list[int]]:
    groups: list[list[int]] = []
    size = 0
    for number in numbers:
        more = len(texts[number].body)
        if not groups or size + more > MOST_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(number)
        size += more
    return groups


def _parse(texts: list[Text], delimiter: str, width: int) -> pl.DataFrame | None:
    """All records of some files; None when the lines are not records one by one."""
    bodies = (t.body if t.body.endswith(b"\n") else t.body + b"\n" for t in texts)
    try:
        frame = parse_fast(b"".join(bodies), delimiter, width)
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == sum(t.lines for t in texts) else None


def _cut(whole: pl.DataFrame, lines: list[int], limits: Limits) -> list[pl.DataFrame | None]:
    """The grid of each file; None for one that goes beyond the limits."""
    cells = whole.columns
    # Most rows show their content in the first cell; only the others are looked at further.
    seen = whole.select(
        (pl.col(cells[0]).str.strip_chars() != "").fill_null(False).alias("seen"),
        pl.max_horizontal(pl.col(c).str.len_bytes().max() for c in cells).alias("longest"),
    )
    if (seen["longest"][0] or 0) > limits.max_cell_characters:
        return [None] * len(lines)
    mask = seen["seen"].to_numpy().copy()
    counts = np.array(lines)
    starts = np.cumsum(counts) - counts
    rows = np.arange(1, whole.height + 1, dtype=np.int64) - np.repeat(starts, counts)
    numbered = whole.insert_column(0, pl.Series("row", rows))
    if not mask.all():
        content = [(pl.col(c).str.strip_chars() != "").fill_null(False) for c in cells]
        rest = numbered.filter(pl.Series(~mask)).select(pl.any_horizontal(content))
        mask[~mask] = rest.to_series().to_numpy()
    if not mask.all():
        ends = np.concatenate([[0], np.cumsum(mask)])
        starts, counts = ends[starts], ends[starts + counts] - ends[starts]
        numbered = numbered.filter(pl.Series(mask))
    return [
        _without_empty_end(numbered.slice(start, count), limits)
        for start, count in zip(starts.tolist(), counts.tolist(), strict=True)
    ]


def _without_empty_end(grid: pl.DataFrame, limits: Limits) -> pl.DataFrame | None:
    try:
        last = columns_used(grid, max_columns=limits.max_columns)
    except ValueError:
        return None
    return grid if last == grid.width else grid[:, :last] if last > 1 else grid[:, :1].clear()

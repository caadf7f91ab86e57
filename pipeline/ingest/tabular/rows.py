"""Physical row numbers, and rows without content left out: of one table, or of many that are joined.

Belongs here: numbering, and cutting joined tables apart again. Does not belong here: what is joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from pipeline.ingest.tabular.repeated import cells_that, is_blank

#: Blank rows of a table that are cut out rather than filtered out.
FEW_GAPS = 4


def number_rows(frame: pl.DataFrame, *, none_blank: bool = False) -> pl.DataFrame:
    """Add physical row numbers and drop rows without content.

    Args:
        frame: ``c0..cN`` in physical order.
        none_blank: whether every row is known to have content.

    Returns:
        ``row`` (Int64, from 1) and ``c0..cN``.
    """
    cells = frame.columns
    if not cells:
        return pl.DataFrame(schema={"row": pl.Int64})
    rows = pl.Series("row", np.arange(1, frame.height + 1, dtype=np.int64))
    numbered = frame.clone().insert_column(0, rows)
    if none_blank:
        return numbered
    has_content = [(pl.col(c).str.strip_chars() != "").fill_null(False) for c in cells]
    # Most rows show their content in the first column; only the others are looked at further,
    # which matters for accounts of a million rows.
    keep = numbered.select(has_content[0]).to_series().to_numpy().copy()
    if keep.all():
        return numbered
    doubtful = ~keep
    rest = numbered.filter(pl.Series(doubtful)).select(pl.any_horizontal(has_content))
    keep[doubtful] = rest.to_series().to_numpy()
    return numbered.filter(pl.Series(keep))


def number_many(whole: pl.DataFrame, heights: Sequence[int]) -> list[pl.DataFrame]:
    """The same for some tables that stand below one another.

    Args:
        whole: ``c0..cN``, at least one column; the rows of all tables. It is changed.
        heights: rows of each table.

    Returns:
        Each table as :func:`number_rows` gives it; most share their memory with the whole.
    """
    cells = whole.columns
    blank = cells_that(whole[cells[0]], is_blank)
    unseen = whole[cells[0]].is_null() if blank is None else whole[cells[0]].is_null() | blank
    counts = np.array(heights)
    starts = np.cumsum(counts) - counts
    rows = np.arange(1, whole.height + 1, dtype=np.int64) - np.repeat(starts, counts)
    numbered = whole.insert_column(0, pl.Series("row", rows))
    gaps = unseen.arg_true().to_numpy()
    if gaps.size:
        content = [(pl.col(c).str.strip_chars() != "").fill_null(False) for c in cells]
        rest = numbered[gaps].select(pl.any_horizontal(content)).to_series().to_numpy()
        gaps = gaps[~rest]
    between = np.searchsorted(gaps, np.concatenate([starts, [whole.height]]))
    return [
        _but_for(numbered, start, start + count, gaps[between[i] : between[i + 1]].tolist())
        for i, (start, count) in enumerate(zip(starts.tolist(), counts.tolist(), strict=True))
    ]


def _but_for(frame: pl.DataFrame, start: int, end: int, gaps: list[int]) -> pl.DataFrame:
    """The rows of one table without some of them, which are copied only where those are many."""
    if not gaps:
        return frame.slice(start, end - start)
    if len(gaps) > FEW_GAPS:
        keep = np.ones(end - start, dtype=bool)
        keep[np.array(gaps) - start] = False
        return frame.slice(start, end - start).filter(pl.Series(keep))
    edges = [start - 1, *gaps, end]
    runs = [(a + 1, b - a - 1) for a, b in pairwise(edges) if b - a > 1]
    return pl.concat([frame.slice(a, n) for a, n in runs]) if runs else frame.clear()

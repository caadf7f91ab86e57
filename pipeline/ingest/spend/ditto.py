"""Marks that say the same as the cell above: ``"``, ``do.``, ``ditto``, ``as above``.

They are taken for what they stand for. A mark with nothing above it says nothing, and neither does one
below a total.

Belongs here: what is such a mark, and what it stands for. Does not belong here: cells left blank
(``spend.above``).
"""

from __future__ import annotations

import polars as pl

from pipeline.ingest.report import SheetReport
from pipeline.ingest.spend.above import LABELS, SAME_BLOCK
from pipeline.ingest.spend.outcome import MAYBE_TOTAL
from pipeline.ingest.tabular.repeated import cells_that
from pipeline.ingest.tabular.vocabulary import DITTO
from pipeline.plain_text import plural

#: Columns in which a mark is looked for; those after the first two only in tables with a mark in one of these.
_COLUMNS = ("supplier", "_date", "entity", *LABELS)


def _are_marks(texts: pl.Series) -> pl.Series:
    return texts.str.contains(DITTO)


def tables_with_dittos(rows: pl.DataFrame) -> set[int]:
    """The tables in which a supplier or a date is such a mark.

    Args:
        rows: ``g`` (the table), ``supplier`` and ``_date``, as text.
    """
    found: set[int] = set()
    for name in _COLUMNS[:2]:
        marks = cells_that(rows[name], _are_marks)
        if marks is not None:
            found |= set(rows["g"].filter(marks).unique().to_list())
    return found


def fill_dittos(rows: pl.DataFrame, report: SheetReport) -> pl.DataFrame:
    """Put what stands above in the place of such marks; null where nothing does.

    Args:
        rows: of one table: text columns ``supplier``, ``_date``, ``_amount``, ``entity``, those of
            ``LABELS``, and ``is_duplicate``.
        report: told how many rows had a mark.

    Returns:
        The rows without marks.
    """
    marks = rows.select(pl.col(name).str.contains(DITTO).fill_null(False) for name in _COLUMNS)
    total = rows["supplier"].str.contains(MAYBE_TOTAL).fill_null(False)
    # Below a total nothing is above: an empty text is passed on there, and ends as none.
    above = rows.select(
        pl.when(marks[name]).then(None).when(total).then(pl.lit("")).otherwise(name).forward_fill()
        .replace("", None)
        .alias(name)
        for name in _COLUMNS
    )  # fmt: skip
    out = rows.with_columns(
        rows[name].zip_with(~marks[name], above[name]).alias(name) for name in _COLUMNS
    )
    marked = marks.select(pl.any_horizontal(pl.all())).to_series()
    report.warnings.append(
        f"{plural(int(marked.sum()), 'row')} say ditto, or have the mark for it; they were read as what stands "
        "above."
    )
    # Alike as published is alike in the marks only, and the other way round.
    same = out.select(pl.struct(*SAME_BLOCK, "_amount", "description").is_first_distinct().not_())
    return out.with_columns(
        is_duplicate=pl.when(marked).then(same.to_series()).otherwise("is_duplicate")
    )

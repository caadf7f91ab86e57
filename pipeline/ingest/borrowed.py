"""Typed lines that need not be kept, because the payments made of them hold the same.

Payments are typed lines with what booking and rules said of them, in another order. Where no row and
no value was lost on the way, the lines are made again from the payments and a note of a few runs, so the
texts of a file are kept once.

Belongs here: whether nothing would be lost, the note, and making the lines again. Does not belong
here: keeping either (``cache``, ``refresh.kept``).
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import polars as pl

from pipeline.ingest.runs import runs_of
from pipeline.ingest.spend import LINE_SCHEMA
from pipeline.schema import table

#: What payments do not tell of a line.
_NOT_TOLD = "entity"
#: The columns of payments that lines are made of.
NEEDED = tuple(name for name in LINE_SCHEMA if name != _NOT_TOLD)
#: A note with more runs of entities would cost more than it saves.
MOST_RUNS = 2_000


def note_of(lines: pl.DataFrame) -> dict[str, Any] | None:
    """What must be known beside the payments to make lines again; None where it would not suffice.

    Args:
        lines: in :data:`LINE_SCHEMA`, sheet by sheet.

    Returns:
        ``sheets`` (path, sheet and rows of each run) and ``entities`` (entity and rows of each run), to
        be written as JSON.
    """
    money = table("facts.payment").polars["amount_gbp"]
    amounts = lines["amount_gbp"]
    if not (amounts.cast(money).cast(amounts.dtype) == amounts).all():
        return None  # fractions of a penny
    entities = runs_of(lines, [_NOT_TOLD]).rows()
    if len(entities) > MOST_RUNS:
        return None
    sheets = runs_of(lines, ["source_file", "source_sheet"]).rows()
    starts = set(accumulate((rows for _, _, rows in sheets), initial=0))
    rising = lines["source_row"].diff() > 0
    falls = (~rising).arg_true().to_list()
    if len({(path, sheet) for path, sheet, _ in sheets}) < len(sheets) or not starts.issuperset(
        falls
    ):
        return None  # their order could not be told from the numbers of rows
    return {"sheets": sheets, "entities": entities}


def lines_again(payments: pl.DataFrame, note: dict[str, Any]) -> pl.DataFrame:
    """The lines that payments were made of.

    Args:
        payments: with the columns of :data:`NEEDED`, in any order.
        note: from :func:`note_of`.

    Returns:
        The lines in :data:`LINE_SCHEMA`, as they were.

    Raises:
        ValueError: when the note is about other payments.
    """
    sheets = pl.DataFrame(
        note["sheets"],
        schema={"source_file": pl.String, "source_sheet": pl.String, "_rows": pl.UInt32},
        orient="row",
    ).with_row_index("_sheet")
    lines = payments.select(NEEDED).join(
        sheets, on=["source_file", "source_sheet"], how="left", maintain_order="left"
    )
    met = lines.group_by("_sheet").len().sort("_sheet")
    if met["_sheet"].to_list() != sheets["_sheet"].to_list() or not met["len"].equals(
        sheets["_rows"].rename("len")
    ):
        raise ValueError("the note is about other payments")
    lines = lines.sort("_sheet", "source_row")
    entities = pl.DataFrame(
        note["entities"], schema={_NOT_TOLD: pl.String, "_rows": pl.UInt32}, orient="row"
    )
    each = entities.select(pl.int_range(pl.len()).repeat_by("_rows").explode()).to_series()
    return (
        lines.with_columns(entities[_NOT_TOLD].gather(each.drop_nulls()))
        .select(LINE_SCHEMA.names())
        .cast(LINE_SCHEMA)
    )

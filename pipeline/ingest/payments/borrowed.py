"""Typed lines that need not be kept, because the payments made of them hold the same.

Payments are typed lines with what booking and rules said of them, in another order. Where no row and
no value was lost on the way, the lines are made again from the payments and a note of a few runs, so the
texts of a file are kept once.

Belongs here: whether nothing would be lost, the note, and making the lines again. Does not belong
here: keeping either (``cache``, ``refresh.kept``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import polars as pl

from pipeline.ingest.runs import runs_of
from pipeline.ingest.spend.reader import LINE_SCHEMA
from pipeline.schema import table

#: What payments do not tell of a line.
_NOT_TOLD = "entity"
#: The columns of payments that lines are made of.
NEEDED = tuple(name for name in LINE_SCHEMA if name != _NOT_TOLD)
#: A note with more runs of entities would cost more than it saves.
MOST_RUNS = 2_000


def notes_of(lines: pl.DataFrame, groups: Sequence[Iterable[str]]) -> list[dict[str, Any] | None]:
    """What must be known beside the payments to make the lines of some groups of files again.

    Args:
        lines: in :data:`LINE_SCHEMA`; within a file sheet by sheet.
        groups: the paths of each group, in the order its lines are to have.

    Returns:
        For each group ``sheets`` (path, sheet and rows of each run) and ``entities`` (entity and rows of
        each run), to be written as JSON; None where that would not suffice.
    """
    sheets: dict[str, list[tuple[str, str, int]]] = {}
    entities: dict[str, list[tuple[str | None, int]]] = {}
    starts, at = set(), 0
    columns = ["source_file", "source_sheet", _NOT_TOLD]
    for path, sheet, entity, n in runs_of(lines, columns).iter_rows():
        own = sheets.setdefault(path, [])
        if own and own[-1][1] == sheet:
            own[-1] = (path, sheet, own[-1][2] + n)
        else:
            own.append((path, sheet, n))
            starts.add(at)
        entities.setdefault(path, []).append((entity, n))
        at += n
    doubtful = {path for path, own in sheets.items() if len({s for _, s, _ in own}) < len(own)}
    # Within a sheet the numbers of rows must tell the order.
    falls = (~(lines["source_row"].diff() > 0)).arg_true()
    unlike = falls.filter(~falls.is_in(list(starts)))
    doubtful |= set(lines["source_file"].gather(pl.concat([unlike, _unlike_amounts(lines)])))
    return [_note(paths, sheets, entities, doubtful) for paths in groups]


def _unlike_amounts(lines: pl.DataFrame) -> pl.Series:
    """Where amounts have fractions of a penny, which payments do not have."""
    money, amounts = table("facts.payment").polars["amount_gbp"], lines["amount_gbp"]
    return (amounts.cast(money).cast(amounts.dtype) != amounts).arg_true()


def _note(
    paths: Iterable[str],
    sheets: Mapping[str, list[tuple[str, str, int]]],
    entities: Mapping[str, list[tuple[str | None, int]]],
    doubtful: Set[str],
) -> dict[str, Any] | None:
    own = list(paths)
    note = {
        "sheets": [run for path in own for run in sheets.get(path, ())],
        "entities": [run for path in own for run in entities.get(path, ())],
    }
    too_many = len(note["entities"]) > MOST_RUNS
    return None if too_many or not doubtful.isdisjoint(own) else note


def lines_again(payments: pl.DataFrame, note: dict[str, Any]) -> pl.DataFrame:
    """The lines that payments were made of.

    Args:
        payments: with the columns of :data:`NEEDED`, in any order.
        note: from :func:`notes_of`.

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

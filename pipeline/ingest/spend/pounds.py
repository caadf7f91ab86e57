"""The account of pounds of spend files, beside that of rows: what stood in the amount cells, and what became of it.

What a sheet holds is counted from its amount cells before any row is sorted; what was kept is counted
from the lines that come out in the end. So the two agree only if nothing was lost between them. Counted
in whole pence. Amounts in other currencies and cells that are no number are no pounds and count as nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipeline.ingest.spend.cells import Sheet, amount_cells
from pipeline.ingest.tabular.amounts import parse_amounts

#: Pence of a typed amount; wide enough for ten million rows of any size that is read.
PENCE = (pl.col("amount_gbp") * 100).round().cast(pl.Int64).cast(pl.Int128).fill_null(0)
_POUNDS_ONLY = pl.when(pl.col("_currency").is_null()).then(PENCE).otherwise(0)


def count_read(sheets: Sequence[Sheet], rows: pl.DataFrame) -> None:
    """Write into the report of each sheet what its amount cells hold.

    Args:
        sheets: understood sheets.
        rows: all their rows below the headers: ``g``, ``amount_gbp``, ``_currency``.
    """
    found = _by(rows, "g", _POUNDS_ONLY)
    for sheet in sheets:
        sheet.report.pence_read = found.get(sheet.key, 0)
        sheet.report.pence_rejected = sheet.report.pence_ignored = 0


def count_others(sheets: Sequence[Sheet], others: pl.DataFrame) -> None:
    """Write into the report of each sheet what the rows hold that were not kept.

    Args:
        sheets: understood sheets.
        others: those rows, with ``_outcome``.
    """
    ignored = pl.col("_outcome").str.starts_with("ignored")
    for name, which in (("pence_ignored", ignored), ("pence_rejected", ~ignored)):
        found = _by(others.filter(which), "g", _POUNDS_ONLY)
        for sheet in sheets:
            setattr(sheet.report, name, found.get(sheet.key, 0))


def count_left_out(sheet: Sheet) -> None:
    """Count the amount cells of a sheet that is left out before its rows are typed."""
    cells = amount_cells(sheet)
    amounts, _ = parse_amounts(cells, "_amount", "g")
    count_read([sheet], amounts)
    sheet.report.pence_ignored = sheet.report.pence_read or 0


def pence_by_file(lines: pl.DataFrame) -> dict[str, int]:
    """Path -> pence of its lines (``source_file``, ``amount_gbp``)."""
    return _by(lines, "source_file", PENCE)


def pence_of(lines: pl.DataFrame) -> int:
    """Pence of lines (``amount_gbp``)."""
    return int(lines.select(PENCE.sum()).item())


def _by(rows: pl.DataFrame, key: str, pence: pl.Expr) -> dict:
    return dict(rows.lazy().group_by(key).agg(pence.sum()).collect().iter_rows())

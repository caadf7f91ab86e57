"""Sheets that hold the payments of another sheet a second time, line by line or as sums.

A workbook often carries the same payments twice: a sheet for the year and one for each month, a
draft beside the final list, a summary by month. What is a copy is told by content alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import polars as pl

from pipeline.ingest.payments.republished import revision_of
from pipeline.ingest.spend.cells import Sheet
from pipeline.ingest.spend.pounds import pence_of

SHARE, FEWEST, MOSTLY = 0.98, 5, 0.8
#: What publishers must publish begins here.
THRESHOLD = 25_000.0
_KEY = ("payment_date", "month", "supplier", "amount_gbp")


def drop_repeated_sheets(
    lines: pl.DataFrame, sheets: Sequence[Sheet], rejected: list[pl.DataFrame]
) -> pl.DataFrame:
    """Leave out sheets whose payments all stand in another sheet of the same workbook.

    Args:
        lines: typed lines.
        sheets: the understood sheets; the reports of those left out are changed.
        rejected: unused rows are not rejected but ignored, so nothing is added here; rows that
            the sheet had rejected are taken out again.

    Returns:
        The lines without the repeated sheets.
    """
    by_file: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        by_file.setdefault(sheet.path, []).append(sheet)
    gone: list[tuple[str, str]] = []
    for path, own in by_file.items():
        own = list({s.grid.sheet: s for s in reversed(own)}.values())[::-1]  # one a sheet
        if len(own) < 2:
            continue
        here = lines.filter(pl.col("source_file") == path)
        counts = {
            s.grid.sheet: here.filter(pl.col("source_sheet") == s.grid.sheet)
            .group_by(_KEY)
            .agg(n=pl.len())
            for s in own
        }
        sizes = {name: int(c["n"].sum()) for name, c in counts.items()}
        order = sorted(own, key=lambda s: (sizes[s.grid.sheet], not s.grid.visible))
        left = list(order)
        for sheet in order:
            name = sheet.grid.sheet
            others = [s for s in left if s is not sheet and sizes[s.grid.sheet] >= sizes[name]]
            others = [o for o in others if not _published_from(sheet, o, counts)]
            if sizes[name] < FEWEST:
                continue
            holder = next((o for o in others if _holds(counts[o.grid.sheet], counts[name])), None)
            if holder is not None:
                held_by = f"sheet {holder.grid.sheet!r}"
            elif _hold_together(
                [counts[s.grid.sheet] for s in left if s is not sheet], counts[name]
            ):
                held_by = "the other sheets"
            else:
                continue
            left.remove(sheet)
            gone.append((path, name))
            _mark(
                sheet,
                sheets,
                here,
                rejected,
                f"payments that stand in {held_by} too",
                f"Sheet {name!r} repeats payments of {held_by}; it was left out.",
            )
        left = _leave_out_hidden(path, here, left, sheets, rejected, gone)
        left = [sheet for sheet in own if sheet in left]  # as they stand in the workbook
        for sheet, other, shared in _versions(left, counts):
            name = sheet.grid.sheet
            if revision_of(f"{other.grid.sheet}.")[1] > revision_of(f"{name}.")[1]:
                left.remove(sheet)
                gone.append((path, name))
                reason = f"an earlier version of sheet {other.grid.sheet!r}"
                warning = (
                    f"Sheet {name!r} is {reason}, by its name and its payments; it was left out."
                )
                _mark(sheet, sheets, here, rejected, reason, warning)
                continue
            lines = _counted_once(lines, path, name, counts[other.grid.sheet])
            sheet.report.warnings.append(
                f"{shared:,} payments of sheet {name!r} stand in sheet {other.grid.sheet!r} too; they are "
                "kept and counted once. The others of both sheets are counted; look which sheet is right."
            )
        for sheet in left:
            name = sheet.grid.sheet
            others = [s.grid.sheet for s in left if s is not sheet]
            if _sums_up(here, name, others):
                gone.append((path, name))
                _mark(
                    sheet,
                    sheets,
                    here,
                    rejected,
                    "sums of the payments in the other sheets",
                    f"Sheet {name!r} holds sums of the payments in the other sheets; it was left out.",
                )
    if not gone:
        return lines
    out = pl.DataFrame(
        gone, schema={"source_file": pl.String, "source_sheet": pl.String}, orient="row"
    )
    return lines.join(out, on=["source_file", "source_sheet"], how="anti", maintain_order="left")


def _leave_out_hidden(
    path: str,
    lines: pl.DataFrame,
    left: list[Sheet],
    sheets: Sequence[Sheet],
    rejected: list[pl.DataFrame],
    gone: list[tuple[str, str]],
) -> list[Sheet]:
    """Leave out hidden sheets about months that visible sheets tell of: workings, old drafts."""
    seen = [s.grid.sheet for s in left if s.grid.visible]
    shown = set(lines.filter(pl.col("source_sheet").is_in(seen))["month"])
    kept: list[Sheet] = []
    for sheet in left:
        name = sheet.grid.sheet
        months = set(lines.filter(pl.col("source_sheet") == name)["month"])
        if sheet.grid.visible or not shown:
            kept.append(sheet)
        elif months and months <= shown:
            gone.append((path, name))
            _mark(
                sheet,
                sheets,
                lines,
                rejected,
                "hidden sheet",
                f"Sheet {name!r} is hidden, and visible sheets hold payments of its months; it was "
                "left out.",
            )
        else:
            kept.append(sheet)
            sheet.report.warnings.append(
                f"Sheet {name!r} is hidden, and no other sheet holds payments of all its months; it "
                "was counted."
            )
    return kept


def _versions(
    left: Sequence[Sheet], counts: dict[str, pl.DataFrame]
) -> list[tuple[Sheet, Sheet, int]]:
    """Sheets most of whose payments stand in another one, that one, and how many do; each sheet once."""
    found: list[tuple[Sheet, Sheet, int]] = []
    told: set[str] = set()
    for one, two in combinations(left, 2):
        sizes = [int(counts[s.grid.sheet]["n"].sum()) for s in (one, two)]
        shared = _shared(counts[one.grid.sheet], counts[two.grid.sheet])
        if min(sizes) < FEWEST or shared < MOSTLY * max(sizes):
            continue
        earlier = revision_of(f"{one.grid.sheet}.")[1] < revision_of(f"{two.grid.sheet}.")[1]
        sheet, other = (one, two) if earlier else (two, one)
        if not {sheet.grid.sheet, other.grid.sheet} & told:
            told.add(sheet.grid.sheet)
            found.append((sheet, other, shared))
    return found


def _counted_once(lines: pl.DataFrame, path: str, name: str, there: pl.DataFrame) -> pl.DataFrame:
    """The lines, those of a sheet that stand in another one marked as duplicates, as often as they do."""
    mine = (pl.col("source_file") == path) & (pl.col("source_sheet") == name)
    place = pl.col("source_row").cum_count().over(_KEY)
    own = lines.with_row_index("_at").filter(mine).with_columns(_nth=place)
    both = own.join(there, on=list(_KEY), how="inner", nulls_equal=True)
    again = both.filter(pl.col("_nth") <= pl.col("n"))["_at"]
    told = lines["is_duplicate"].scatter(again, True)
    return lines.with_columns(told)


def _published_from(sheet: Sheet, other: Sheet, counts: dict[str, pl.DataFrame]) -> bool:
    """Whether a sheet shows of a hidden one what had to be published: all but the smaller lines."""
    if other.grid.visible or not sheet.grid.visible:
        return False
    had_to_be = counts[other.grid.sheet].filter(pl.col("amount_gbp") >= THRESHOLD)
    return not had_to_be.is_empty() and _holds(counts[sheet.grid.sheet], had_to_be)


def _as_rounded(larger: pl.DataFrame, smaller: pl.DataFrame) -> pl.DataFrame:
    """The lines of one sheet in whole pounds, where those of the other are."""
    amount = pl.col("amount_gbp")
    whole = (amount == amount.round(0)).all()
    if not smaller.select(whole).item() or larger.select(whole).item():
        return larger
    return larger.with_columns(amount.round(0)).group_by(_KEY).agg(n=pl.col("n").sum())


def _holds(larger: pl.DataFrame, smaller: pl.DataFrame) -> bool:
    """Whether nearly every line of one sheet stands in the other, as often, if need be rounded."""
    larger = _as_rounded(larger, smaller)
    return _shared(larger, smaller) >= SHARE * int(smaller["n"].sum())


def _hold_together(others: Sequence[pl.DataFrame], smaller: pl.DataFrame) -> bool:
    """Whether nearly every line of a sheet stands in others together: an extract of some suppliers."""
    if len(others) < 2:
        return False
    together = pl.concat(others).group_by(_KEY).agg(n=pl.col("n").sum())
    return _holds(together, smaller)


def _shared(one: pl.DataFrame, other: pl.DataFrame) -> int:
    """How many lines two sheets have in common."""
    both = other.join(one, on=list(_KEY), how="inner", nulls_equal=True, suffix="_there")
    return int(both.select(pl.min_horizontal("n", "n_there").sum()).item())


def _sums_up(lines: pl.DataFrame, name: str, others: Sequence[str]) -> bool:
    """Whether an undated sheet holds sums, by supplier and month or by month, of dated sheets."""
    own = lines.filter(pl.col("source_sheet") == name)
    dated = lines.filter(
        pl.col("source_sheet").is_in(list(others)) & pl.col("payment_date").is_not_null()
    )
    if own.is_empty() or dated.is_empty() or own["payment_date"].null_count() < own.height:
        return False
    for keys in (["supplier", "month"], ["month"]):
        there = dated.group_by(keys).agg(total=pl.col("amount_gbp").sum())
        here = own.group_by(keys).agg(here=pl.col("amount_gbp").sum(), n=pl.len())
        both = here.join(there, on=keys, how="left")
        equal = ((both["here"] - both["total"]).abs() <= 0.01 * both["n"] + 0.005).fill_null(False)
        if equal.sum() >= SHARE * both.height:
            return True
    return False


def _mark(
    sheet: Sheet,
    sheets: Sequence[Sheet],
    lines: pl.DataFrame,
    rejected: list[pl.DataFrame],
    reason: str,
    warning: str,
) -> None:
    """Count all rows of a sheet as no data, and say so."""
    own: list[pl.Series] = []
    for table in sheets:
        if table.path == sheet.path and table.grid.sheet == sheet.grid.sheet:
            report = table.report
            report.ignored[reason] = report.rows_kept + report.rows_rejected
            report.rows_kept, report.rejected = 0, {}
            report.pence_ignored += report.pence_rejected
            report.pence_rejected = 0
            own.append(table.grid.frame["row"])
    place = {"source_file": sheet.path, "source_sheet": sheet.grid.sheet}
    sheet.report.pence_ignored += pence_of(lines.filter(**place))
    sheet.report.warnings.append(warning)
    # A table of the same sheet that was not understood keeps its rejected rows.
    rows = pl.concat(own).implode()
    for i, frame in enumerate(rejected):
        of_sheet = (pl.col("source_file") == sheet.path) & (
            pl.col("source_sheet") == sheet.grid.sheet
        )
        rejected[i] = frame.filter(~(of_sheet & pl.col("source_row").is_in(rows)))

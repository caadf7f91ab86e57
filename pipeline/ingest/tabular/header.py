"""Which row is the header, and the layout of a sheet.

The search looks at the first rows for one (or two together) that names several columns; what each
column means is decided in ``roles``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice

import numpy as np
import polars as pl

from pipeline.ingest.tabular.grids import Grid
from pipeline.ingest.tabular.profile import Profile, look, profile
from pipeline.ingest.tabular.roles import (
    Layout,
    LayoutError,
    assign_roles,
    refuse_months_as_columns,
)
from pipeline.ingest.tabular.vocabulary import DITTO, header_strength, role_of

__all__ = [
    "Layout",
    "LayoutError",
    "find_header",
    "find_layout",
    "find_layouts",
    "heads_payments",
    "is_data_row",
]

SEARCH_ROWS = 60
FIRST_LOOK = 20
LOOK_AT_ROWS = 300
SAMPLE_ROWS = 40
#: Where the header names every column that matters, the values need only not contradict it.
FEW_ROWS = 20
NAMED = {"amount", "date", "supplier", "expense_type", "expense_area"}
ENOUGH_DATA_ROWS = 8
_IS_DITTO = re.compile(DITTO).match
Cells = list[str | None]
Rows = Sequence[tuple[int, Cells]]


def _looks_like_data(cells: Cells) -> bool:
    hits = 0
    for cell in cells:
        if cell and not look(cell.strip())[0].isdisjoint(("date", "numeric")):
            hits += 1
            if hits == 2:
                return True
    return False


def is_data_row(cells: Cells) -> bool:
    """Whether two cells of a row are dates or numbers, so that it heads nothing."""
    return _looks_like_data(cells)


def _asked_once(rows: Rows) -> Callable[[int], bool]:
    """Whether the row at a place looks like data; a row is looked at when first asked for."""
    told: dict[int, bool] = {}

    def is_data(at: int) -> bool:
        if at not in told:
            told[at] = _looks_like_data(rows[at][1])
        return told[at]

    return is_data


def _has_enough_data(places: Iterable[int], is_data: Callable[[int], bool]) -> bool:
    """Whether enough of some rows look like data; looks no further than it must."""
    return len(list(islice(filter(is_data, places), ENOUGH_DATA_ROWS))) == ENOUGH_DATA_ROWS


def _join(rows: list[Cells]) -> Cells:
    joined: Cells = []
    for parts in zip(*rows, strict=True):
        texts = [p.strip() for p in parts if p and p.strip()]
        joined.append(" ".join(texts) or None)
    return joined


def find_header(
    rows: Rows, is_data: Callable[[int], bool] | None = None
) -> tuple[list[int], Cells, int] | None:
    """Find the header among the first rows.

    Args:
        rows: (physical row, cells) of the first rows with content.
        is_data: whether the row at a place looks like data, where that is asked elsewhere too.

    Returns:
        Physical rows of the header, its joined cells and the number of rows to skip; None when no
        row names at least three roles (two, when a role of money is one of them).
    """
    is_data = is_data or _asked_once(rows)
    best: tuple[float, int, int, Cells] | None = None
    run = 0
    for i in range(min(len(rows), SEARCH_ROWS)):
        if is_data(i):
            run += 1
            if best is not None and run == ENOUGH_DATA_ROWS:
                break  # a table has begun; a later row that names columns repeats the header
            continue
        run = 0
        for span in (1, 2):
            window = [c for _, c in rows[i : i + span]]
            if len(window) < span or (span > 1 and is_data(i + 1)):
                continue
            joined = _join(window)
            count, strength = header_strength(joined)
            named = {found[0] for c in joined if (found := role_of(c))}
            enough = count >= 3 or (count == 2 and named & {"amount"} and named & {"supplier"})
            if not enough:
                continue
            score = strength - 0.4 * (span - 1) - 0.01 * i
            if best is None or score > best[0] + 0.3:
                best = (score, i, span, joined)
    if best is None:
        return None
    _, i, span, joined = best
    return [number for number, _ in rows[i : i + span]], joined, i + span


NIL_RETURN = "the file holds no payments"
_NIL = re.compile(
    r"\b(?:nil (?:return|payments?|transactions?|spend|expenditure)|no (?:\w+ ){0,3}?"
    r"(?:payments?|transactions?|invoices?|spend(?:ing)?|expenditure)\b.*)",
    re.IGNORECASE,
)


def refuse_nil_return(rows: list[tuple[int, Cells]]) -> None:
    """Refuse a few lines that say that nothing was paid, in their own words.

    Args:
        rows: (physical row, cells) of the first rows.

    Raises:
        LayoutError: when one of few rows says so.
    """
    for _, row in rows if len(rows) <= 15 else []:
        text = " ".join(" ".join(c for c in row if c).split())
        if _NIL.search(text):
            raise LayoutError(f"{NIL_RETURN}; it says {text[:100]!r}")


def heads_payments(grid: Grid) -> bool:
    """Whether a sheet has a header that names supplier, date and amount."""
    names = [c for c in grid.frame.columns if c != "row"]
    found = find_header([(int(r[0]), list(r[1:])) for r in grid.frame.head(SEARCH_ROWS).rows()])
    if not found or not names:
        return False
    named = {role[0] for cell in found[1] if (role := role_of(cell))}
    return {"supplier", "date", "amount"} <= named


#: Why a sheet without payments has no layout.
HEADER_ONLY = (
    "the sheet has a header but no rows below it; where the month had no payments nothing is to be done, else "
    "offer the whole file"
)


@dataclass(frozen=True)
class _Begun:
    """A sheet whose header was looked for: what is needed to look at its values.

    Attributes:
        header_rows: physical rows of the header; empty when there is none.
        cells: the header's cells, one a column.
        sample: places, in the grid, of the rows whose values are looked at.
    """

    header_rows: list[int]
    cells: Cells
    sample: np.ndarray


def _begin(grid: Grid) -> _Begun:
    """Look for the header of a sheet.

    Raises:
        LayoutError: with a sentence that says what is missing.
    """
    header_rows: list[int] = []
    cells: Cells = [None] * (grid.frame.width - 1)
    skip, found = 0, None
    for depth in (FIRST_LOOK, SEARCH_ROWS + 2):
        top: list[tuple[int, Cells]] = [(r[0], list(r[1:])) for r in grid.frame.head(depth).rows()]
        is_data = _asked_once(top)
        found = find_header(top, is_data)
        if found and _has_enough_data(range(found[2], len(top)), is_data):
            break
    if found:
        header_rows, cells, skip = found
    else:
        for _, row in top:
            refuse_months_as_columns(row)
        refuse_nil_return(top)
    height = min(LOOK_AT_ROWS, grid.height - skip)
    if height <= 0:
        raise LayoutError(HEADER_ONLY)
    wanted = (
        FEW_ROWS if {found[0] for c in cells if (found := role_of(c))} >= NAMED else SAMPLE_ROWS
    )
    return _Begun(header_rows, cells, skip + np.arange(0, height, max(1, height // wanted)))


def find_layout(grid: Grid) -> Layout:
    """Understand one sheet of a spend file.

    Args:
        grid: the sheet.

    Raises:
        LayoutError: with a sentence that says what is missing or ambiguous.
    """
    (found,) = find_layouts([grid])
    if isinstance(found, Exception):
        raise found
    return found


def find_layouts(grids: Sequence[Grid]) -> list[Layout | Exception]:
    """Understand several sheets; the values of those of one width are fetched together.

    Args:
        grids: the sheets.

    Returns:
        For each its layout, or what was raised: mostly a ``LayoutError`` with a sentence.
    """
    done: list[Layout | Exception] = [LayoutError("")] * len(grids)
    begun: dict[int, _Begun] = {}
    alike: dict[tuple[str, ...], list[int]] = {}
    for at, grid in enumerate(grids):
        try:
            begun[at] = _begin(grid)
            alike.setdefault(tuple(grid.frame.columns), []).append(at)
        except Exception as error:  # one hostile sheet must not stop the others
            done[at] = error
    for names, places in alike.items():
        frames = [grids[at].frame.head(int(begun[at].sample[-1]) + 1) for at in places]
        starts = accumulate((frame.height for frame in frames), initial=0)
        rows = [begun[at].sample + start for at, start in zip(places, starts, strict=False)]
        sample = pl.concat(frames)[np.concatenate(rows)]
        columns = {c: sample[c].to_list() for c in names if c != "row"}
        end = 0
        for at, own in zip(places, rows, strict=True):
            start, end = end, end + len(own)
            try:
                done[at] = _layout_of(begun[at], {c: v[start:end] for c, v in columns.items()})
            except Exception as error:
                done[at] = error
    return done


def _layout_of(begun: _Begun, cells: dict[str, Cells]) -> Layout:
    """What the columns of a sheet mean; where their values speak against it, without ditto marks.

    Marks are no values; they are looked for only where it matters, because they are seldom there.

    Args:
        begun: the sheet.
        cells: of each column, as far as they are looked at.

    Raises:
        LayoutError: with a sentence that says what is missing or ambiguous.
    """
    found: Layout | LayoutError
    try:
        found = _layout(begun, {c: profile(values) for c, values in cells.items()})
    except LayoutError as error:
        found = error
    if isinstance(found, LayoutError) or found.warnings:
        told = {c: [v for v in values if not _IS_DITTO(v or "")] for c, values in cells.items()}
        if any(len(told[c]) < len(values) for c, values in cells.items()):
            return _layout(begun, {c: profile(values) for c, values in told.items()})
    if isinstance(found, LayoutError):
        raise found
    return found


def _layout(begun: _Begun, profiles: dict[str, Profile]) -> Layout:
    """What the columns of a sheet mean, from its header and what their values look like."""
    header_rows = begun.header_rows
    headers: dict[str, str | None] = {
        c: (cell.strip() or None) if cell else None
        for c, cell in zip(profiles, begun.cells, strict=True)
    }
    layout = assign_roles(headers, profiles)
    notes = list(layout.notes)
    warnings = list(layout.warnings)
    if not header_rows:
        if "date" not in layout.columns:
            raise LayoutError("no header row was found and no column of dates")
        warnings.insert(0, "No header row was found; every column was read by its values.")
    elif len(header_rows) > 1:
        notes.insert(0, "The header stands in two rows.")
    confidence = layout.confidence if header_rows else 0.6
    return replace(
        layout,
        header_rows=tuple(header_rows),
        notes=notes,
        warnings=warnings,
        confidence=confidence,
    )

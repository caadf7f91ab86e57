"""Day first or month first, as a table's own column of months, periods or years tells it.

A table that was paid out on early days of many months holds no number above 12, so its dates alone
do not tell how they are written; ``05/04/2020`` beside ``Apr-20`` does. The column is asked only
where the dates themselves leave a doubt, and where it says the other thing than the name of the file
the dates are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from pipeline.ingest.spend.cells import Sheet
from pipeline.ingest.spend.periods import FINANCIAL_WORDS, WAYS, PeriodCell, month_of, period_cell
from pipeline.ingest.tabular.dates import BY_NAME, CONTRADICTED, WEAK, parse_dates
from pipeline.ingest.tabular.periods import PeriodHint, hint_from_name
from pipeline.ingest.tabular.vocabulary import normalise

_NUMBERS = r"^\s*(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4}|\d{2})(?:[ T].*)?$"
MOST_DISTINCT = 20_000
#: Share of the rows that fall into the month of their own cell, under one order and under the other.
FIT, NO_FIT = 0.8, 0.2
#: The same for years: a wrong order leaves most dates in the same financial year.
FIT_YEAR, NO_FIT_YEAR = 0.95, 0.85
NO_FIT_QUARTER = 0.6
DAY_FIRST, MONTH_FIRST = "day first", "month first"


def settle_orders(
    rows: pl.DataFrame, decisions: pl.DataFrame, sheets: Sequence[Sheet], hints: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read the dates again of tables whose own columns tell what their dates do not.

    Args:
        rows: ``g``, ``_date``, ``_period``, ``_year``, ``payment_date``, ``month`` and others.
        decisions: from :func:`~pipeline.ingest.tabular.dates.parse_dates`.
        sheets: sheet ``n`` is table ``n``.
        hints: as given to ``parse_dates``.

    Returns:
        Rows and decisions, changed for such tables only.
    """
    doubtful = {
        row["g"]: row
        for row in decisions.iter_rows(named=True)
        if row["date_reason"] in WEAK and _has_own_column(sheets[row["g"]])
    }
    if not doubtful:
        return rows, decisions
    told: dict[int, tuple[str, str]] = {}
    for key, row in doubtful.items():
        own = rows.filter(pl.col("g") == key)
        if found := order_of_columns(own, sheets[key]) or _by_quarters(own, sheets[key]):
            order, reason = found
            if row["date_reason"] in BY_NAME and row["date_order"] != order:
                order, reason = CONTRADICTED, f"{reason}, but not into those of the file's name"
            told[key] = order, reason
    if not told:
        return rows, decisions
    mine = pl.col("g").is_in(list(told))
    settled = pl.DataFrame(
        [(key, *found) for key, found in told.items()],
        schema={"g": pl.Int32, "settled_order": pl.String, "settled_reason": pl.String},
        orient="row",
    )
    at = rows.select(mine.arg_true()).to_series()
    again, decided = parse_dates(
        rows[at].drop("payment_date", "month"),
        "_date",
        "g",
        hints.filter(mine).join(settled, on="g", how="left"),
    )
    rows = rows.with_columns(
        rows[name].scatter(at, again[name]) for name in ("payment_date", "month")
    )
    return rows, pl.concat([decisions.filter(~mine), decided])


def _has_own_column(sheet: Sheet) -> bool:
    columns = sheet.layout.columns
    own = columns.get("period", columns.get("financial_year", columns.get("quarter")))
    return own is not None and own != columns.get("date")


def order_of_columns(rows: pl.DataFrame, sheet: Sheet) -> tuple[str, str] | None:
    """The order under which dates fall into the months, or years, that stand beside them.

    Args:
        rows: ``_date``, ``_period`` and ``_year`` of one table, as published.
        sheet: the table.

    Returns:
        Order and reason, or None where the columns do not tell.
    """
    some = _doubtful_dates(rows)
    if some.is_empty() or some.height > MOST_DISTINCT:
        return None
    headers = sheet.layout.headers
    columns = sheet.layout.columns
    header = headers.get(columns.get("period", ""), "")
    year_header = headers.get(columns.get("financial_year", ""), "")
    found = _by_months(some, header, sheet.hint) if header else None
    if found:
        return found, f"so the dates fall into the months under {header!r}"
    if year_header and (found := _by_years(some, year_header)):
        return found, f"so the dates fall into the years under {year_header!r}"
    return None


def _doubtful_dates(rows: pl.DataFrame) -> pl.DataFrame:
    """Dates that can be read both ways, as numbers, with the cells beside them and how often."""
    text = pl.col("_date")
    return (
        rows.select(
            a=text.str.extract(_NUMBERS, 1).cast(pl.Int32, strict=False),
            b=text.str.extract(_NUMBERS, 2).cast(pl.Int32, strict=False),
            y=text.str.extract(_NUMBERS, 3).cast(pl.Int32, strict=False),
            p="_period",
            f="_year",
        )
        .filter(pl.col("a").is_between(1, 12) & pl.col("b").is_between(1, 12))
        .filter(pl.col("a") != pl.col("b"))
        .group_by("a", "b", "y", "p", "f")
        .len()
    )


def _by_quarters(rows: pl.DataFrame, sheet: Sheet) -> tuple[str, str] | None:
    """By a column of quarters, which are of the financial year or, all of them, of the calendar."""
    column = sheet.layout.columns.get("quarter")
    if column is None:
        return None
    cells = sheet.grid.frame.select(
        pl.col("row").alias("source_row"), pl.col(column).alias("_period")
    )
    some = _doubtful_dates(rows.drop("_period").join(cells, on="source_row", how="left"))
    hints = {text: hint_from_name(text or "") for text in some["p"].unique()}
    best = {DAY_FIRST: 0.0, MONTH_FIRST: 0.0}
    for way in (0, 1):
        fit = dict.fromkeys(best, 0)
        for a, b, y, text, _, n in some.iter_rows():
            hint, year = hints[text], y if y >= 100 else 2000 + y
            for order, month in ((DAY_FIRST, b), (MONTH_FIRST, a)):
                if hint.span:
                    fit[order] += n * (hint.span[0] <= date(year, month, 1) <= hint.span[1])
                elif ranges := hint.months_without_year:
                    fit[order] += n * (month in ranges[min(way, len(ranges) - 1)])
        total = max(int(some["len"].sum()), 1)
        best = {order: max(best[order], float(n / total)) for order, n in fit.items()}
    found = _clear(best, FIT_YEAR, NO_FIT_QUARTER)
    header = sheet.layout.headers.get(column, "")
    return (found, f"so the dates fall into the quarters under {header!r}") if found else None


def _by_months(some: pl.DataFrame, header: str, hint: PeriodHint) -> str | None:
    cells = {
        (period, year): period_cell(period, year, hint, undated=True)
        for period, year in some.select("p", "f").unique().iter_rows()
    }
    words = set(normalise(header).split())
    ways = WAYS
    if "calendar" in words:
        ways = WAYS[:1]
    elif words & FINANCIAL_WORDS and not words & {"date"}:
        ways = WAYS[1:]
    best = {DAY_FIRST: 0.0, MONTH_FIRST: 0.0}
    total = int(some["len"].sum())
    for way in ways:
        fit = dict.fromkeys(best, 0)
        for a, b, y, period, year, n in some.iter_rows():
            cell = cells[period, year]
            if cell is None:
                continue
            for order, month in ((DAY_FIRST, b), (MONTH_FIRST, a)):
                if _falls_into(cell, way, month, y if y >= 100 else 2000 + y):
                    fit[order] += n
        best = {order: max(best[order], float(n / total)) for order, n in fit.items()}
    return _clear(best, FIT, NO_FIT)


def _falls_into(cell: PeriodCell, way: str, month: int, year: int) -> bool:
    """Whether a month is the one that a cell of periods means, under one reading."""
    if cell.year is not None:
        return month_of(cell, way) == f"{year}-{month:02d}"
    if cell.number > 12:
        return False
    return month == (cell.number if cell.named or way == WAYS[0] else (cell.number + 2) % 12 + 1)


def _by_years(some: pl.DataFrame, header: str) -> str | None:
    """By a column of financial years; a lone year is the first or the last of one."""
    financial = bool(set(normalise(header).split()) & FINANCIAL_WORDS)
    cells = {text: period_cell("1", text, PeriodHint()) for text in some["f"].unique()}
    known = {text: c for text, c in cells.items() if c is not None and (c.spanned or financial)}
    if not known:
        return None
    best = {DAY_FIRST: 0.0, MONTH_FIRST: 0.0}
    total = int(some["len"].sum())
    for less in (0, 1) if financial else (0,):
        fit = dict.fromkeys(best, 0)
        for a, b, y, _, text, n in some.iter_rows():
            cell = known.get(text)
            if cell is None or cell.year is None:
                continue
            start = cell.year - (less if not cell.spanned else 0)
            for order, month in ((DAY_FIRST, b), (MONTH_FIRST, a)):
                fit[order] += n * ((y if y >= 100 else 2000 + y) - (month < 4) == start)
        best = {order: max(best[order], float(n / total)) for order, n in fit.items()}
    return _clear(best, FIT_YEAR, NO_FIT_YEAR)


def _clear(share: Mapping[str, float], fit: float, no_fit: float) -> str | None:
    """The order that fits where the other does not."""
    ranked = sorted(share, key=lambda order: -share[order])
    return ranked[0] if share[ranked[0]] >= fit and share[ranked[1]] <= no_fit else None

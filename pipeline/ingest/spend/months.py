"""The month of a payment where a file prints the dates of invoices.

The month is then the one the file was published for, which its own column of months or periods
says, or its name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import polars as pl

from pipeline.ingest.spend.cells import Sheet, rows_below_header
from pipeline.ingest.spend.periods import WAYS, month_of, period_cell
from pipeline.ingest.tabular.periods import PeriodHint, hint_from_name, hint_from_path

OUTSIDE, LATER, OWN, KINDS = 0.2, 0.02, 0.05, 4
RECENT, TAIL = 0.5, 0.4
MOST_HEADINGS, LONGEST_HEADING = 500, 60
_HEADING = re.compile(
    r"(?:(?:month|payments?|invoices?|paid|spend|period)\b\s*(?:of|for|in|made in)?\s*[:-]?\s*)?"
    r"(?:\d{1,2}\s*[-.]\s*)?[a-z]{3,9}[\s,.'/_-]*(?:20\d\d|\d\d)?(?:[/-]\d\d)?\s*:?",
    re.IGNORECASE,
)


def months_of_publication(
    rows: pl.DataFrame, named: dict[int, int | None]
) -> tuple[pl.DataFrame, set[int]]:
    """Give the lines of a monthly file whose dates are invoice dates the month of the file.

    Some publishers print the date of the invoice: a file called December then holds dates of many
    earlier months, thinning out backwards, and its latest month is December. Such lines were paid
    in December, so ``month`` is the file's and ``payment_date`` stays as published. A quarter or a
    year to date holds its months about evenly and is left alone.

    Args:
        rows: ``g`` (Int32, the table), ``month`` (Date or null) and others.
        named: table -> the only month its name names, or None.

    Returns:
        The rows with ``month`` changed, and the tables in which it was.
    """
    if not any(named.values()):
        return rows, set()
    counts = rows.lazy().group_by("g", "month").agg(n=pl.len()).collect().drop_nulls("month")
    months: dict[int, dict[date, int]] = {}
    for key, month, n in counts.iter_rows():
        months.setdefault(key, {})[month] = n
    found: dict[int, object] = {}
    for key, times in months.items():
        hint = named.get(key)
        own = [month for month in times if month.month == hint]
        if not own:
            continue
        last = max(own)
        if _thins_out({_lag(last, month): n for month, n in times.items()}):
            found[key] = last
    if not found:
        return rows, set()
    changed = pl.DataFrame(
        {"g": list(found), "_own": list(found.values())},
        schema={"g": pl.Int32, "_own": pl.Date},
    )
    rows = (
        rows.join(changed, on="g", how="left", maintain_order="left")
        .with_columns(
            month=pl.when(pl.col("month").is_not_null()).then(pl.coalesce("_own", "month"))
        )
        .drop("_own")
    )
    return rows, set(found)


def months_of_period_column(
    rows: pl.DataFrame, sheets: Sequence[Sheet]
) -> tuple[pl.DataFrame, set[int]]:
    """Give lines dated by invoice the month that the table's own column of months or periods says.

    Only where the dates, counted back from that month, thin out as those of invoices do. A period
    number is read as the month of the calendar or of the financial year under which they do so; where
    they do under several, or under none, the dates are left to speak.

    Args:
        rows: ``g``, ``month``, ``_period`` and ``_year`` (cells as published) and others.
        sheets: sheet ``n`` is table ``n``.

    Returns:
        The rows with ``month`` changed, and the tables in which it was.
    """
    both = [s for s in sheets if "period" in s.layout.columns]
    both = [s for s in both if s.layout.columns.get("date") != s.layout.columns["period"]]
    if not both:
        return rows, set()
    keys = [s.key for s in both]
    counts = (
        rows.lazy()
        .filter(pl.col("g").is_in(keys) & pl.col("month").is_not_null())
        .group_by("g", "_period", "_year", "month")
        .agg(n=pl.len())
        .collect()
    )
    found: list[tuple[int, str | None, str | None, str]] = []
    for (key,), part in counts.partition_by("g", as_dict=True).items():
        hint = sheets[int(str(key))].hint
        lines = part.select("_period", "_year", "month", "n").rows()
        pairs = dict.fromkeys((period, year) for period, year, _, _ in lines)
        cells = {(p, y): period_cell(p, y, hint) for p, y in pairs}
        readings: dict[tuple[str, ...], dict[tuple[str | None, str | None], str]] = {}
        for way in WAYS:
            months = {pair: month_of(c, way) for pair, c in cells.items() if c is not None}
            months = {pair: m for pair, m in months.items() if m}
            lags: dict[int, int] = {}
            for period, year, month, n in lines:
                own = months.get((period, year))
                if own:
                    lag = (int(own[:4]) - month.year) * 12 + int(own[5:]) - month.month
                    lags[lag] = lags.get(lag, 0) + n
            if months and _thins_out(lags):
                readings[tuple(months.values())] = months
        if len(readings) == 1:
            chosen = next(iter(readings.values()))
            found += [(int(str(key)), p, y, m + "-01") for (p, y), m in chosen.items()]
    if not found:
        return rows, set()
    changed = pl.DataFrame(
        found,
        schema={"g": pl.Int32, "_period": pl.String, "_year": pl.String, "_own": pl.String},
        orient="row",
    ).with_columns(pl.col("_own").str.to_date())
    rows = (
        rows.join(
            changed,
            on=["g", "_period", "_year"],
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        .with_columns(
            month=pl.when(pl.col("month").is_not_null()).then(pl.coalesce("_own", "month"))
        )
        .drop("_own")
    )
    return rows, {key for key, *_ in found}


def months_of_headings(rows: pl.DataFrame, sheets: Sequence[Sheet]) -> pl.DataFrame:
    """Give the payments of a table without dates the month in the last row above that names nothing else.

    ``May 2023`` stands alone in a row, then the payments of May, then ``June 2023``. Where the year of
    such a month is not known its payments get no month.

    Args:
        rows: ``g``, ``source_row``, ``month`` and others.
        sheets: sheet ``n`` is table ``n``; told what was done.
    """
    changed: list[pl.DataFrame] = []
    for sheet in sheets:
        if "date" in sheet.layout.columns or "amount" not in sheet.layout.columns:
            continue
        headings = _headings(sheet)
        if not headings or {h.first_day for _, h in headings} == {sheet.hint.first_day}:
            continue
        sheet.report.notes.append("Months were taken from rows that hold nothing else.")
        changed.append(
            pl.DataFrame(
                [(sheet.key, row, hint.first_day, True) for row, hint in headings],
                schema={
                    "g": pl.Int32,
                    "source_row": pl.Int64,
                    "_own": pl.Date,
                    "_told": pl.Boolean,
                },
                orient="row",
            )
        )
    if not changed:
        return rows
    told = pl.concat(changed).sort("g", "source_row")
    out = (
        rows.with_row_index("_at")
        .sort("g", "source_row")
        .join_asof(told, on="source_row", by="g", check_sortedness=False)
        .sort("_at")
    )
    month = pl.when(pl.col("_told").is_not_null()).then("_own").otherwise("month")
    return rows.with_columns(out.select(month.alias("month")).to_series())


def _headings(sheet: Sheet) -> list[tuple[int, PeriodHint]]:
    """Rows below the header that hold a month and nothing else, with the month."""
    frame = sheet.grid.frame.slice(rows_below_header(sheet.grid, sheet.layout))
    amount = pl.col(sheet.layout.columns["amount"])
    some = frame.filter(amount.is_null() | (amount.str.strip_chars() == ""))
    found: list[tuple[int, PeriodHint]] = []
    of_file = hint_from_path(sheet.path).span
    for number, *cells in some.head(MOST_HEADINGS).rows():
        texts = [text for cell in cells if (text := (cell or "").strip())]
        if len(texts) != 1 or len(texts[0]) > LONGEST_HEADING or not _HEADING.fullmatch(texts[0]):
            continue
        hint = hint_from_name(texts[0])
        if hint.month is not None:
            found.append((number, hint.within(sheet.hint.span).within(of_file)))
    return found


def _lag(own: object, month: object) -> int:
    """How many months a month lies before another."""
    return (own.year - month.year) * 12 + own.month - month.month  # type: ignore[attr-defined]


def _thins_out(lags: dict[int, int]) -> bool:
    """Whether numbers of lines by months before the payment look like those of invoices."""
    total = sum(lags.values())
    own = lags.get(0, 0)
    later = sum(n for lag, n in lags.items() if lag < 0)
    tail = [n for lag, n in lags.items() if lag >= 3]
    recent = sum(sorted((n for lag, n in lags.items() if 0 <= lag <= 2), reverse=True)[:2])
    return (
        len(lags) >= KINDS
        and (total - own) >= OUTSIDE * total
        and later <= LATER * total
        and own >= OWN * total
        and recent >= RECENT * total
        and 0 < sum(tail) <= TAIL * total
        and max(tail) < 0.5 * max(lags.values())
    )

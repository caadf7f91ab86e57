"""The month of a payment where a monthly file prints the dates of invoices."""

from __future__ import annotations

import polars as pl

OUTSIDE, LATER, OWN, KINDS = 0.2, 0.02, 0.05, 4
RECENT, TAIL = 0.5, 0.4


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
    counts = rows.lazy().group_by("g", "month").agg(n=pl.len()).collect()
    found: dict[int, object] = {}
    for (key,), part in counts.drop_nulls("month").partition_by("g", as_dict=True).items():
        hint = named.get(key)
        own = [m for m in part["month"] if m.month == hint]
        if own and _thins_out(dict(part.select("month", "n").iter_rows()), max(own)):
            found[key] = max(own)
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


def _thins_out(counts: dict, own: object) -> bool:
    """Whether lines per month look like invoices paid in month ``own``."""
    total = sum(counts.values())
    lags: dict[int, int] = {}
    for month, n in counts.items():
        lag = (own.year - month.year) * 12 + own.month - month.month  # type: ignore[attr-defined]
        lags[lag] = n
    later = sum(n for lag, n in lags.items() if lag < 0)
    tail = [n for lag, n in lags.items() if lag >= 3]
    recent = sum(sorted((n for lag, n in lags.items() if 0 <= lag <= 2), reverse=True)[:2])
    return (
        len(counts) >= KINDS
        and (total - lags[0]) >= OUTSIDE * total
        and later <= LATER * total
        and lags[0] >= OWN * total
        and recent >= RECENT * total
        and 0 < sum(tail) <= TAIL * total
        and max(tail) < 0.5 * max(lags.values())
    )

"""Text to dates: day-first or month-first decided for each table from all its values.

Evidence is taken in this order: a number above 12; a table that stays in one month under one order
only; the month in the file's name; how the publisher's other tables are written. What stays
undecided is left null, with the order ``undecided``, for the caller to refuse. ISO dates are never
exchanged.
"""

from __future__ import annotations

from datetime import date

import polars as pl

EARLIEST, LATEST_YEARS_AHEAD = date(2005, 4, 1), 2
_MON = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_MON_NUMBER = {
    m: i + 1
    for i, m in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    )
}


def _year(text: pl.Expr) -> pl.Expr:
    number = text.cast(pl.Int32, strict=False)
    return pl.when(number < 100).then(number + 2000).otherwise(number)


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    text = pl.format(
        "{}-{}-{}",
        year,
        month.cast(pl.String).str.zfill(2),
        day.cast(pl.String).str.zfill(2),
    )
    return text.str.to_date("%Y-%m-%d", strict=False)


def _atoms(values: pl.DataFrame, column: str) -> pl.DataFrame:
    """Split each distinct text into its reading under every unambiguous form, and a/b/y parts."""
    text = (
        pl.col(column)
        .str.strip_chars()
        .str.to_lowercase()
        .str.replace_all(r"[\x{00a0}\s]+", " ")
        .str.replace(r"[ t]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:am|pm|z)?$", "")
        .str.replace(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+", "")
    )
    values = values.with_columns(_t=text)
    t = pl.col("_t")

    def part(pattern: str, group: int) -> pl.Expr:
        return t.str.extract(pattern, group)

    iso = r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$"
    compact = r"^((?:19|20)\d{2})(0[1-9]|1[0-2])([0-3]\d)$"
    named = rf"^(\d{{1,2}})(?:st|nd|rd|th)?[ \-/.]*{_MON}[ \-/.,']*(\d{{4}}|\d{{2}})$"
    american = rf"^{_MON}[ \-/.]*(\d{{1,2}})(?:st|nd|rd|th)?[ ,]+(\d{{4}})$"
    month_year = rf"^{_MON}[ \-/.,']*(\d{{4}}|\d{{2}})$"
    year_month = r"^(\d{4})[-/](\d{1,2})$"
    numbers = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})$"
    mon = _MON_NUMBER

    def month(pattern: str, group: int) -> pl.Expr:
        return part(pattern, group).replace_strict(mon, default=None, return_dtype=pl.Int32)

    serial = (
        pl.when(t.str.contains(r"^(?:3[6-9]|4\d|5\d)\d{3}(?:\.\d+)?$"))
        .then(t.cast(pl.Float64, strict=False).floor().cast(pl.Int32, strict=False) - 25569)
        .cast(pl.Date)
    )
    one = pl.lit(1)
    day_level = pl.coalesce(
        _date(_year(part(iso, 1)), part(iso, 2), part(iso, 3)),
        _date(_year(part(compact, 1)), part(compact, 2), part(compact, 3)),
        _date(_year(part(named, 3)), month(named, 2), part(named, 1)),
        _date(_year(part(american, 3)), month(american, 1), part(american, 2)),
        serial,
    )
    month_level = pl.coalesce(
        _date(_year(part(month_year, 2)), month(month_year, 1), one),
        _date(_year(part(year_month, 1)), part(year_month, 2), one),
    )
    return values.with_columns(
        _sure=day_level,
        _month=month_level,
        _a=part(numbers, 1).cast(pl.Int32, strict=False),
        _b=part(numbers, 2).cast(pl.Int32, strict=False),
        _y=_year(part(numbers, 3)),
    )


def parse_dates(frame: pl.DataFrame, column: str, group: str, hints: pl.DataFrame) -> pl.DataFrame:
    """Parse a column of published dates.

    Args:
        frame: at least the columns ``column`` (String) and ``group``.
        column: the text to parse.
        group: the table each row belongs to; day-first or month-first is decided for each.
        hints: one row a group: ``group``, ``hint_month`` (Int32 or null, the only month the
            file's name names), ``forced_order`` (String or null: how the publisher's other tables
            are written, used when the table itself does not tell).

    Returns:
        ``frame`` with ``payment_date`` (Date or null), ``month`` (Date, first of month, or null),
        ``date_order`` (String: how the row's table is written, ``undecided`` where nothing
        tells) and ``date_reason`` (String: why).
    """
    distinct = frame.select(group, column).filter(pl.col(column).is_not_null()).unique()
    atoms = _atoms(distinct, column)
    decisions = _decide(atoms, group, hints)
    atoms = atoms.join(decisions, on=group, how="left")
    day_first = _date(pl.col("_y"), pl.col("_b"), pl.col("_a"))
    month_first = _date(pl.col("_y"), pl.col("_a"), pl.col("_b"))
    order = pl.col("date_order")
    in_month = pl.col("_mixed_month")
    mixed = (
        pl.when(pl.col("_a") > 12)
        .then(day_first)
        .when(pl.col("_b") > 12)
        .then(month_first)
        .when(pl.col("_a") == pl.col("_b"))
        .then(day_first)
        .when((pl.col("_b") == in_month) & (pl.col("_a") != in_month))
        .then(day_first)
        .when((pl.col("_a") == in_month) & (pl.col("_b") != in_month))
        .then(month_first)
    )
    numeric = (
        pl.when(order == "day first")
        .then(day_first)
        .when(order == "month first")
        .then(month_first)
        .when(order == "mixed")
        .then(mixed)
        .when(pl.col("_a") == pl.col("_b"))
        .then(day_first)
    )
    latest = date(date.today().year + LATEST_YEARS_AHEAD, 12, 31)
    atoms = atoms.with_columns(_day=pl.coalesce("_sure", numeric))
    atoms = atoms.with_columns(
        payment_date=pl.when(pl.col("_day").is_between(EARLIEST, latest)).then(pl.col("_day")),
        _month=pl.when(pl.col("_month").is_between(EARLIEST, latest)).then(pl.col("_month")),
    ).with_columns(month=pl.coalesce(pl.col("payment_date").dt.truncate("1mo"), "_month"))
    joined = frame.join(
        atoms.select(group, column, "payment_date", "month"),
        on=[group, column],
        how="left",
        maintain_order="left",
    )
    return joined.join(
        decisions.select(group, "date_order", "date_reason"),
        on=group,
        how="left",
        maintain_order="left",
    )


def _decide(atoms: pl.DataFrame, group: str, hints: pl.DataFrame) -> pl.DataFrame:
    """Day-first or month-first for each table, with the reason."""
    a, b = pl.col("_a"), pl.col("_b")
    has = a.is_not_null()
    doubtful = has & (a <= 12) & (b <= 12) & (a != b)
    stats = atoms.group_by(group).agg(
        n=has.sum(),
        a_high=(a > 12).sum(),
        b_high=(b > 12).sum(),
        doubtful=doubtful.sum(),
        a_kinds=a.filter(doubtful).n_unique(),
        b_kinds=b.filter(doubtful).n_unique(),
        a_only=a.filter(doubtful).first(),
        b_only=b.filter(doubtful).first(),
        a_list=a.filter(doubtful),
        b_list=b.filter(doubtful),
        sure_month=pl.coalesce(
            pl.when(a > 12).then(b).when(b > 12).then(a), pl.col("_sure").dt.month().cast(pl.Int32)
        ).mode(),
    )
    rows = [
        _decide_one(row, group)
        for row in stats.join(hints, on=group, how="left").iter_rows(named=True)
    ]
    return pl.DataFrame(
        rows,
        schema={
            group: atoms.schema[group],
            "date_order": pl.String,
            "date_reason": pl.String,
            "_mixed_month": pl.Int32,
        },
    )


def _decide_one(row: dict, group: str) -> dict:
    """The rules for one table, in order of strength."""
    hint = row["hint_month"]
    order, reason, mixed_month = "undecided", "", None
    a_list, b_list = row["a_list"] or [], row["b_list"] or []
    if not row["n"]:
        order, reason = "unambiguous", "dates name the month or stand in ISO order"
    elif row["a_high"] and row["b_high"]:
        months = row["sure_month"] or []
        mixed_month = hint or (months[0] if len(months) == 1 else None)
        order = "mixed"
        reason = (
            "days above 12 stand first in some rows and second in others; each row was read by "
            "its own numbers and the file's month"
        )
    elif row["a_high"]:
        order, reason = "day first", "days above 12 stand first"
    elif row["b_high"]:
        order, reason = "month first", "days above 12 stand second"
    elif not row["doubtful"]:
        order, reason = "day first", "day and month are the same number in every row"
    elif hint and (b_list.count(hint) >= 0.8 * len(b_list)) != (
        a_list.count(hint) >= 0.8 * len(a_list)
    ):
        first = b_list.count(hint) >= 0.8 * len(b_list)
        order = "day first" if first else "month first"
        reason = "so the dates fall into the month in the file's name"
    elif row["b_kinds"] == 1 and row["a_kinds"] > 1:
        order, reason = "day first", "so all dates fall into one month"
    elif row["a_kinds"] == 1 and row["b_kinds"] > 1 and row["a_only"] != 1:
        order, reason = "month first", "so all dates fall into one month"
    elif row["forced_order"]:
        order, reason = row["forced_order"], "the publisher's other tables are written so"
    else:
        reason = "every date can be read day first or month first and nothing tells which"
    return {
        group: row[group],
        "date_order": order,
        "date_reason": reason,
        "_mixed_month": mixed_month,
    }

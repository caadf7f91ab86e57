"""Text to dates: day-first or month-first decided for each table from all its values.

Evidence is taken in this order: a number above 12; the month, period or months in the file's name; a
table that stays in one month under one order only; how the publisher's other tables are written. What
stays undecided is left null, with the order ``undecided``, for the caller to refuse. What a table's own
column of months says is for the caller to settle (:data:`WEAK`). ISO dates are never exchanged.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from pipeline.ingest.tabular.dress import DATES, undressed

EARLIEST, LATEST_YEARS_AHEAD = date(2005, 4, 1), 2
LONGEST_MONTH = 32
CONTRADICTED = "contradicted"
BY_NAME = frozenset(
    (
        _IN_MONTH := "so the dates fall into the month in the file's name",
        _IN_PERIOD := "so the dates fall into the period in the file's name",
        _IN_MONTHS := "so the dates fall into the months in the file's name",
    )
)
_ONE_MONTH = "so all dates fall into one month"
_AS_OTHERS = "the publisher's other tables are written so"
_NOTHING = "every date can be read day first or month first and nothing tells which"
#: Reasons that stronger evidence may overrule or contradict.
WEAK = BY_NAME | {_ONE_MONTH, _AS_OTHERS, _NOTHING}
FEW_EXCEPTIONS = 20  # one row in so many may be written the other way round without making a mix
_MON = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_MON_NUMBER = {
    m: i + 1
    for i, m in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    )
}


_NUMBERS = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})$"


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
    """Split each distinct text into its reading under every unambiguous form, and a/b/y parts.

    Most texts are three numbers as they stand, which no other form is. The same days stand in many
    tables, so every other text is taken apart once.
    """
    plain = values[column].str.contains(_NUMBERS)
    others = values.filter(~plain)
    kinds = others.select(pl.col(column).unique())
    read = _in_any_form(kinds, column)
    return pl.concat(
        [_in_numbers(values.filter(plain), column), others.join(read, on=column, how="left")]
    )


def _parts_of_numbers(text: pl.Expr) -> dict[str, pl.Expr]:
    """The parts of three numbers, with a year of four figures, and whether it was written with two."""
    return {
        "_a": text.str.extract(_NUMBERS, 1).cast(pl.Int32, strict=False),
        "_b": text.str.extract(_NUMBERS, 2).cast(pl.Int32, strict=False),
        "_y": _year(text.str.extract(_NUMBERS, 3)),
        "_short": text.str.contains(r"^\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2}$"),
    }


def _in_numbers(values: pl.DataFrame, column: str) -> pl.DataFrame:
    """As :func:`_in_any_form`, of texts that are three numbers and nothing else."""
    day, number = pl.lit(None, dtype=pl.Date), pl.lit(None, dtype=pl.Int32)
    return values.with_columns(
        _t=pl.col(column), _sure=day, _month=day, _m=number, _d=number, _n=number,
        **_parts_of_numbers(pl.col(column)),
    )  # fmt: skip


def _in_any_form(values: pl.DataFrame, column: str) -> pl.DataFrame:
    """Split each text into its reading under every unambiguous form, and a/b/y parts."""
    text = (
        pl.col(column)
        .str.strip_chars()
        .str.to_lowercase()
        .str.replace_all(r"[\x{00a0}\s]+", " ")
        .str.replace(r"^['’]", "")
        .str.replace(
            r"[ t]\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:\.\d+)?)?\s*(?:am|pm)?\s*(?:z|utc|gmt|bst|[+-]\d\d:?\d\d)?$",
            "",
        )
        .str.replace(
            r"^([a-z]{3} [a-z]{3} \d{1,2}) \d\d:\d\d:\d\d (?:[a-z]{3,4} )?(20\d\d)$", "$1 $2"
        )
        .str.replace(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+", "")
        .str.replace_all(r"\s*[/\\]\s*", "/")
        .pipe(undressed, DATES)
        .str.replace(r"^(\d{1,2})[ _](\d{1,2})[ _](20\d\d)$", "$1/$2/$3")
    )
    values = values.with_columns(_t=text)
    t = pl.col("_t")

    def part(pattern: str, group: int) -> pl.Expr:
        return t.str.extract(pattern, group)

    iso = r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$"
    compact = r"^((?:19|20)\d{2})(0[1-9]|1[0-2])([0-3]\d)$"
    compact_day_first = r"^([0-3]?\d)(0[1-9]|1[0-2])(20\d{2})$"
    named = rf"^(\d{{1,2}})(?:st|nd|rd|th)?(?: of)?[ \-/.]*{_MON}[ \-/.,']*(\d{{4}}|\d{{2}})$"
    american = rf"^{_MON}[ \-/.]*(\d{{1,2}})(?:st|nd|rd|th)?[ ,]+(\d{{4}})$"
    month_year = rf"^{_MON}[ \-/.,']*(\d{{4}}|\d{{2}})$"
    year_month = r"^(\d{4})[-/](\d{1,2})$"
    day_month = rf"^(\d{{1,2}})(?:st|nd|rd|th)?[ \-/.]*{_MON}$"
    month_day = rf"^{_MON}[ \-/.,']*(\d{{2}})$"
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
        _date(
            _year(part(compact_day_first, 3)),
            part(compact_day_first, 2),
            part(compact_day_first, 1),
        ),
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
        _m=pl.coalesce(month(day_month, 2), month(month_day, 1)),
        _d=part(day_month, 1).cast(pl.Int32, strict=False),
        _n=part(month_day, 2).cast(pl.Int32, strict=False),
        **_parts_of_numbers(t),
    )


def _near(column: str) -> pl.Expr:
    """Whether a two-digit year lies in the period that the name gives."""
    return pl.col(column).is_between(
        pl.col("hint_from").dt.year() - 2000, pl.col("hint_to").dt.year() - 2000
    )


def _read_years_first(atoms: pl.DataFrame, group: str, hints: pl.DataFrame) -> pl.DataFrame:
    """Tables whose two-digit years stand first (``22/11/14``) get those dates, and no doubt.

    Told by the table as a whole: the first numbers are one or two possible years, the second ones
    months, and the third ones, read as years, would be many or impossible.
    """
    if not atoms["_short"].any():
        return atoms.drop("_short")
    a, b, y = pl.col("_a"), pl.col("_b"), pl.col("_y") - 2000
    this_year = date.today().year - 2000
    year_first = (
        atoms.filter("_short")
        .group_by(group)
        .agg(
            _fits=(
                a.is_between(5, this_year + 1) & b.is_between(1, 12) & y.is_between(1, 31)
            ).all(),
            _years=a.n_unique(),
            _days=y.n_unique(),
            _impossible=(y > this_year + LATEST_YEARS_AHEAD).any() | (y < 5).any(),
            _a_one=a.mode().first(),
            _y_one=y.mode().first(),
        )
        .join(hints.select(group, "hint_from", "hint_to"), on=group, how="left")
        .filter(
            pl.col("_fits")
            & (pl.col("_years") <= 2)
            & ~(_near("_y_one") & ~_near("_a_one")).fill_null(False)
            & (
                ((pl.col("_days") > 2) | (pl.col("_impossible") & (pl.col("_days") > 1)))
                | (_near("_a_one") & ~_near("_y_one"))
            )
        )
        .select(group, _first=True)
    )
    if year_first.is_empty():
        return atoms.drop("_short")
    turned = pl.col("_short") & pl.col("_first").fill_null(False)
    return (
        atoms.join(year_first, on=group, how="left", maintain_order="left")
        .with_columns(
            _sure=pl.when(turned)
            .then(_date(pl.col("_a") + 2000, pl.col("_b"), pl.col("_y") - 2000))
            .otherwise("_sure"),
            _a=pl.when(~turned).then("_a"),
            _b=pl.when(~turned).then("_b"),
            _y=pl.when(~turned).then("_y"),
        )
        .drop("_first", "_short")
    )


def _add_years(atoms: pl.DataFrame, group: str, hints: pl.DataFrame) -> pl.DataFrame:
    """Days of a month without a year (``03-Apr``) take the year of the period in the name.

    A spreadsheet shows the third of April as ``Apr-03`` too. Where such numbers cannot all be years
    the table's cells are days of a month, never Aprils of 2003 and 2018.
    """
    if not atoms["_m"].is_not_null().any():
        return atoms.drop("_m", "_d", "_n")
    this_year = date.today().year - 2000
    n = pl.col("_n")
    days = (
        atoms.group_by(group)
        .agg(_days=(n.n_unique() > 3) & ((n < 5) | (n > this_year + LATEST_YEARS_AHEAD)).any())
        .join(hints.select(group, "hint_from", "hint_to"), on=group, how="left")
    )
    atoms = atoms.join(days, on=group, how="left", maintain_order="left")
    is_day = n.is_not_null() & pl.col("_days").fill_null(False)
    day = pl.when(is_day).then(n).otherwise("_d")
    start, end = pl.col("hint_from"), pl.col("hint_to")
    month_only = (end - start).dt.total_days() < LONGEST_MONTH
    before = pl.when(month_only).then(start.dt.offset_by("-200d")).otherwise(start)
    after = pl.when(month_only).then(end.dt.offset_by("100d")).otherwise(end)
    dates = [_date(start.dt.year() + i, pl.col("_m"), day) for i in (-1, 0, 1)]
    found = pl.coalesce(pl.when(d.is_between(before, after)).then(d) for d in dates)
    return atoms.with_columns(
        _sure=pl.coalesce("_sure", pl.when(day.is_not_null()).then(found)),
        _month=pl.when(~is_day).then("_month"),
    ).drop("_m", "_d", "_n", "_days", "hint_from", "hint_to")


def parse_dates(
    frame: pl.DataFrame, column: str, group: str, hints: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parse a column of published dates.

    Args:
        frame: at least the columns ``column`` (String) and ``group``.
        column: the text to parse.
        group: the table each row belongs to; day-first or month-first is decided for each.
        hints: one row a group: ``group``, ``hint_month`` (Int32 or null, the only month the
            file's name names), ``hint_from`` and ``hint_to`` (Date or null, the period it names),
            ``hint_months`` (list of lists of months, null or empty where the name gives none or a
            year as well: each is one reading of the months it names), ``forced_order`` (String or
            null: how the publisher's other tables are written, used when the table itself does not
            tell); with ``settled_order`` and ``settled_reason`` the order is not asked but told.

    Returns:
        ``frame`` with ``payment_date`` (Date or null) and ``month`` (Date, first of month, or
        null); and one row a group with dates: ``date_order`` (how the table is written,
        ``undecided`` where nothing tells), ``date_reason`` (why), ``exceptions`` (rows written the
        other way round than the table) and ``exchanged`` (real dates of a workbook whose day and
        month look exchanged).
    """
    counted = frame.lazy().group_by(group, column).agg(_rows=pl.len()).collect()
    atoms = _atoms(counted.filter(pl.col(column).is_not_null()), column)
    atoms = _read_years_first(atoms, group, hints)
    atoms = _add_years(atoms, group, hints)
    decisions = _decide(atoms, group, hints)
    atoms = atoms.join(decisions, on=group, how="left")
    # Columns of their own, because an expression is worked out as often as it is named.
    atoms = atoms.with_columns(
        _day_first=_date(pl.col("_y"), pl.col("_b"), pl.col("_a")),
        _month_first=_date(pl.col("_y"), pl.col("_a"), pl.col("_b")),
    )
    day_first, month_first = pl.col("_day_first"), pl.col("_month_first")
    order = pl.col("date_order")
    in_month = pl.col("_mixed_month")
    only_way = (
        pl.when(pl.col("_a") > 12)
        .then(day_first)
        .when(pl.col("_b") > 12)
        .then(month_first)
        .when(pl.col("_a") == pl.col("_b"))
        .then(day_first)
    )
    by_month = (
        pl.when((pl.col("_b") == in_month) & (pl.col("_a") != in_month))
        .then(day_first)
        .when((pl.col("_a") == in_month) & (pl.col("_b") != in_month))
        .then(month_first)
    )
    numeric = (
        pl.when(order == "day first")
        .then(pl.coalesce(only_way, day_first))
        .when(order == "month first")
        .then(pl.coalesce(only_way, month_first))
        .when(order == "mixed")
        .then(pl.coalesce(only_way, by_month))
        .otherwise(only_way)
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
    return joined, decisions.drop("_mixed_month")


def _decide(atoms: pl.DataFrame, group: str, hints: pl.DataFrame) -> pl.DataFrame:
    """Day-first or month-first for each table, with the reason."""
    a, b, times = pl.col("_a"), pl.col("_b"), pl.col("_rows")
    has = a.is_not_null()
    doubtful = has & (a <= 12) & (b <= 12) & (a != b)
    real = pl.col("_t").str.contains(r"^\d{4}-\d{2}-\d{2}$")
    stats = atoms.group_by(group).agg(
        n=has.sum(),
        a_high=times.filter(a > 12).sum(),
        b_high=times.filter(b > 12).sum(),
        doubtful=doubtful.sum(),
        a_list=a.filter(doubtful),
        b_list=b.filter(doubtful),
        y_list=pl.col("_y").filter(doubtful),
        sure_month=pl.coalesce(
            pl.when(a > 12).then(b).when(b > 12).then(a), pl.col("_sure").dt.month().cast(pl.Int32)
        ).mode(),
        text_months=pl.when(a > 12).then(b).drop_nulls().unique(),
        real_days=pl.col("_sure").filter(real),
        real_rows=times.filter(real),
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
            "exceptions": pl.Int64,
            "exchanged": pl.Int64,
            "_mixed_month": pl.Int32,
        },
    )


def _share_within(row: dict, first: str, second: str) -> tuple[float, float]:
    """Share of the doubtful dates inside the named period: read day first, read month first."""
    start, end = row["hint_from"], row["hint_to"]

    def share(months: list[int], days: list[int]) -> float:
        parts = zip(row["y_list"], months, days, strict=True)
        dates = [date(y, m, d) for y, m, d in parts if y and m and d]
        return sum(start <= d <= end for d in dates) / max(len(dates), 1)

    return share(row[second], row[first]), share(row[first], row[second])


def _exchanged(row: dict) -> int:
    """Real dates of a workbook that a program with American settings turned round.

    It turns what it can (a day up to 12) into a date with day and month exchanged and leaves the
    rest as text: real dates then all have a day up to 12, which is the month of the text dates.
    """
    days, months = row["real_days"] or [], row["text_months"] or []
    if row["b_high"] or not months or not days or any(d is None or d.day > 12 for d in days):
        return 0
    would_fit = sum(d.day in months for d in days)
    fit = sum(d.month in months for d in days)
    return sum(row["real_rows"]) if would_fit == len(days) and fit < 0.5 * len(days) else 0


def _decide_one(row: dict, group: str) -> dict:
    """The rules for one table, in order of strength."""
    hint = row["hint_month"]
    order, reason, mixed_month, exceptions = "undecided", "", None, 0
    a_list, b_list = row["a_list"] or [], row["b_list"] or []
    a_high, b_high = row["a_high"], row["b_high"]
    a_kinds, b_kinds = len(set(a_list)), len(set(b_list))
    start, end = row["hint_from"], row["hint_to"]
    # A file for a year or a quarter is not expected to hold one month only.
    one_month = len(set(row["y_list"] or [])) == 1 and not (
        start and (end - start).days >= LONGEST_MONTH
    )
    if row.get("settled_order"):
        order, reason = row["settled_order"], row["settled_reason"]
    elif not row["n"]:
        order, reason = "unambiguous", "dates name the month or stand in ISO order"
    elif a_high and b_high and max(a_high, b_high) < FEW_EXCEPTIONS * min(a_high, b_high):
        months = row["sure_month"] or []
        mixed_month = hint or (months[0] if len(months) == 1 else None)
        order, exceptions = "mixed", min(a_high, b_high)
        reason = (
            "days above 12 stand first in some rows and second in others; each row was read by "
            "its own numbers and the file's month"
        )
    elif a_high > b_high:
        order, reason, exceptions = "day first", "days above 12 stand first", b_high
    elif b_high > a_high:
        order, reason, exceptions = "month first", "days above 12 stand second", a_high
    elif not row["doubtful"]:
        order, reason = "day first", "day and month are the same number in every row"
    elif hint and (b_list.count(hint) >= 0.8 * len(b_list)) != (
        a_list.count(hint) >= 0.8 * len(a_list)
    ):
        first = b_list.count(hint) >= 0.8 * len(b_list)
        order = "day first" if first else "month first"
        reason = _IN_MONTH
    elif row["hint_from"] and (found := _by_period(row)):
        order, reason = found, _IN_PERIOD
    elif row["hint_months"] and (found := _by_months(row)):
        order, reason = found, _IN_MONTHS
    elif one_month and b_kinds == 1 and a_kinds > 1 and b_list[0] != 1:
        order, reason = "day first", _ONE_MONTH
    elif one_month and a_kinds == 1 and b_kinds > 1 and a_list[0] != 1:
        order, reason = "month first", _ONE_MONTH
    elif row["forced_order"]:
        order, reason = row["forced_order"], _AS_OTHERS
    else:
        reason = _NOTHING
    return {
        group: row[group],
        "date_order": order,
        "date_reason": reason,
        "exceptions": exceptions,
        "exchanged": _exchanged(row),
        "_mixed_month": mixed_month,
    }


def _by_period(row: dict) -> str | None:
    """The order under which nearly all dates fall into the named period and under the other not."""
    day_first, month_first = _share_within(row, "a_list", "b_list")
    if day_first >= 0.95 and month_first <= 0.6:
        return "day first"
    if month_first >= 0.95 and day_first <= 0.6:
        return "month first"
    return None


def _by_months(row: dict) -> str | None:
    """The same for months named without a year; a quarter may be of the calendar or from April."""
    a_list, b_list = row["a_list"] or [], row["b_list"] or []
    found = set()
    for months in row["hint_months"]:
        a, b = (sum(m in months for m in some) / max(len(some), 1) for some in (a_list, b_list))
        if max(a, b) >= 0.95 and min(a, b) <= 0.6:
            found.add("day first" if b > a else "month first")
    return found.pop() if len(found) == 1 else None
